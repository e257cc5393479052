"""A paper PHQ-9 entered by one person, and a second person to enter it again."""

from datetime import date

from tests.trial.assessments.builders import NOW, phq9, randomised, save, staff
from trial.access.policy import Role
from trial.double_entry import actions

QUIET = phq9(1, 1, 1, 1, 1, 1, 1, 1, 0, 1)


class Desk:
    """Two coordinators of one site, a data manager, and a form on paper that the first has entered."""

    def __init__(self, answers=None, *, visit="V3", instrument="phq9", **given) -> None:
        self.participant = randomised()
        self.first = staff(Role.COORDINATOR, name="Asha Patel")
        self.second = staff(Role.COORDINATOR, name="Ben Okoro")
        self.manager = staff(Role.DATA_MANAGER, name="Mina Rossi")
        self.form = save(
            self.participant,
            visit,
            instrument,
            **{"answers": answers or QUIET, "mode": "self_paper", "by": self.first, **given},
        )
        self.url = f"/people/{self.participant.study_id}/{visit}/{instrument}/"

    def enter_again(self, answers=None, *, by=None, submit=True, revision=0, **given):
        """The second entry, agreeing unless `answers` says otherwise."""
        return actions.save_second_entry(
            form=self.form,
            by=by or self.second,
            submit=submit,
            expected_revision=revision,
            **{
                "answers": QUIET if answers is None else answers,
                "missing": {},
                "completed_date": date(2026, 7, 6),
                "at": NOW,
                **given,
            },
        )
