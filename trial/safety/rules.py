"""Clocks of alerts and adverse events, and what makes an event serious, related or due for the REC (BR-50 to BR-58)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trial.protocol import working_time
from trial.protocol.spec import ProtocolSpec
from trial.protocol.working_time import LONDON

URGENT, REVIEW = "urgent", "review"
RELATEDNESS = ("unrelated", "unlikely", "possible", "probable", "definite")
"""From least to most; from `possible` on an event is related (BR-54)."""
REC_DAYS = 15
"""Days within which a related and unexpected serious event goes to the REC (BR-53)."""


@dataclass(frozen=True)
class AlertClock:
    """When something must happen about an alert (BR-51). Both moments are aware.

    Attributes:
        contact_due: the first attempt to reach the person.
        escalates_at: an alert that nobody has acknowledged by then goes to the chief investigator; None for a
            review, which does not escalate.
    """

    contact_due: datetime
    escalates_at: datetime | None


def alert_clock(spec: ProtocolSpec, severity: str, raised_at: datetime) -> AlertClock:
    """The clock of an alert that was raised, or escalated, at a moment.

    An urgent alert is acted on the same working day; a review by the end of the next one.
    """
    if severity == URGENT:
        return AlertClock(working_time.first_contact_due(spec, raised_at), working_time.escalation_due(spec, raised_at))
    day = working_time.add_working_days(spec, raised_at.astimezone(LONDON).date(), 1)
    return AlertClock(datetime.combine(day, spec.calendar.day_ends, LONDON), None)


def age_words(since: datetime, now: datetime) -> str:
    """How long ago, in the largest whole unit: "25 minutes", "1 hour", "3 days"."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            n = minutes // size
            return f"{n} {unit}{'' if n == 1 else 's'}"
    return "less than a minute"


def worst(severities: Iterable[str]) -> str:
    """Urgent as soon as one of them is."""
    return URGENT if URGENT in set(severities) else REVIEW


def is_related(*judgements: str) -> bool:
    """Possible, probable or definite, to the activity or to trial procedures (BR-54)."""
    return any(RELATEDNESS.index(one) >= RELATEDNESS.index("possible") for one in judgements)


def is_lower(judgement: str, than: str) -> bool:
    """Whether a judgement of relatedness is below another; a reviewer's never is (BR-58)."""
    return RELATEDNESS.index(judgement) < RELATEDNESS.index(than)


def is_expected(spec: ProtocolSpec, category: str) -> bool:
    """Whether the list of the version in force at onset names the event as foreseeable (BR-54)."""
    return any(one.code == category for one in spec.expected_events.events)


def goes_to_rec(*, seriousness: Collection[str], is_related: bool, is_expected: bool) -> bool:
    """Serious, related and unexpected: reported to the research ethics committee (BR-53)."""
    return bool(seriousness) and is_related and not is_expected


def sponsor_due(aware_date: date) -> date:
    """Last day on which a serious event may reach the sponsor: within 24 hours of awareness (BR-53)."""
    return aware_date + timedelta(days=1)


def rec_due(aware_date: date) -> date:
    """Last day for the report to the REC, counted from the day on which the team became aware (BR-53)."""
    return aware_date + timedelta(days=REC_DAYS)
