"""Working days and working hours of a protocol's calendar, in local time (Europe/London)."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from trial.protocol.spec import ProtocolSpec

LONDON = ZoneInfo("Europe/London")
SATURDAY = 5


def is_working_day(spec: ProtocolSpec, day: date) -> bool:
    """Monday to Friday and no bank holiday."""
    return day.weekday() < SATURDAY and day not in spec.calendar.bank_holidays


def add_working_days(spec: ProtocolSpec, day: date, n_days: int) -> date:
    """The working day `n_days` after a day; with 0 the day itself, or the next working day.

    From a day off the count starts at the next working day, so that Saturday + 1 is Tuesday.
    """
    day = _next_working_day(spec, day)
    for _ in range(n_days):
        day = _next_working_day(spec, day + timedelta(days=1))
    return day


def working_days_between(spec: ProtocolSpec, start: date, end: date) -> int:
    """Working days after `start` up to and including `end`; 0 when `end` is not later."""
    return sum(is_working_day(spec, start + timedelta(days=n)) for n in range(1, (end - start).days + 1))


def add_working_hours(spec: ProtocolSpec, moment: datetime, n_hours: int) -> datetime:
    """The moment at which `n_hours` working hours have passed since a moment (both with a time zone).

    Hours count on local clocks, so a working day has the same length on the days when the clocks change.
    """
    left = timedelta(hours=n_hours)
    local = _inside_working_hours(spec, moment.astimezone(LONDON).replace(tzinfo=None))
    while (rest := datetime.combine(local, spec.calendar.day_ends) - local) < left:
        left -= rest
        local = _start_of(spec, local.date() + timedelta(days=1))
    return (local + left).replace(tzinfo=LONDON)


def first_contact_due(spec: ProtocolSpec, raised_at: datetime) -> datetime:
    """When the first contact attempt after a risk alert is due: the end of the working day (BR-51).

    An alert raised outside working hours counts from the next working day.
    """
    local = _inside_working_hours(spec, raised_at.astimezone(LONDON).replace(tzinfo=None))
    day = add_working_days(spec, local.date(), spec.risk_alerts.first_contact_working_days)
    return datetime.combine(day, spec.calendar.day_ends, LONDON)


def escalation_due(spec: ProtocolSpec, raised_at: datetime) -> datetime:
    """When an unacknowledged risk alert goes to the chief investigator (BR-51)."""
    return add_working_hours(spec, raised_at, spec.risk_alerts.escalate_after_working_hours)


def _next_working_day(spec: ProtocolSpec, day: date) -> date:
    while not is_working_day(spec, day):
        day += timedelta(days=1)
    return day


def _start_of(spec: ProtocolSpec, day: date) -> datetime:
    return datetime.combine(_next_working_day(spec, day), spec.calendar.day_starts)


def _inside_working_hours(spec: ProtocolSpec, local: datetime) -> datetime:
    """The moment itself, or the start of the working day that follows it (local wall time, no zone)."""
    if is_working_day(spec, local.date()) and local.time() < spec.calendar.day_ends:
        return max(local, datetime.combine(local, spec.calendar.day_starts))
    return _start_of(spec, local.date() + timedelta(days=1))
