"""Both entries in words, for queries and pages."""

from datetime import date
from typing import Any

from trial.assessments.models import MissingCode
from trial.assessments.rules import COMPLETED_DATE
from trial.assessments.wording import Wording
from trial.base.words import long_date


def label(wording: Wording, key: str) -> str:
    """A question with its number, or the name of the day."""
    item = wording.instrument.items_by_code.get(key)
    return f"{item.number}. {wording.text(item)}" if item else "Completed on"


def said(wording: Wording, key: str, value: Any) -> str:
    """A value of either entry in words: "Several days (1)", "Left blank", "6 July 2026"."""
    if value is None:
        return "No answer"
    if key == COMPLETED_DATE:
        return long_date(date.fromisoformat(value))
    if isinstance(value, str):
        return MissingCode(value).label
    words = wording.label(wording.instrument.items_by_code[key], value)
    return words if words == str(value) else f"{words} ({value})"
