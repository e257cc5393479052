"""Deciding where two entries of a paper form differ: by a third person, with a reason (BR-36)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

import instruments
from trial.access.models import User
from trial.assessments import actions as assessments
from trial.assessments.models import Administration
from trial.assessments.rules import COMPLETED_DATE
from trial.double_entry import rules
from trial.double_entry.actions import RULE
from trial.double_entry.errors import NothingToDecide, NotYours, UnknownValue
from trial.double_entry.models import Adjudication, SecondEntry
from trial.locking.rules import require_unlocked
from trial.review import actions as review
from trial.review.models import Query


def allowed(form: Administration, difference: Mapping[str, Any]) -> list[Any]:
    """What may be decided of one difference: either entry's value, or another answer of the same question."""
    item = instruments.get(form.instrument, form.instrument_version).items_by_code.get(difference["key"])
    if item is None:
        return rules.choices(difference, [])
    return rules.choices(difference, [*(option.value for option in item.options), "BL", "IL", "RF"])


def open_differences(second: SecondEntry) -> list[dict[str, Any]]:
    """Differences that nobody has decided."""
    decided = set(second.adjudications.values_list("field", flat=True))
    return [one for one in second.differences if one["key"] not in decided]


@transaction.atomic
def adjudicate(
    *, second: SecondEntry, chosen: Mapping[str, Any], reason: str, by: User, at: datetime
) -> Administration:
    """Decide every open difference with a reason; the form is corrected where it says otherwise, queries close.

    Args:
        chosen: by key of the difference, one of the values that allowed() gives.

    Raises:
        NotYours: the person entered the form the first or the second time.
        NothingToDecide: no difference is open.
        UnknownValue: a difference is left out, or a value is not among those allowed.
        ReasonsMissing, AnswersRefused, DatasetLocked: from the correction.
    """
    require_unlocked()
    form = (
        Administration.objects.select_for_update(of=("self",)).select_related("visit").get(pk=second.administration_id)
    )
    second = SecondEntry.objects.select_for_update().get(pk=second.pk)
    if by.pk in (second.entered_by_id, form.entered_by_id):
        raise NotYours
    waiting = open_differences(second)
    if not waiting:
        raise NothingToDecide
    values = {one["key"]: _decided(form, one, chosen) for one in waiting}
    stored = _correct(form, second, values, reason, by, at)
    for key, value in values.items():
        Adjudication(second_entry=second, field=key, value=value, reason=reason, by=by, at=at).save()
        _close_query(form, key, reason, by, at)
    return stored


def _decided(form: Administration, difference: Mapping[str, Any], chosen: Mapping[str, Any]) -> Any:
    key = difference["key"]
    if key not in chosen or chosen[key] not in allowed(form, difference):
        raise UnknownValue
    return chosen[key]


def _correct(
    form: Administration, second: SecondEntry, values: Mapping[str, Any], reason: str, by: User, at: datetime
) -> Administration:
    """Save the form with what was decided: a correction with its reason, scored and looked at for risk as any other."""
    items = {key: value for key, value in values.items() if key != COMPLETED_DATE}
    answers = {code: value for code, value in form.answers.items() if code not in items}
    missing = {code: value for code, value in form.missing.items() if code not in items}
    day = values.get(COMPLETED_DATE)
    return assessments.save_form(
        participant=form.participant,
        visit=form.visit,
        instrument=form.instrument,
        answers=answers | {code: value for code, value in items.items() if isinstance(value, int)},
        missing=missing | {code: value for code, value in items.items() if isinstance(value, str)},
        mode=form.mode,
        respondent=form.respondent,
        completed_date=date.fromisoformat(day) if day else form.completed_date,
        by=by,
        at=at,
        expected_revision=form.revision,
        submit=True,
        reasons=dict.fromkeys(values, f"Double entry: {reason}"),
        assessor=form.assessor,
        language=form.language,
        known=second.answers,
    )


def _close_query(form: Administration, key: str, reason: str, by: User, at: datetime) -> None:
    asked = Query.objects.filter(administration=form, field=key, rule=RULE)
    for query in asked.exclude(state=Query.State.CLOSED):
        review.close(query=query, text=reason, by=by, at=at)
