"""Marks in a register, its completion, and decisions between marks that contradict."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import IntegrityError, transaction

from trial.access.models import User
from trial.activities import reads as activity_reads
from trial.activities.models import Session
from trial.attendance import conflicts, overdue, refusals, rules, welfare
from trial.attendance.models import Mark
from trial.attendance.rules import Place, Value
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.deviations.actions import record_deviation
from trial.deviations.models import Deviation
from trial.locking.rules import require_unlocked
from trial.messages import actions as messages
from trial.participants.models import Participant
from trial.protocol.spec import ProtocolSpec
from trial.protocol.versions import version_in_force


class RegisterIncomplete(TrialError):
    """A register is not finished: somebody has no mark, or the risk check is missing (BR-42, BR-43)."""


class NothingToDecide(TrialError):
    """The marks of a person no longer contradict, or changed while the page was open."""


class Answer(StrEnum):
    """What became of a mark that was sent."""

    SAVED = "saved"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True)
class MarkResult:
    """The answer to one mark, with the stored row where there is one, and why in words."""

    answer: Answer
    mark: Mark | None = None
    text: str = ""


@transaction.atomic
def mark(
    *,
    key: UUID,
    session: Session,
    participant: Participant,
    status: str,
    by: User,
    captured_at: datetime,
    at: datetime,
    minutes: int | None = None,
    companion: bool = False,
    absence_reason: str = "",
    replaces: UUID | None = None,
    reason: str = "",
    paper_by: str = "",
) -> MarkResult:
    """Store one mark, once for each key (BR-41, ux.md 4.2). The caller has checked whose register it is.

    A mark that contradicts what was recorded meanwhile is kept aside with a task for the coordinator.

    Args:
        minutes: how long the person was there; with status `part` only.
        absence_reason: a code of the protocol's list of absences; with an absence only.
        replaces: key of the mark that the person saw when making this one.
        captured_at: by the device's clock; kept, never trusted.
        reason: why a finished register changes (BR-63).
        paper_by: who recorded it on paper.
    """
    session = Session.objects.select_for_update(of=("self",)).select_related("group__site").get(pk=session.pk)
    new = Mark(
        key=key,
        session=session,
        participant=participant,
        status=status,
        minutes=minutes,
        companion=companion,
        absence_reason=absence_reason,
        reason=reason,
        marked_by=by,
        captured_at=captured_at,
        received_at=at,
        paper_by=paper_by,
    )
    if stored := Mark.objects.filter(key=key).first():
        return _again(stored, new)
    spec = version_in_force(site=session.group.site, on=local_day(session.starts_at)).spec
    chain = chain_of(session, participant)
    try:
        refusals.check(new, chain=chain, spec=spec, at=at)
    except TrialError as refusal:
        return MarkResult(Answer.REJECTED, text=str(refusal))
    return _store(new, chain, replaces, spec)


def _again(stored: Mark, new: Mark) -> MarkResult:
    """The answer to a key that is stored: the same mark again, or another mark under a used key."""
    same = (stored.session_id, stored.participant_id, stored.marked_by_id, stored.paper_by) == (
        new.session_id,
        new.participant_id,
        new.marked_by_id,
        new.paper_by,
    )
    if same and value_of(stored) == value_of(new):
        return MarkResult(Answer.DUPLICATE, stored)
    return MarkResult(Answer.REJECTED, text="This mark was sent before with something else in it. Mark again.")


def _store(new: Mark, chain: Sequence[Mark], replaces: UUID | None, spec: ProtocolSpec) -> MarkResult:
    finished = is_closed(new.session, new.received_at) and not new.reason.strip()
    where = rules.place([(m.key, value_of(m)) for m in chain], replaces, value_of(new), finished=finished)
    new.is_conflict = where is Place.CONFLICT
    seen = next((m for m in chain if m.key == replaces), None)
    new.replaces = seen if new.is_conflict else (chain[-1] if chain else None)
    new.is_late = rules.is_late(new.received_at, new.session.ends_at, spec.registers.due_hours)
    try:
        new.save()
    except IntegrityError:
        return MarkResult(
            Answer.REJECTED, text="This mark could not be stored. Open the register again and mark again."
        )
    if new.is_conflict:
        conflicts.ask_coordinator(new, chain[-1])
        return MarkResult(Answer.CONFLICT, new, conflicts.in_words(chain[-1], new))
    if new.status == Mark.Status.OTHER_ARM and not any(m.status == new.status for m in chain):
        _record_other_arm(new)
    welfare.review(new, spec.registers.absences_before_welfare_task)
    return MarkResult(Answer.SAVED, new)


def chain_of(session: Session, participant: Participant) -> list[Mark]:
    """The marks of a person at a session that do not contradict, oldest first; the last one is current."""
    marks = Mark.objects.filter(session=session, participant=participant, is_conflict=False)
    return list(marks.select_related("marked_by").order_by("pk"))


def value_of(stored: Mark) -> Value:
    """What a mark says."""
    return Value(stored.status, stored.minutes, stored.companion, stored.absence_reason)


def is_closed(session: Session, at: datetime) -> bool:
    """Whether a change of the register needs a reason: it is finished and the session is over (BR-63)."""
    return session.status == Session.Status.DELIVERED and at >= session.ends_at


def _record_other_arm(new: Mark) -> None:
    """Attending the other arm's session is a departure from the protocol (BR-41)."""
    record_deviation(
        site=new.session.group.site,
        participant=new.participant,
        occurred_date=local_day(new.session.starts_at),
        kind=Deviation.Kind.OTHER_ARM,
        severity=Deviation.Severity.MINOR,
        description=f"Attended session {new.session.number} of {new.session.group}, a group of another arm.",
        reveals_arm=True,
        by=new.marked_by,
        at=new.received_at,
    )


