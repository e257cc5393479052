"""Keeping every warning of a soft check, with the answers before it and after it (R-10)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from trial.access.models import User
from trial.assessments.check_rules import CheckState
from trial.assessments.models import Administration, CheckWarning
from trial.locking.rules import require_unlocked

Outcome = CheckWarning.Outcome
LONGEST_REASON = 200


def latest_warnings(form: Administration) -> dict[str, CheckWarning]:
    """The last thing that is known of each check of a form, in one look-up."""
    return {one.check_code: one for one in CheckWarning.objects.filter(form=form).order_by("pk")}


def record_warnings(
    form: Administration, states: Sequence[CheckState], accepted: Mapping[str, str], by: User | None, at: datetime
) -> None:
    """After a form was completed: which warnings it raises, which were kept, and which answers were changed since.

    The caller holds the transaction of the save. The same form saved again writes nothing. A draft warns of nothing
    before somebody is asked (`record_shown`): it may be saved while a number is half typed.

    Args:
        states: every check of the form as it is stored now.
        accepted: why an answer was kept, by code of the check.
    """
    soft = [state for state in states if not state.is_hard]
    is_new = form.revision == 1
    if not soft or (is_new and not any(state.fires for state in soft)):
        return
    last = latest_warnings(form)
    for state in soft:
        _record(form, state, last.get(state.code), accepted.get(state.code, "")[:LONGEST_REASON], by, at)


def _record(
    form: Administration, state: CheckState, last: CheckWarning | None, why: str, by: User | None, at: datetime
) -> None:
    now = dict(state.values)
    is_known = last is not None and last.answers_now == now
    if last is not None and not is_known and last.outcome != Outcome.CHANGED:
        _write(form, state, Outcome.CHANGED, by, at, before=last.answers_now, after=now)
    if not state.fires:
        return
    if not is_known:
        _write(form, state, Outcome.RAISED, by, at, before=now)
    if why and not (is_known and last is not None and last.outcome == Outcome.KEPT):
        _write(form, state, Outcome.KEPT, by, at, before=now, after=now, reason=why)


@transaction.atomic
def record_shown(*, form: Administration, states: Sequence[CheckState], by: User | None, at: datetime) -> None:
    """Keep the warnings that a person is asked about, with the answers as they were typed.

    The form is a draft meanwhile, or the correction of a complete one that is not stored yet.

    Raises:
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    Administration.objects.select_for_update().get(pk=form.pk)
    last = latest_warnings(form)
    for state in states:
        _record(form, state, last.get(state.code), "", by, at)


def _write(
    form: Administration, state: CheckState, outcome: CheckWarning.Outcome, by: User | None, at: datetime, **values: Any
) -> None:
    CheckWarning(
        form=form, check_code=state.code, message=state.message, outcome=outcome, by=by, at=at, **values
    ).save()
