"""Months and times as people type them, and moments in the study's time zone."""

import re
from datetime import UTC, date, datetime, time

from django.utils import timezone

from trial.base.words import MONTHS

_WELSH = (
    "Ionawr",
    "Chwefror",
    "Mawrth",
    "Ebrill",
    "Mai",
    "Mehefin",
    "Gorffennaf",
    "Awst",
    "Medi",
    "Hydref",
    "Tachwedd",
    "Rhagfyr",
)
_CLOCK = re.compile(r"(\d{1,2})(?:[:.]?(\d{2}))?\s*([ap])?\.?m?\.?", re.ASCII | re.IGNORECASE)


def parse_month(text: str) -> int | None:
    """The month in `text` as 1 to 12: 3, 03, Mar, March or mawrth; None where there is none."""
    if text.isascii() and text.isdigit() and len(text) <= 2:
        return int(text) if 1 <= int(text) <= 12 else None
    typed = text.strip(". ").lower()
    if len(typed) < 3:
        return None
    for names in (MONTHS, _WELSH):
        for number, name in enumerate(names, start=1):
            if name.lower().startswith(typed) or typed == "sept" == name[:4].lower():
                return number
    return None


def parse_clock(text: str) -> time | None:
    """The time in `text`: 2:30pm, 2.30pm, 2pm, 14:30, 1430, noon, midnight. None where there is none."""
    typed = text.strip().lower()
    if typed in ("noon", "midday", "midnight"):
        return time(0 if typed == "midnight" else 12)
    match = _CLOCK.fullmatch(typed)
    if match is None or not (match[2] or match[3]) or ("m" in typed and not match[3]):
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def local_moment(day: date, clock: time) -> datetime | None:
    """`clock` on `day` in the study's time zone; None where the clock change skipped it, the first where it repeats."""
    moment = datetime.combine(day, clock, tzinfo=timezone.get_current_timezone())
    there_and_back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return moment if there_and_back.replace(tzinfo=None) == moment.replace(tzinfo=None) else None
