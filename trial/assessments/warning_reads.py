"""Warnings of soft checks on one form, as a reader of the form sees them (R-10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from trial.assessments.entry import value_words
from trial.assessments.models import Administration, CheckWarning
from trial.assessments.places import Place
from trial.base.words import short_date, short_date_and_time

SAID = {
    CheckWarning.Outcome.RAISED: "Warned",
    CheckWarning.Outcome.KEPT: "Kept",
    CheckWarning.Outcome.CHANGED: "Changed",
}


@dataclass(frozen=True)
class WarningRow:
    """One thing that happened to one warning: when, what was warned of, the answers before it and after it."""

    at: str
    message: str
    before: str
    after: str
    outcome: str
    who: str


def warning_rows(place: Place, stored: Administration) -> list[WarningRow]:
    """Every warning of the form, oldest first."""
    found = CheckWarning.objects.filter(form=stored).select_related("by").order_by("pk")
    return [
        WarningRow(
            at=short_date_and_time(one.at),
            message=one.message,
            before=_words(place, one.before),
            after=_words(place, one.after) if one.after is not None else "",
            outcome=_outcome(one),
            who=one.by.name if one.by else "The participant",
        )
        for one in found
    ]


def _outcome(one: CheckWarning) -> str:
    said = SAID[CheckWarning.Outcome(one.outcome)]
    return f"{said}: {one.reason}" if one.reason else said


def _words(place: Place, values: Mapping[str, Any]) -> str:
    """ "Question 10: 3. Question 13: No answer": one part for each answer that the check compared, in paper order."""
    order = {code: number for number, code in enumerate(place.definition.items_by_code)}
    keys = sorted(values, key=lambda key: (order.get(key, len(order)), key))
    return ". ".join(f"{_name(place, key)}: {_value(place, key, values[key])}" for key in keys)


def _name(place: Place, key: str) -> str:
    item, score = place.definition.items_by_code.get(key), place.definition.scores_by_code.get(key)
    if item or score:
        return f"Question {item.number}" if item else str(score and score.label)
    return key.replace("_", " ").capitalize()


def _value(place: Place, key: str, value: Any) -> str:
    if key in place.definition.items_by_code:
        return value_words(place, key, value)
    if value is None:
        return "Not known"
    try:
        return short_date(date.fromisoformat(value))
    except (TypeError, ValueError):
        return str(value)
