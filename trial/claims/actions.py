"""Recording, approving and paying what participants get: two people, one step after another."""

from datetime import date, datetime

from django.db import transaction

from trial.access.models import User
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.claims.models import MAX_PENCE, Claim
from trial.participants.models import Participant
from trial.schedule.models import Visit


class ClaimRefused(TrialError):
    """The claim cannot be recorded or moved on like this; the text says why."""


@transaction.atomic
def offer(
    *,
    participant: Participant,
    kind: str,
    amount_pence: int,
    by: User,
    at: datetime,
    visit: Visit | None = None,
    travel_date: date | None = None,
    mode: str = "",
) -> Claim:
    """Record a voucher for a visit's questionnaires, or the cost of one day's travel.

    Args:
        amount_pence: in pence, up to MAX_PENCE.

    Raises:
        ClaimRefused: no amount, nothing it is for, or the visit has its voucher.
    """
    if not 1 <= amount_pence <= MAX_PENCE:
        raise ClaimRefused(f"Enter an amount up to £{MAX_PENCE // 100}.")
    Participant.objects.select_for_update().get(pk=participant.pk)
    if kind == Claim.Kind.VOUCHER:
        _check_voucher(participant, visit)
        travel_date, mode = None, ""
    else:
        _check_travel(participant, travel_date, mode, local_day(at))
        visit = None
    return Claim(
        participant=participant,
        kind=kind,
        visit=visit,
        travel_date=travel_date,
        mode=mode,
        amount_pence=amount_pence,
        recorded_by=by,
        recorded_at=at,
    ).save_by(by)


def _check_voucher(participant: Participant, visit: Visit | None) -> None:
    if visit is None or visit.participant_id != participant.pk:
        raise ClaimRefused("Select the visit that the voucher is for.")
    if Claim.objects.filter(visit=visit, kind=Claim.Kind.VOUCHER).exclude(state=Claim.State.DECLINED).exists():
        raise ClaimRefused("There is a voucher for this visit already.")


def _check_travel(participant: Participant, travel_date: date | None, mode: str, today: date) -> None:
    if travel_date is None or mode not in Claim.Mode.values:
        raise ClaimRefused("Enter the day of travel, and how the person travelled.")
    if not participant.consented_date <= travel_date <= today:
        raise ClaimRefused("The day of travel must be on or after the day of consent, and not in the future.")


def _locked(claim: Claim, by: User, *, needs: str) -> Claim:
    claim = Claim.objects.select_for_update(of=("self",)).select_related("participant__referral").get(pk=claim.pk)
    if claim.state != needs:
        raise ClaimRefused(f"This claim is {claim.get_state_display().lower()}.")
    if not by.access.may(Action.PAY_CLAIM, claim.participant.site):
        raise ClaimRefused("Your role does not let you do this here.")
    if claim.recorded_by_id == by.pk:
        raise ClaimRefused("You recorded this claim, so somebody else must approve and pay it.")
    return claim


@transaction.atomic
def approve(*, claim: Claim, by: User, at: datetime) -> Claim:
    """Approve a claim that somebody else recorded.

    Raises:
        ClaimRefused: it is not waiting, or `by` recorded it or may not.
    """
    claim = _locked(claim, by, needs=Claim.State.OFFERED)
    claim.state, claim.approved_by, claim.approved_at = Claim.State.APPROVED, by, at
    return claim.save_by(by, "Approved")


@transaction.atomic
def pay(*, claim: Claim, by: User, at: datetime) -> Claim:
    """Say that an approved claim was paid, or its voucher handed over.

    Raises:
        ClaimRefused: it is not approved, or `by` recorded it or may not.
    """
    claim = _locked(claim, by, needs=Claim.State.APPROVED)
    claim.state, claim.paid_by, claim.paid_at = Claim.State.PAID, by, at
    return claim.save_by(by, "Paid")


@transaction.atomic
def decline(*, claim: Claim, by: User, at: datetime) -> Claim:
    """Say that a claim is not paid. Whoever recorded it may take it back like this.

    Raises:
        ClaimRefused: it was paid or declined already, or `by` may not.
    """
    claim = Claim.objects.select_for_update(of=("self",)).select_related("participant__referral").get(pk=claim.pk)
    if claim.state not in (Claim.State.OFFERED, Claim.State.APPROVED):
        raise ClaimRefused(f"This claim is {claim.get_state_display().lower()}.")
    if claim.recorded_by_id != by.pk and not by.access.may(Action.PAY_CLAIM, claim.participant.site):
        raise ClaimRefused("Your role does not let you do this here.")
    claim.state, claim.declined_by, claim.declined_at = Claim.State.DECLINED, by, at
    return claim.save_by(by, "Not paid")
