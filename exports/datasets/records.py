"""Records of some people at a time, as plain tuples: no ORM object a row (performance.md)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from django.db.models import Q

from exports.datasets.snapshot import Snapshot
from trial.allocation.exceptions.guesses import exposed
from trial.assessments.actions import INTERVIEWS
from trial.assessments.models import Administration
from trial.participants.models import StatusEvent
from trial.participation.models import ParticipationChange
from trial.schedule.models import Visit


class VisitRecord(NamedTuple):
    """One scheduled time point of one person."""

    participant: int
    pk: int
    version: int
    code: str
    number: int
    target: date | None
    opens: date
    closes: date | None
    missed_reason: str


class FormRecord(NamedTuple):
    """One stored questionnaire."""

    participant: int
    visit: int
    instrument: str
    instrument_version: str
    status: str
    mode: str
    respondent: str
    completed: date | None
    answers: Mapping[str, Any]
    missing: Mapping[str, str]
    scores: Mapping[str, Mapping[str, Any]]
    n_answered: int
    is_exposed: bool

    @property
    def assessor_unblinded(self) -> bool | None:
        """Whether the assessor had learned the arm by that day; None where nobody held an interview (BR-27)."""
        return self.is_exposed if self.mode in INTERVIEWS else None

    @property
    def is_complete(self) -> bool:
        """It was sent."""
        return self.status == Administration.Status.COMPLETE

    @property
    def is_not_done(self) -> bool:
        """It was recorded as not done."""
        return self.status == Administration.Status.NOT_DONE

    @property
    def has_answers(self) -> bool:
        """It was sent, or a draft holds something."""
        return self.is_complete or (not self.is_not_done and bool(self.answers or self.missing))


@dataclass(slots=True)
class ChangeRecord:
    """One participation change."""

    participant: int
    effective_date: date
    elements: dict[str, bool]
    decided_by: str
    cause: str
    reason_code: str
    recorded_at: datetime


class StatusRecord(NamedTuple):
    """The status of one referral on the last day of the data."""

    status: str
    reason: str


R = TypeVar("R", VisitRecord, FormRecord, ChangeRecord)


def grouped(records: Iterable[R]) -> dict[int, list[R]]:
    """Records by participant, in their order."""
    found: dict[int, list[R]] = {}
    for record in records:
        found.setdefault(record.participant, []).append(record)
    return found


def visits(snapshot: Snapshot, ids: Collection[int]) -> dict[int, list[VisitRecord]]:
    """Visits of these people, by number."""
    rows = Visit.objects.using(snapshot.using).filter(participant__in=ids).order_by("participant_id", "number", "pk")
    columns = (
        "participant_id",
        "pk",
        "protocol_version_id",
        "code",
        "number",
        "target_date",
        "opens_date",
        "closes_date",
        "missed_reason",
    )
    return grouped(VisitRecord(*row) for row in rows.values_list(*columns))


def forms(snapshot: Snapshot, ids: Collection[int], instrument: str = "") -> dict[int, list[FormRecord]]:
    """Questionnaires of these people answered by the last day of the data; of one instrument, if it is named."""
    rows = Administration.objects.using(snapshot.using).filter(
        Q(completed_date__isnull=True) | Q(completed_date__lte=snapshot.through), participant__in=ids
    )
    if instrument:
        rows = rows.filter(instrument=instrument)
    columns = (
        "participant_id",
        "visit_id",
        "instrument",
        "instrument_version",
        "status",
        "mode",
        "respondent",
        "completed_date",
        "answers",
        "missing",
        "scores",
        "n_answered",
        "is_exposed",
    )
    rows = rows.annotate(is_exposed=exposed())
    return grouped(FormRecord(*row) for row in rows.order_by("participant_id", "pk").values_list(*columns))


def changes(snapshot: Snapshot, ids: Collection[int]) -> dict[int, list[ChangeRecord]]:
    """Participation changes of these people in effect by the last day of the data."""
    rows = ParticipationChange.objects.using(snapshot.using).filter(
        participant__in=ids, effective_date__lte=snapshot.through
    )
    columns = (
        "participant_id",
        "effective_date",
        "elements",
        "decided_by",
        "cause",
        "reason_code",
        "recorded_at",
    )
    return grouped(
        ChangeRecord(*row) for row in rows.order_by("participant_id", "effective_date", "pk").values_list(*columns)
    )


def statuses(snapshot: Snapshot, referrals: Collection[int]) -> dict[int, StatusRecord]:
    """Status of these referrals on the last day of the data, from the events of the journey."""
    rows = StatusEvent.objects.using(snapshot.using).filter(
        referral__in=referrals, effective_date__lte=snapshot.through
    )
    found = {}
    for referral, status, reason in rows.order_by("at", "pk").values_list("referral_id", "to_status", "reason"):
        found[referral] = StatusRecord(status, reason)
    return found
