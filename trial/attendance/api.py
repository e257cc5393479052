"""Marks sent by the phone as JSON: the same action as the buttons, answered key by key (ux.md 4.2)."""

import json
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.activities import reads as activity_reads
from trial.activities.models import Session
from trial.attendance import actions, reads
from trial.attendance.actions import Answer, MarkResult
from trial.attendance.models import Mark
from trial.participants.models import Participant

MOST = 50
"""Marks in one request."""

Status = Literal["full", "part", "absent_told", "absent", "excused", "not_started", "left", "other_arm"]


class SentMark(BaseModel):
    """One mark of the phone's queue. `person` is the id on the card, `user` who made it, `replaces` a key."""

    model_config = ConfigDict(extra="forbid")

    key: UUID
    user: int
    person: int = Field(ge=1, le=2**53)
    status: Status
    minutes: int | None = Field(default=None, ge=1, le=1440)
    companion: bool = False
    absence_reason: str = Field(default="", max_length=40, pattern=r"^[A-Z0-9_]*$")
    replaces: UUID | None = None
    captured_at: AwareDatetime


@requires(Action.TAKE_REGISTER)
@require_POST
def marks(request: StaffRequest, session: int) -> JsonResponse:
    """Store up to 50 marks of one session.

    Takes `{"marks": [SentMark, …]}`; answers `{"results": [{"key", "result", "text", "current"}, …], "received_at"}`
    in the order sent, where `result` is saved, duplicate, conflict or rejected and `current` the key of the mark
    that counts now. A request that is not of this shape is answered 400 and stores nothing.
    """
    found = reads.register_for(request.user, session)
    sent = _read(request)
    if sent is None:
        return JsonResponse({"error": f"Send a list of 1 to {MOST} marks."}, status=400)
    people = _people(found)
    results = [_answer(request, found, people, item) for item in sent]
    return JsonResponse({"results": results, "received_at": timezone.now().isoformat()})


def _read(request: HttpRequest) -> list[Any] | None:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    sent = body.get("marks") if isinstance(body, dict) else None
    return sent if isinstance(sent, list) and 1 <= len(sent) <= MOST else None


def _people(session: Session) -> dict[int, Participant]:
    """Who may be marked: those expected, and visitors already on the register (BR-40)."""
    visitors = Mark.objects.filter(session=session).select_related("participant")
    found = {mark.participant_id: mark.participant for mark in visitors}
    return found | {m.participant_id: m.participant for m in activity_reads.expected_members(session)}


def _answer(
    request: StaffRequest, session: Session, people: dict[int, Participant], item: Any
) -> dict[str, str | None]:
    """One mark stored and answered under its own key."""
    try:
        sent = SentMark.model_validate(item)
    except ValidationError:
        return _said(_key_of(item), MarkResult(Answer.REJECTED, text="This mark cannot be read. Mark again."), None)
    participant = people.get(sent.person)
    if sent.user != request.user.pk:
        refused = MarkResult(Answer.REJECTED, text="Another person made this mark. They must sign in to send it.")
        return _said(str(sent.key), refused, None)
    if participant is None:
        refused = MarkResult(Answer.REJECTED, text="This person is not on the register. Ring the coordinator.")
        return _said(str(sent.key), refused, None)
    result = actions.mark(
        key=sent.key,
        session=session,
        participant=participant,
        status=sent.status,
        minutes=sent.minutes,
        companion=sent.companion,
        absence_reason=sent.absence_reason,
        replaces=sent.replaces,
        by=request.user,
        captured_at=sent.captured_at,
        at=timezone.now(),
    )
    chain = actions.chain_of(session, participant)
    return _said(str(sent.key), result, chain[-1] if chain else None)


def _key_of(item: Any) -> str | None:
    """The key as it was sent, so that the phone can tell which mark cannot be read."""
    key = item.get("key") if isinstance(item, dict) else None
    return key[:36] if isinstance(key, str) else None


def _said(key: str | None, result: MarkResult, current: Mark | None) -> dict[str, str | None]:
    return {
        "key": key,
        "result": result.answer.value,
        "text": result.text,
        "current": str(current.key) if current else None,
    }
