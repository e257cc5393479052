"""Paper forms entered a second time some days later; one in twelve with a slip that the data manager decides."""

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import instruments
from trial.access.models import User
from trial.assessments.models import Administration
from trial.demo.answers import SELF_HARM
from trial.double_entry import actions, decisions, reads
from trial.double_entry.models import SecondEntry

if TYPE_CHECKING:
    from trial.demo.stage import Stage

SLIPS = 1 / 12


def enter_again_later(stage: "Stage", form: Administration, by: User, at: datetime) -> None:
    """Write the second entry of a paper form into the agenda, where the protocol asks for one."""
    if not reads.is_for_double_entry(form):
        return
    rng = stage.draws("second entry", form.participant.study_id, form.visit.code, form.instrument)
    day = stage.calendar.next_working(stage.calendar.day_of(at) + timedelta(days=rng.randint(1, 4)))
    stage.agenda.at(stage.some_time(rng, day, 9, 16), lambda later: _enter(stage, form.pk, by, rng, later))


def _enter(stage: "Stage", pk: int, by: User, rng: Random, at: datetime) -> None:
    form = Administration.objects.select_related("participant__referral", "visit").get(pk=pk)
    answers = dict(form.answers)
    if rng.random() < SLIPS:
        code = rng.choice([code for code in answers if code != SELF_HARM])
        item = instruments.get(form.instrument, form.instrument_version).items_by_code[code]
        answers[code] += 1 if answers[code] == item.min else -1
    second = actions.save_second_entry(
        form=form,
        answers=answers,
        missing=form.missing,
        completed_date=form.completed_date,
        by=by,
        at=at,
        expected_revision=0,
        submit=True,
    )
    if second.differences:
        day = stage.calendar.next_working(stage.calendar.day_of(at) + timedelta(days=rng.randint(2, 5)))
        stage.agenda.at(stage.some_time(rng, day, 10, 15), lambda later: _decide(stage, second, later))


def _decide(stage: "Stage", second: SecondEntry, at: datetime) -> None:
    chosen = {one["key"]: one["first"] for one in decisions.open_differences(second)}
    by = stage.staff("data")
    decisions.adjudicate(second=second, chosen=chosen, reason="Paper shows what the first entry says", by=by, at=at)
