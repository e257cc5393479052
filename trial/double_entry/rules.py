"""Two entries of one form compared: values in, value out (BR-36)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from trial.assessments.rules import COMPLETED_DATE, Difference, differences


@dataclass(frozen=True)
class Comparison:
    """What two entries of one form say. `n_compared` counts the items that either says something about."""

    differences: tuple[Difference, ...]
    n_compared: int
    n_agreed: int


def fields_of(answers: Mapping[str, Any], missing: Mapping[str, Any], completed_date: date | None) -> dict[str, Any]:
    """What both entries say of a form, by key: answers, reasons for none, and the day as ISO 8601."""
    day = {COMPLETED_DATE: completed_date.isoformat()} if completed_date else {}
    return {**missing, **answers, **day}


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> Comparison:
    """Compare what fields_of() gives. The day is compared, and is no item; "left blank" agrees with "left blank"."""
    found = tuple(differences(first, second))
    items = (first.keys() | second.keys()) - {COMPLETED_DATE}
    n_differing = sum(one.key != COMPLETED_DATE for one in found)
    return Comparison(found, len(items), len(items) - n_differing)


def agreement(n_agreed: int, n_compared: int) -> float | None:
    """Items agreeing over items compared; None where nothing was compared."""
    return n_agreed / n_compared if n_compared else None


def choices(one: Mapping[str, Any], codes: Sequence[Any]) -> list[Any]:
    """What may be decided of a difference: the first value, the second, then every other one of `codes`."""
    two = [one["first"], one["second"]]
    return [*two, *(value for value in codes if value not in two)]
