"""Randomising one participant."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation.allocate import AllocationOutcome, allocate
from randomisation.errors import Refusal
from randomisation.models import Allocation
from trial.access.models import User
from trial.access.signing import Proof, ProofRefused
from trial.allocation import checks, units
from trial.allocation.errors import AllocationRefused
from trial.allocation.models import BlindingEvent
from trial.allocation.reads import scheme_of
from trial.allocation.schemes import told
from trial.participants.models import Participant

__all__ = ["Allocation", "AllocationOutcome", "AllocationRefused"]


@sensitive_variables()
def randomise(
    *,
    participant: Participant,
    levels: Mapping[str, str],
    request_key: str,
    proof: Proof,
    by: User,
    at: datetime,
    then: Callable[[Participant, Allocation], None],
) -> AllocationOutcome:
    """Allocate one participant in a transaction of its own; repeated, it gives the same allocation (BR-21).

    Args:
        levels: factor levels as confirmed again on the page.
        request_key: made when the confirmation page was rendered.
        then: what the caller writes in the same transaction (status, visits, tasks).

    Raises:
        AllocationRefused: with every reason; nothing was allocated.
        ProofRefused: the proof is another person's.
    """
    if proof.user_id != by.pk:
        raise ProofRefused
    scheme = scheme_of(participant)
    if scheme is None:
        raise AllocationRefused("No allocation was made. Randomisation has not been set up.")
    request = units.request_of(
        scheme=scheme,
        unit=participant.study_id,
        people=[(participant, levels)],
        request_key=request_key,
        by=by,
        at=at,
    )
    with told():
        return allocate(
            scheme=scheme,
            request=request,
            check=lambda _: [
                *checked(participant=participant, levels=levels, by=by, at=at),
                *units.household_refusals(scheme, participant),
            ],
            after_allocate=units.after_allocation(people=[participant], proof=proof, by=by, at=at, then=then),
        )


def checked(*, participant: Participant, levels: Mapping[str, str], by: User, at: datetime) -> list[Refusal]:
    """The trial's preconditions, read again inside the transaction."""
    fresh = Participant.objects.select_related("referral__site", "referral__protocol_version").get(pk=participant.pk)
    return checks.refusals(participant=fresh, levels=levels, by=by, at=at)


def report_unblinding(
    *, participant: Participant, person: User, kind: str, route: str, happened_date: Any, by: User, at: datetime
) -> BlindingEvent:
    """Record that a blinded person learned an arm (BR-27). The arm is never written down here."""
    return BlindingEvent(
        participant=participant, person=person, kind=kind, route=route, happened_date=happened_date, recorded_at=at
    ).save_by(by)
