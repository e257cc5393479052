"""Randomising one participant."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation.allocate import AllocationOutcome, allocate
from randomisation.errors import RandomisationError, Refusal
from randomisation.models import Allocation
from randomisation.requests import Member, UnitRequest
from trial import __version__
from trial.access.models import User
from trial.access.signing import Proof, ProofRefused, sign
from trial.allocation import checks
from trial.allocation.errors import AllocationRefused
from trial.allocation.models import BlindingEvent
from trial.allocation.reads import scheme_of
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

    def after(allocation: Allocation) -> None:
        sign(
            proof=proof,
            by=by,
            meaning="I confirm that this person is to be randomised.",
            record=participant,
            content={"unit": allocation.unit, "seq": allocation.seq, "factors": allocation.factors},
            at=at,
        )
        then(participant, allocation)

    try:
        return allocate(
            scheme=scheme,
            request=request_for(participant=participant, levels=levels, request_key=request_key, by=by, at=at),
            check=lambda request: _checked(participant, levels, by, at),
            after_allocate=after,
        )
    except RandomisationError as error:
        raise AllocationRefused(error.text, getattr(error, "refusals", ())) from error


def request_for(
    *, participant: Participant, levels: Mapping[str, str], request_key: str, by: User, at: datetime
) -> UnitRequest:
    """One person as the randomisation is asked for them."""
    return UnitRequest(
        unit=participant.study_id,
        members=[Member(participant.pk, levels)],
        key=request_key,
        by=by,
        site=participant.number_site.code,
        at=at,
        software_version=__version__,
    )


def _checked(participant: Participant, levels: Mapping[str, str], by: User, at: datetime) -> list[Refusal]:
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
