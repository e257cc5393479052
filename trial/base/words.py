"""How dates, times and numbers are written, on pages, in messages and on paper (ux.md section 5)."""

from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def local_day(moment: date | datetime) -> date:
    """The calendar day in the study's time zone. A naive date is already one."""
    if isinstance(moment, datetime):
        return timezone.localtime(moment).date() if timezone.is_aware(moment) else moment.date()
    return moment


def long_date(moment: date | datetime) -> str:
    """ "22 November 2026"."""
    day = local_day(moment)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def short_date(moment: date | datetime) -> str:
    """ "22 Nov 2026", for tables."""
    day = local_day(moment)
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def day_and_month(moment: date | datetime) -> str:
    """ "22 Nov", where the year is said once for the whole table."""
    day = local_day(moment)
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def clock_time(moment: time | datetime) -> str:
    """ "2:30pm", "9am", "12pm"."""
    clock = timezone.localtime(moment) if isinstance(moment, datetime) and timezone.is_aware(moment) else moment
    hour = clock.hour % 12 or 12
    minutes = f":{clock.minute:02d}" if clock.minute else ""
    return f"{hour}{minutes}{'am' if clock.hour < 12 else 'pm'}"


def date_and_time(moment: datetime) -> str:
    """ "22 November 2026 at 2:30pm"."""
    return f"{long_date(moment)} at {clock_time(moment)}"


def short_date_and_time(moment: datetime) -> str:
    """ "22 Nov 2026, 2:30pm", for tables and the timeline."""
    return f"{short_date(moment)}, {clock_time(moment)}"


def in_groups(text: str) -> str:
    """Groups that can be read aloud: an NHS number as 3 3 4, anything longer in fours."""
    plain = "".join(text.split())
    if len(plain) == 10 and plain.isdigit():
        return f"{plain[:3]} {plain[3:6]} {plain[6:]}"
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def lower_first(text: str) -> str:
    """ "date of consent" for "Date of consent", but "GP practice" as it is."""
    return text if text[:2].isalpha() and text[:2].isupper() else text[:1].lower() + text[1:]


def percent(share: float | Decimal, places: int = 1) -> str:
    """ "75.4%" for 0.754. Halves are rounded up, as people do it."""
    rounded = (Decimal(str(share)) * 100).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{rounded}%"
