"""Values of the audit trail as a reader expects them: answers with their words, dates, yes and no, lists."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import instruments
from trial.assessments.models import MissingCode
from trial.assessments.wording import Wording, is_withheld
from trial.base.words import short_date, short_date_and_time
from trial.journey.history import Row
from trial.safety.models import AdverseEvent


def sealed_label(label: str) -> str:
    return label.removesuffix("sealed").strip() or "the contact details"


def definition_of(row: Row) -> instruments.Instrument | None:
    try:
        return instruments.get(str(row.values["instrument"]), str(row.values["instrument_version"]))
    except instruments.UnknownInstrument:
        return None


def said_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """Answers, with the reason in place of an answer that is missing."""
    return {**(values.get("missing") or {}), **(values.get("answers") or {})}


def item_label(definition: instruments.Instrument | None, code: str) -> str:
    """ "item 3"."""
    item = definition.items_by_code.get(code) if definition else None
    return f"item {item.number}" if item else code


def answer_words(definition: instruments.Instrument | None, code: str, value: Any) -> str:
    """ "Several days (1)", "Prefer not to answer", or the number alone where wording is withheld."""
    if value is None:
        return ""
    if isinstance(value, str) and value in MissingCode.values:
        return str(MissingCode(value).label)
    item = definition.items_by_code.get(code) if definition else None
    if definition is None or item is None or not isinstance(value, int):
        return str(value)
    # The history is downloaded too, so a wording that the study uploaded stays out of it.
    label = Wording(definition, is_withheld(definition), "").label(item, value)
    return label if label == str(value) else f"{label} ({value})"


def inner(value: Any) -> str:
    """A value inside a document: yes or no, or an answer with its evidence."""
    if isinstance(value, dict):
        answer, evidence = str(value.get("answer", "")).capitalize(), value.get("evidence")
        if value.get("sealed"):
            evidence = "evidence sealed"
        return f"{answer} ({evidence})" if evidence else answer
    return plain(value)


def listed(value: Any) -> str:
    """A list of codes in words: the criteria of seriousness; the length of a list of longer things."""
    if not isinstance(value, list):
        return plain(value)
    if any(isinstance(one, dict | list) for one in value):
        return f"{len(value)} parts"
    labels = {one.value: str(one.label) for one in AdverseEvent.Serious}
    return ", ".join(labels.get(one, plain(one)) for one in value)


def plain(value: Any) -> str:
    """A value as a reader expects it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return short_date_and_time(value)
    if isinstance(value, date):
        return short_date(value)
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value)
    return str(value)


def number(value: Any) -> str:
    if value is None:
        return "none"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
