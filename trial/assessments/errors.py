"""Refusals of the questionnaires feature."""

from collections.abc import Sequence
from datetime import datetime

from trial.access.models import User
from trial.assessments.models import Administration
from trial.assessments.rules import Difference, Problems
from trial.base.errors import TrialError
from trial.base.words import clock_time, local_day, long_date


class FormNotExpected(TrialError):
    """The protocol has no such form at this visit of this person."""

    def __init__(self) -> None:
        super().__init__("This questionnaire does not belong to this visit.")


class AnswersRefused(TrialError):
    """Fields that cannot be stored; nothing of the form was. `problems` says what to put right, by key."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__(". ".join(problems.values()))


class NothingAnswered(TrialError):
    """A form without any answer cannot be completed."""

    def __init__(self) -> None:
        super().__init__("No question is answered. If the questionnaire was not done, choose “Not done” and say why.")


class FormComplete(TrialError):
    """A completed form is corrected with a reason, not saved as a draft."""

    def __init__(self) -> None:
        super().__init__("This questionnaire is complete. To change an answer, use “Correct” and give a reason.")


class AnswersStored(TrialError):
    """A form with answers was done."""

    def __init__(self) -> None:
        super().__init__(
            "Some of this questionnaire is answered. Complete it: questions without an answer count as left blank."
        )


class ReasonsMissing(TrialError):
    """A change of a completed form needs a reason for each field. `keys` are those without one."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = list(keys)
        super().__init__("Say why you are changing this. The reason is kept with the change.")


class ChangedMeanwhile(TrialError):
    """Somebody saved the form since it was opened. Carries their version and the fields that differ."""

    def __init__(self, other: Administration, differences: Sequence[Difference], by: User | None, at: datetime) -> None:
        self.other = other
        self.differences = list(differences)
        last = other.history.select_related("history_user").latest("history_id")
        saved_at = last.history_date
        who = last.history_user.name if last.history_user else "The participant"
        if by is not None and last.history_user_id == by.pk:
            who = "You"
        day = "" if local_day(saved_at) == local_day(at) else f" on {long_date(saved_at)}"
        n = len(self.differences)
        what = "the answer that differs" if n == 1 else f"the {n} answers that differ"
        super().__init__(f"{who} saved this form at {clock_time(saved_at)}{day}. Check {what}.")
