"""Decisions about marks and attendance: values in, value out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Protocol
from uuid import UUID

from trial.attendance.models import Mark
from trial.protocol.spec import Adherence

Status = Mark.Status

PRESENT = frozenset({Status.FULL, Status.PART})
"""Statuses of somebody who came to a session of their own group."""

MEMBER_STATUSES = tuple(status for status in Status if status != Status.OTHER_ARM)


# -- marks


@dataclass(frozen=True)
class Value:
    """What one mark says about one person at one session."""

    status: str
    minutes: int | None = None
    companion: bool = False
    absence_reason: str = ""


class Place(StrEnum):
    """What becomes of a new mark beside those that are there."""

    NEXT = "next"
    CONFLICT = "conflict"


def place(chain: Sequence[tuple[UUID, Value]], replaces: UUID | None, value: Value, *, finished: bool) -> Place:
    """Where a new mark goes: on top of the chain, or aside for the coordinator (ux.md 4.2).

    It goes on top when it says what the current mark says, or when nothing has changed since the mark it replaces.
    Everything else contradicts: a different value meanwhile, or a change of a finished register without a reason.

    Args:
        chain: keys and values of the marks so far, oldest first.
        replaces: key of the mark that the person saw, None where they saw none.
        finished: the register is finished and nobody gave a reason for the change (BR-63).
    """
    if not chain or value == chain[-1][1]:
        return Place.NEXT
    if finished:
        return Place.CONFLICT
    keys = [key for key, _ in chain]
    if replaces not in keys:
        return Place.CONFLICT
    seen = keys.index(replaces)
    return Place.NEXT if all(later == chain[seen][1] for _, later in chain[seen + 1 :]) else Place.CONFLICT


class Timed(Protocol):
    """What these rules need to know of a session."""

    starts_at: datetime
    ends_at: datetime


def length_min(session: Timed) -> int:
    """How long a session lasts, in minutes."""
    return int((session.ends_at - session.starts_at).total_seconds()) // 60


def due_at(ends_at: datetime, due_hours: int) -> datetime:
    """When a session's register is due (BR-42)."""
    return ends_at + timedelta(hours=due_hours)


def is_late(received_at: datetime, ends_at: datetime, due_hours: int) -> bool:
    """Whether an entry comes after the register was due (BR-42)."""
    return received_at > due_at(ends_at, due_hours)


def absences_in_a_row(statuses: Sequence[str]) -> list[int]:
    """For each session in order, how many absences without contact end there (BR-44).

    Args:
        statuses: current status at each session that has one, oldest first; cancelled sessions left out.
    """
    rows: list[int] = []
    for status in statuses:
        rows.append((rows[-1] if rows else 0) + 1 if status == Status.ABSENT else 0)
    return rows


# -- what counts as attended


@dataclass(frozen=True)
class Offered:
    """One session that was delivered while the person was a member, and what the register says of them."""

    status: str
    minutes: int | None
    duration_min: int


@dataclass(frozen=True)
class Attendance:
    """How one person attended. A never-starter has `n_attended` 0 and stays in every denominator (BR-47)."""

    n_offered: int
    n_attended: int

    @property
    def share(self) -> Fraction | None:
        """Attended of offered, exact; None when nothing was offered."""
        return Fraction(self.n_attended, self.n_offered) if self.n_offered else None

    @property
    def initiated(self) -> bool:
        """At least one session attended."""
        return self.n_attended > 0


def attended(session: Offered, attended_from: Fraction) -> bool:
    """Whether a session counts as attended: in full, or for at least the protocol's share of its time (BR-46)."""
    if session.status == Status.PART and session.minutes is not None:
        return Fraction(session.minutes, session.duration_min) >= attended_from
    return session.status == Status.FULL


def attendance(sessions: Iterable[Offered], rule: Adherence) -> Attendance:
    """One person's attendance over the sessions offered."""
    held = list(sessions)
    return Attendance(len(held), sum(attended(session, Fraction(rule.attended_from)) for session in held))


def is_adherent(person: Attendance, rule: Adherence) -> bool:
    """The primary definition: at least the protocol's number of sessions attended (BR-46)."""
    return person.n_attended >= rule.min_sessions


def is_adherent_by_share(person: Attendance, rule: Adherence) -> bool:
    """The sensitivity definition: attended of offered; nothing offered is not adherent (BR-46, F7)."""
    return person.share is not None and person.share >= Fraction(rule.sensitivity_from)


@dataclass(frozen=True)
class Totals:
    """Attendance of a set of people. Everybody randomised is in `n_people`, never-starters too (BR-47)."""

    n_people: int
    n_offered: int
    n_attended: int
    n_adherent: int
    n_adherent_by_share: int
    n_initiated: int


def totals(people: Iterable[Attendance], rule: Adherence) -> Totals:
    """Sums over people, for the estimates of F7."""
    everybody = list(people)
    return Totals(
        n_people=len(everybody),
        n_offered=sum(person.n_offered for person in everybody),
        n_attended=sum(person.n_attended for person in everybody),
        n_adherent=sum(is_adherent(person, rule) for person in everybody),
        n_adherent_by_share=sum(is_adherent_by_share(person, rule) for person in everybody),
        n_initiated=sum(person.initiated for person in everybody),
    )
