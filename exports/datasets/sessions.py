"""sessions: one row for each session offered to a person, with attendance. All of it reveals allocation."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F, Q

from exports.datasets.common import (
    SUBJID,
    YES_NO,
    TableSource,
    code,
    coding,
    day,
    days_between,
    days_since_randomisation,
    flag,
    identifier,
    integer,
    iso,
    local_day,
    text_codes,
    yes_no,
)
from exports.datasets.definition import Definition
from exports.datasets.snapshot import Person, Snapshot
from exports.model import Level, Row, Source, Table, Value, Variable
from trial.activities.models import Membership, Session
from trial.attendance.models import Mark

STATUS = coding(
    "session_status", (1, "planned", "Planned"), (2, "delivered", "Delivered"), (3, "cancelled", "Cancelled")
)
CANCELLED = coding(
    "cancel_reason",
    (1, "weather", "Weather"),
    (2, "leader_absent", "Leader absent"),
    (3, "venue", "Venue not available"),
    (4, "low_numbers", "Too few people"),
    (5, "other", "Another reason"),
)
ATTENDANCE = coding(
    "attendance",
    (1, "full", "Here"),
    (2, "part", "Here for part"),
    (3, "absent_told", "Absent, told us"),
    (4, "absent", "Absent"),
    (5, "excused", "Excused"),
    (6, "not_started", "Not yet started"),
    (7, "left", "No longer attending"),
    (8, "other_arm", "Visitor from another group"),
)


class Record(NamedTuple):
    """One session with one person's current mark, if there is one."""

    session: int
    group: int
    wave: int
    number: int
    venue: int
    leader: int
    leader_present: int | None
    starts_at: datetime
    duration_min: int
    status: str
    cancel_reason: str


class MarkRecord(NamedTuple):
    """The current mark of one person at one session."""

    participant: int
    session: int
    status: str
    minutes: int | None
    companion: bool
    absence_reason: str
    is_late: bool


SESSION_COLUMNS = (
    "pk",
    "group_id",
    "group__wave",
    "number",
    "group__venue_id",
    "group__leader_id",
    "leader_present_id",
    "starts_at",
    "group__duration_min",
    "status",
    "cancel_reason",
)
MARK_COLUMNS = ("participant_id", "session_id", "status", "minutes", "companion", "absence_reason", "is_late")


def source(definition: Definition) -> TableSource:
    """The table."""
    table = Table(
        name="sessions",
        label="Sessions offered, with attendance",
        row="a session offered to a person, or attended as a visitor",
        key=("subjid", "session_no"),
        variables=tuple(_variables()),
        delivery=True,
    )
    absences = text_codes(
        "absence_reason", ((one.code, one.label) for spec in definition.specs.values() for one in spec.reasons.absence)
    )
    lists = (YES_NO, STATUS.codelist, CANCELLED.codelist, ATTENDANCE.codelist, absences)
    return TableSource(table, _rows, lists)


def _variables() -> Iterator[Variable]:
    reveals: dict[str, Any] = {"reveals_allocation": True}
    yield SUBJID
    yield integer(
        "session_no", "SESSNO", "Number of the session within the person", level=Level.ORDINAL, min=1, **reveals
    )
    yield identifier("activity_group", "GROUPID", "Activity group, by a stable code", **reveals)
    yield integer("wave", "WAVE", "Wave of the group", level=Level.ORDINAL, **reveals)
    yield integer(
        "group_session_no", "GRPSESS", "Number of the session within the group", level=Level.ORDINAL, **reveals
    )
    yield identifier("venue", "VENUEID", "Venue, by a stable code", **reveals)
    yield identifier("leader", "LEADERID", "Leader of the group, by a stable code", **reveals)
    yield identifier(
        "leader_present", "LEADPRES", "Activity leader who was there, by a stable code",
        short_label="Leader who was there", **reveals,
    )  # fmt: skip
    yield day("session_date", "SESSDT", "Day of the session", **reveals)
    yield days_since_randomisation("session_date", **reveals)
    yield integer("duration_min", "DURMIN", "Planned duration", unit="minutes", **reveals)
    yield code("session_status", "SESSST", "What became of the session", STATUS.codelist.name, **reveals)
    yield code("cancel_reason", "CANCREAS", "Why it was cancelled", CANCELLED.codelist.name, **reveals)
    yield code("attendance", "ATTEND", "Attendance", ATTENDANCE.codelist.name, **reveals)
    yield integer("minutes", "MINUTES", "Minutes attended, where only part was", unit="minutes", min=0, **reveals)
    yield yes_no("companion", "COMPAN", "Somebody came along", **reveals)
    yield code("absence_reason", "ABSREAS", "Why the person was absent", "absence_reason", **reveals)
    yield yes_no("late_mark", "LATEMARK", "Marked more than 48 hours after the end", source=Source.SYSTEM, **reveals)


def _rows(snapshot: Snapshot) -> Iterator[Row]:
    for ids, people in snapshot.batches():
        marks = _marks(snapshot, ids)
        offered = _offered(snapshot, ids)
        sessions = _sessions(snapshot, {s for found in offered.values() for s in found} | {s for _, s in marks})
        for (participant, session), _ in marks.items():
            offered.setdefault(participant, set()).add(session)
        for person in people:
            held = [sessions[pk] for pk in offered.get(person.pk, ()) if pk in sessions]
            in_order = sorted(held, key=lambda record: (record.starts_at, record.session))
            for number, record in enumerate(in_order, start=1):
                yield _row(person, number, record, marks.get((person.pk, record.session)))


def _offered(snapshot: Snapshot, ids: list[int]) -> dict[int, set[int]]:
    """Sessions of the groups of each person, while the person was a member (BR-46)."""
    rows = Membership.objects.using(snapshot.using).filter(
        Q(to_date__isnull=True) | Q(group__sessions__starts_at__date__lte=F("to_date")),
        participant__in=ids,
        group__sessions__starts_at__date__gte=F("from_date"),
        group__sessions__starts_at__date__lte=snapshot.through,
    )
    found: dict[int, set[int]] = {}
    for participant, session in rows.values_list("participant_id", "group__sessions"):
        found.setdefault(participant, set()).add(session)
    return found


def _sessions(snapshot: Snapshot, ids: set[int]) -> dict[int, Record]:
    rows = Session.objects.using(snapshot.using).filter(pk__in=ids, starts_at__date__lte=snapshot.through)
    return {row[0]: Record(*row) for row in rows.values_list(*SESSION_COLUMNS)}


def _marks(snapshot: Snapshot, ids: list[int]) -> dict[tuple[int, int], MarkRecord]:
    rows = Mark.objects.using(snapshot.using).filter(participant__in=ids).current()
    return {(row[0], row[1]): MarkRecord(*row) for row in rows.values_list(*MARK_COLUMNS)}


def _row(person: Person, number: int, record: Record, mark: MarkRecord | None) -> list[Value]:
    on = local_day(record.starts_at)
    return [
        person.study_id,
        number,
        f"G{record.group:04d}",
        record.wave,
        record.number,
        f"V{record.venue:04d}",
        f"L{record.leader:04d}",
        f"L{record.leader_present:04d}" if record.leader_present else None,
        iso(on),
        days_between(person.randomised, on),
        record.duration_min,
        STATUS.code(record.status),
        CANCELLED.code(record.cancel_reason),
        ATTENDANCE.code(mark.status) if mark else None,
        mark.minutes if mark else None,
        flag(mark.companion) if mark else None,
        (mark.absence_reason or None) if mark else None,
        flag(mark.is_late) if mark else None,
    ]
