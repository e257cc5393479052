"""T18: taking back a status that was entered in error, by two people."""

from datetime import datetime

from django.db import transaction

from trial.access.models import User
from trial.access.policy import Action, Role
from trial.base.errors import TrialError
from trial.base.words import local_day, long_date
from trial.consent import actions as consents
from trial.journey.models import Reversal
from trial.journey.transitions import REVERSED, reversible
from trial.locking.rules import require_unlocked
from trial.messages import actions as messages
from trial.participants import actions as participants
from trial.participants.models import Referral, Status
from trial.screening import actions as screening


class ReversalRefused(TrialError):
    """This status cannot be taken back, or not by this person."""


def _previous(referral: Referral) -> Status:
    """The status before the current one.

    Raises:
        ReversalRefused: there is none, or the person was randomised: that is for ever.
    """
    reached = referral.status_events.filter(to_status=referral.status).exclude(transition=REVERSED)
    event = reached.order_by("-at", "-id").first()
    if event is None or not event.from_status or not reversible(Status(event.from_status), Status(referral.status)):
        raise ReversalRefused(f"{referral.get_status_display()} cannot be taken back.")
    return Status(event.from_status)


@transaction.atomic
def ask(*, referral: Referral, reason: str, by: User, at: datetime) -> Reversal:
    """Ask for the current status to be taken back, as entered in error.

    Raises:
        ReversalRefused: it cannot be, or a request is open already, or there is no reason, or the person may not.
    """
    require_unlocked()
    referral = Referral.objects.select_for_update().get(pk=referral.pk)
    _require(by, Action.ASK_REVERSAL, referral)
    previous = _previous(referral)
    if not reason.strip():
        raise ReversalRefused("Say what was entered in error.")
    if waiting_for(referral):
        raise ReversalRefused("A request waits for approval already.")
    asked = Reversal(
        referral=referral,
        from_status=referral.status,
        to_status=previous,
        reason=reason,
        asked_by=by,
        asked_at=at,
    ).save_by(by)
    messages.open_task(
        key=f"reversal:{asked.pk}",
        kind="approve_reversal",
        role=Role.PRINCIPAL_INVESTIGATOR,
        site=referral.site,
        referral=referral,
        title="Decide whether a status was entered in error",
        detail=f"{by} asked on {long_date(at)} to take back “{referral.get_status_display()}”",
        link=f"/people/{referral.number}/entered-in-error/approve/",
        due_date=local_day(at),
        at=at,
        by=by,
    )
    return asked


def waiting_for(referral: Referral) -> Reversal | None:
    """The request that nobody has decided on yet."""
    undecided = referral.reversals.filter(approved_at__isnull=True, refused_at__isnull=True)
    return undecided.select_related("asked_by").first()


def may_ask(referral: Referral) -> bool:
    """Whether the current status is one that can be taken back, and nobody has asked yet."""
    try:
        _previous(referral)
    except ReversalRefused:
        return False
    return waiting_for(referral) is None


@transaction.atomic
def approve(*, reversal: Reversal, by: User, at: datetime) -> Reversal:
    """Approve a request of another person; the status goes back, and nothing is deleted.

    A consent that was in error is void, a signature under eligibility in error is taken off.

    Raises:
        ReversalRefused: the same person asked, it is approved already, the status has moved on since, or the
            person may not.
    """
    require_unlocked()
    reversal = Reversal.objects.select_for_update().select_related("referral").get(pk=reversal.pk)
    referral = Referral.objects.select_for_update().get(pk=reversal.referral_id)
    if reversal.asked_by_id == by.pk:
        raise ReversalRefused("Another person must approve what you asked for.")
    _require(by, Action.APPROVE_REVERSAL, referral)
    if reversal.approved_at or reversal.refused_at or referral.status != reversal.from_status:
        raise ReversalRefused("The status has changed since. Check the record.")
    reason = f"Entered in error: {reversal.reason}"[:300]
    _undo(referral, reason, by)
    referral.close_reason, referral.further_reasons = "", []
    participants.write_status(
        referral=referral,
        transition=REVERSED,
        target=Status(reversal.to_status),
        effective_date=local_day(at),
        by=by,
        at=at,
        reason=reason,
    )
    reversal.approved_by, reversal.approved_at = by, at
    messages.close_task(key=f"reversal:{reversal.pk}", by=by, at=at)
    return reversal.save_by(by, "Approved")


@transaction.atomic
def refuse(*, reversal: Reversal, why: str, by: User, at: datetime) -> Reversal:
    """Decide that a status stays; another request can be made afterwards.

    Raises:
        ReversalRefused: it was decided already, no reason is given, or the person may not.
    """
    reversal = Reversal.objects.select_for_update().select_related("referral").get(pk=reversal.pk)
    _require(by, Action.APPROVE_REVERSAL, reversal.referral)
    if reversal.approved_at or reversal.refused_at:
        raise ReversalRefused("This request was decided on already. Check the record.")
    if not why.strip():
        raise ReversalRefused("Say why the status stays.")
    reversal.refused_by, reversal.refused_at, reversal.refusal = by, at, why
    messages.close_task(key=f"reversal:{reversal.pk}", by=by, at=at)
    return reversal.save_by(by, "Not approved")


def _require(by: User, action: Action, referral: Referral) -> None:
    if not by.access.may(action, referral.site):
        raise ReversalRefused("Your role does not let you do this here.")


def _undo(referral: Referral, reason: str, by: User) -> None:
    """What made the status no longer holds, so that the step can be taken again."""
    if referral.status == Status.CONSENTED:
        consents.void_consent(participant=referral.participant, reason=reason, by=by)
    elif referral.status == Status.ELIGIBLE:
        screening.reopen_eligibility(participant=referral.participant, reason=reason, by=by)
