"""When an answer is due, when time runs out, and where a breach's clock stands: values in, value out."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta

BREACH_HOURS = 72
"""From becoming aware to telling the Information Commissioner's Office (UK GDPR, article 33)."""
BREACH_WARNING_HOURS = 24
"""So long before the end of the 72 hours somebody is warned."""


def months_after(day: date, months: int) -> date:
    """The same day some calendar months later; the last day of a month that is too short.

    Received on 31 January, an answer is due on 28 February (ICO guidance on the right of access).
    """
    index = day.month - 1 + months
    year, month = day.year + index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def due_date(received: date, *, is_extended: bool = False) -> date:
    """One month after a request came; two further months where it was extended (UK GDPR, article 12(3))."""
    return months_after(received, 3 if is_extended else 1)


@dataclass(frozen=True)
class Clock:
    """Where the 72 hours of a breach stand at a moment."""

    ends_at: datetime
    left: timedelta

    @property
    def is_over(self) -> bool:
        """Whether the time has run out."""
        return self.left <= timedelta(0)

    @property
    def words(self) -> str:
        """ "31 h 20 min left", "over since 2 h 5 min"."""
        minutes = int(abs(self.left).total_seconds() // 60)
        span = f"{minutes // 60} h {minutes % 60} min"
        return f"over since {span}" if self.is_over else f"{span} left"


def breach_clock(discovered_at: datetime, now: datetime) -> Clock:
    """The clock of a breach: it runs by hours, also on days off."""
    ends_at = discovered_at + timedelta(hours=BREACH_HOURS)
    return Clock(ends_at, ends_at - now)


def warns_at(discovered_at: datetime) -> datetime:
    """From when a breach that nobody has decided on is warned of."""
    return discovered_at + timedelta(hours=BREACH_HOURS - BREACH_WARNING_HOURS)


@dataclass(frozen=True)
class Retention:
    """Until when data are kept; None while the end of the study is not known."""

    identity_until: date | None
    research_until: date | None


def retention(ended: date | None, *, identity_months: int, research_months: int) -> Retention:
    """Identity and research data have ends of their own, counted from the end of the study (R-36)."""
    if ended is None:
        return Retention(None, None)
    return Retention(months_after(ended, identity_months), months_after(ended, research_months))
