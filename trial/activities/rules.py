"""Decisions about groups, members and sessions: values in, value out."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

from django.utils import timezone

from trial.participation.models import Element
from trial.participation.rules import Change, takes_part
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import Arm, ProtocolSpec

_PREFIX_FROM = 4
"""Words of an arm this long also count where a longer word starts with them: "indoors" tells "indoor"."""


class Dated(Protocol):
    """What these rules need to know of a membership: first and last day, both included."""

    from_date: date
    to_date: date | None


@dataclass(frozen=True)
class Meeting:
    """Number, start and end (UTC) of one planned session."""

    number: int
    starts_at: datetime
    ends_at: datetime


def session_times(day: date, start: time, duration_min: int) -> tuple[datetime, datetime]:
    """Start and end (UTC) of a session that starts at `start` by the clock in the study's time zone."""
    starts_at = datetime.combine(day, start, tzinfo=timezone.get_current_timezone()).astimezone(UTC)
    return starts_at, starts_at + timedelta(minutes=duration_min)


def plan(spec: ProtocolSpec, start_date: date, start: time) -> list[Meeting]:
    """The sessions of a group that starts on a day, as the protocol plans them.

    A date that is a bank holiday is kept, for the coordinator to move: the number of weeks is the protocol's.
    """
    days = protocol_rules.planned_sessions(spec, start_date)
    length = spec.session_plan.duration_min
    return [Meeting(number, *session_times(day, start, length)) for number, day in enumerate(days, start=1)]


def on_bank_holidays(spec: ProtocolSpec, days: Iterable[date]) -> list[date]:
    """Those of the days on which the team does not work."""
    return [day for day in days if day in spec.calendar.bank_holidays]


def telling_words(arms: Collection[Arm]) -> frozenset[str]:
    """Words, in small letters, that tell one arm from another: those not in every arm's label and code."""
    by_arm = [frozenset(_words(f"{arm.label} {arm.code}")) for arm in arms]
    return frozenset[str]().union(*by_arm) - by_arm[0].intersection(*by_arm)


def word_that_tells(name: str, arms: Collection[Arm]) -> str:
    """The first word of a group's name that would tell its arm; empty when none does (BR-26)."""
    telling = telling_words(arms)
    for word in _words(name):
        if any(word == one or (len(one) >= _PREFIX_FROM and word.startswith(one)) for one in telling):
            return word
    return ""


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def includes(membership: Dated, day: date) -> bool:
    """Whether a day lies within a membership, both ends counted (BR-41)."""
    return membership.from_date <= day and (membership.to_date is None or day <= membership.to_date)


def is_expected(membership: Dated, changes: Iterable[Change], day: date) -> bool:
    """Whether a member is expected at a session on a day: a member then, and still taking part in the activity."""
    return includes(membership, day) and takes_part(changes, Element.ACTIVITY, day)


def days_late(spec: ProtocolSpec, randomised_on: date, first_session: date) -> int:
    """Days by which a first session misses the protocol's limit after randomisation; 0 when it does not (BR-49)."""
    return max((first_session - protocol_rules.first_session_deadline(spec, randomised_on)).days, 0)
