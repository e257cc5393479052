"""T18: taking back a status that was entered in error, by two people."""

from datetime import datetime

from django.db import transaction

from trial.access.models import User
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.consent import actions as consents
from trial.journey.models import Reversal
from trial.journey.transitions import REVERSED, reversible
from trial.locking.rules import require_unlocked
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
    if referral.reversals.filter(approved_at__isnull=True).exists():
        raise ReversalRefused("A request waits for approval already.")
    return Reversal(
        referral=referral,
        from_status=referral.status,
        to_status=previous,
        reason=reason,
        asked_by=by,
        asked_at=at,
    ).save_by(by)


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
    if reversal.approved_at or referral.status != reversal.from_status:
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
    return reversal.save_by(by, "Approved")


def _require(by: User, action: Action, referral: Referral) -> None:
    if not by.access.may(action, referral.site):
        raise ReversalRefused("Your role does not let you do this here.")


def _undo(referral: Referral, reason: str, by: User) -> None:
    """What made the status no longer holds, so that the step can be taken again."""
    if referral.status == Status.CONSENTED:
        consents.void_consent(participant=referral.participant, reason=reason, by=by)
    elif referral.status == Status.ELIGIBLE:
        screening.reopen_eligibility(participant=referral.participant, reason=reason, by=by)
