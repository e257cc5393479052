"""Where an answer stands against its visit's window, and what becomes of a visit (BR-30, BR-31): values in, value out.

The window itself is `trial.protocol.rules.window`. Days are calendar days in Europe/London: day 0 is the local date of
randomisation, day n that date + n, and both ends of a window belong to it, whatever the clocks did in between.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from trial.protocol.working_time import LONDON


class WindowStatus(StrEnum):
    """Before, inside or after a visit's window."""

    EARLY = "EARLY"
    IN_WINDOW = "IN_WINDOW"
    LATE = "LATE"


class VisitStatus(StrEnum):
    """What became of a visit; the codes of `trial.base.statuses.VISIT`. Worked out, never set by hand."""

    NOT_DUE = "not_due"
    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"
    DONE_EARLY = "done_early"
    DONE_LATE = "done_late"
    MISSED = "missed"
    NOT_EXPECTED = "not_expected"


DONE = frozenset({VisitStatus.DONE, VisitStatus.DONE_EARLY, VisitStatus.DONE_LATE})


@dataclass(frozen=True)
class Placement:
    """One day against one window.

    Attributes:
        day: days after randomisation, negative before it.
        offset: days after the target day, negative before it.
        opens, closes: first and last day of the window.
    """

    day: int
    offset: int
    opens: date
    closes: date
    status: WindowStatus


def local_date(moment: datetime) -> date:
    """The calendar day of an aware moment in Europe/London: day 0, when it is that of randomisation (BR-30)."""
    return moment.astimezone(LONDON).date()


def window_status(on: date, opens: date, closes: date) -> WindowStatus:
    """Place a day against a window, both ends included (BR-30)."""
    if on < opens:
        return WindowStatus.EARLY
    return WindowStatus.LATE if on > closes else WindowStatus.IN_WINDOW


def place(*, on: date, day0: date, target_day: int, days_before: int, days_after: int) -> Placement:
    """Place a day against the window of a visit that is due `target_day` days after `day0` (BR-30)."""
    target = day0 + timedelta(days=target_day)
    opens, closes = target - timedelta(days=days_before), target + timedelta(days=days_after)
    return Placement((on - day0).days, (on - target).days, opens, closes, window_status(on, opens, closes))


def window_case(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one `visit_window` case of feasibility_vectors.json: its `input` in, its `expected` out."""
    found = place(
        on=date.fromisoformat(given["completed"]),
        day0=date.fromisoformat(given["randomised"]),
        target_day=given["target_day"],
        days_before=given["before"],
        days_after=given["after"],
    )
    return {
        "day": found.day,
        "offset": found.offset,
        "window_opens": found.opens.isoformat(),
        "window_closes": found.closes.isoformat(),
        "status": found.status.value,
    }


def visit_status(
    *,
    today: date,
    opens: date,
    closes: date | None,
    missed_from: date | None,
    answered_on: Collection[date],
    is_complete: bool,
    is_expected: bool = True,
) -> VisitStatus:
    """What became of a visit by `today`.

    Args:
        closes: None while day 0 is not known: then the visit stays open.
        missed_from: the day on which the next visit's window opens; what is answered from then on is kept and
            flagged, but no longer makes this visit done (BR-31). None for the last visit.
        answered_on: days on which its forms were answered.
        is_complete: every expected form is complete, or recorded as not done.
        is_expected: the person still takes part in questionnaires.
    """
    in_time = [day for day in answered_on if missed_from is None or day < missed_from]
    is_over = is_complete or not is_expected or (missed_from is not None and today >= missed_from)
    if is_over and in_time:
        return _done(max(in_time), opens, closes)
    if not is_expected:
        return VisitStatus.NOT_EXPECTED
    if is_over:
        return VisitStatus.MISSED
    if today < opens:
        return VisitStatus.NOT_DUE
    return VisitStatus.OPEN if closes is None or today <= closes else VisitStatus.OVERDUE


def _done(on: date, opens: date, closes: date | None) -> VisitStatus:
    placed = window_status(on, opens, closes or on)
    return {
        WindowStatus.EARLY: VisitStatus.DONE_EARLY,
        WindowStatus.IN_WINDOW: VisitStatus.DONE,
        WindowStatus.LATE: VisitStatus.DONE_LATE,
    }[placed]
