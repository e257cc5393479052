"""Moving a protocol's calendar by whole weeks, as the demonstration does."""

import re
from datetime import date, timedelta
from typing import Any

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def shift_weeks(data: dict[str, Any], weeks: int) -> dict[str, Any]:
    """A copy of a protocol file's data with every date moved by whole weeks, later or (negative) earlier.

    Weekdays and intervals stay. Bank holidays stay where they are: they belong to the calendar of the
    nation, not to the study.
    """
    moved = {key: _moved(value, timedelta(weeks=weeks)) for key, value in data.items() if key != "calendar"}
    return {key: moved.get(key, value) for key, value in data.items()}


def _moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {key: _moved(inner, by) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, by) for inner in value]
    if isinstance(value, str) and DAY.fullmatch(value):
        return (date.fromisoformat(value) + by).isoformat()
    return value