@transaction.atomic
def complete_session(*, session: Session, by: User, at: datetime) -> Session:
    """Finish a register: the session counts as delivered (BR-42). Finished again, it stays as it was.

    Raises:
        RegisterIncomplete: it has not begun, was cancelled, somebody has no mark, or the risk check is missing.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    session = Session.objects.select_for_update(of=("self",)).select_related("group__site").get(pk=session.pk)
    if session.status == Session.Status.DELIVERED:
        return session
    _check_complete(session, at)
    spec = version_in_force(site=session.group.site, on=local_day(session.starts_at)).spec
    session.status = Session.Status.DELIVERED
    session.completed_at = at
    session.is_late_entry = rules.is_late(at, session.ends_at, spec.registers.due_hours)
    if session.leader_present is None and by.pk in (session.group.leader_id, session.group.co_leader_id):
        session.leader_present = by
    session.save_by(by, "Register finished")
    messages.close_task(key=overdue.task_key(session), by=by, at=at)
    return session


def _check_complete(session: Session, at: datetime) -> None:
    if session.status == Session.Status.CANCELLED:
        raise RegisterIncomplete("This session is cancelled, so it has no register.")
    if session.starts_at > at:
        raise RegisterIncomplete("This session has not started yet.")
    if session.risk_checked_at is None:
        raise RegisterIncomplete("Confirm the risk check first.")
    expected = activity_reads.expected_members(session)
    if not expected:
        raise RegisterIncomplete("Nobody was expected at this session. Cancel it instead.")
    marked = set(Mark.objects.current().filter(session=session).values_list("participant_id", flat=True))
    missing = [str(m.participant) for m in expected if m.participant_id not in marked]
    if missing:
        people = "1 person has" if len(missing) == 1 else f"{len(missing)} people have"
        raise RegisterIncomplete(f"{people} no mark: {', '.join(missing)}. Mark them, then finish.")


@transaction.atomic
def resolve_conflict(*, key: UUID, chosen: Mark, current: UUID, reason: str, by: User, at: datetime) -> Mark:
    """Decide which of the marks that contradict is right; all of them stay (BR-63).

    Args:
        key: made when the page was rendered; sent again, it decides once.
        chosen: the mark that is right.
        current: key of the mark that counted when the page was rendered.

    Raises:
        NothingToDecide: somebody decided or marked meanwhile, or no reason is given.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    session = Session.objects.select_for_update(of=("self",)).get(pk=chosen.session_id)
    if stored := Mark.objects.filter(key=key, is_decision=True).first():
        return stored
    chain = chain_of(session, chosen.participant)
    waiting = list(Mark.objects.undecided().filter(session=session, participant=chosen.participant))
    if not waiting or chain[-1].key != current:
        raise NothingToDecide("This was decided or marked again while the page was open. Look at the register again.")
    if not reason.strip():
        raise NothingToDecide("Say how you know which mark is right.")
    decision = Mark(
        key=key,
        session=session,
        participant=chosen.participant,
        status=chosen.status,
        minutes=chosen.minutes,
        companion=chosen.companion,
        absence_reason=chosen.absence_reason,
        replaces=chain[-1],
        is_decision=True,
        reason=reason.strip()[:200],
        marked_by=by,
        captured_at=at,
        received_at=at,
    )
    decision.save()
    for aside in waiting:
        messages.close_task(key=conflicts.task_key(aside), by=by, at=at)
    spec = version_in_force(site=session.group.site, on=local_day(session.starts_at)).spec
    welfare.review(decision, spec.registers.absences_before_welfare_task)
    return decision
