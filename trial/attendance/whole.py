"""Whole registers at once: everyone here, and one that was kept on paper."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from trial.access.models import User
from trial.activities import reads as activity_reads
from trial.activities.models import Session
from trial.attendance.actions import MarkResult, mark
from trial.attendance.models import Mark


@transaction.atomic
def mark_everyone(*, key: UUID, session: Session, by: User, at: datetime) -> list[MarkResult]:
    """Mark everybody Here who is expected and has no mark yet. Sent again with its key, it changes nothing."""
    marked = set(Mark.objects.current().filter(session=session).values_list("participant_id", flat=True))
    return [
        mark(
            key=uuid5(key, str(member.participant_id)),
            session=session,
            participant=member.participant,
            status=Mark.Status.FULL,
            by=by,
            captured_at=at,
            at=at,
        )
        for member in activity_reads.expected_members(session)
        if member.participant_id not in marked
    ]


@transaction.atomic
def mark_from_paper(
    *,
    key: UUID,
    session: Session,
    statuses: Mapping[int, str],
    paper_by: str,
    captured_at: datetime,
    by: User,
    at: datetime,
) -> list[MarkResult]:
    """Enter a register kept on paper: a status for each participant id, with who recorded it and when.

    People who got a mark meanwhile and say otherwise on paper become contradictions for the coordinator.
    """
    return [
        mark(
            key=uuid5(key, str(member.participant_id)),
            session=session,
            participant=member.participant,
            status=statuses[member.participant_id],
            by=by,
            captured_at=captured_at,
            at=at,
            paper_by=paper_by,
        )
        for member in activity_reads.expected_members(session)
        if member.participant_id in statuses
    ]
