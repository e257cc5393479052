"""Randomising one participant."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation.allocate import AllocationOutcome, allocate
from randomisation.errors import Refusal
from randomisation.models import Allocation, Scheme
from trial.access.models import User
from trial.access.signing import Proof, ProofRefused
from trial.allocation import checks, units
from trial.allocation.errors import AllocationRefused
from trial.allocation.models import BlindingEvent, Household
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


@sensitive_variables()
def randomise_household(
    *,
    household: Household,
    levels: Mapping[int, Mapping[str, str]],
    request_key: str,
    proof: Proof,
    by: User,
    at: datetime,
    then: Callable[[Participant, Allocation], None],
) -> AllocationOutcome:
    """Allocate people who live together as one unit (section 5); repeated, it gives the same allocation.

    Args:
        levels: of each member as confirmed again on the page, by the participant's primary key.

    Raises:
        AllocationRefused: with every reason of every member; nobody was allocated.
        ProofRefused: the proof is another person's.
    """
    return units.randomise_household(
        scheme=scheme_of_all(units.members_of(household)),
        household=household,
        levels=levels,
        request_key=request_key,
        checked=lambda person, given: checked(participant=person, levels=given, by=by, at=at),
        proof=proof,
        by=by,
        at=at,
        then=then,
    )


@sensitive_variables()
def randomise_batch(
    *,
    batch: str,
    people: Sequence[tuple[Participant, Mapping[str, str]]],
    request_key: str,
    proof: Proof,
    by: User,
    at: datetime,
    then: Callable[[Participant, Allocation], None],
) -> list[AllocationOutcome]:
    """Allocate ready people together, all of them or none (section 5).

    Args:
        people: each with the levels as confirmed again on the page.

    Raises:
        AllocationRefused: with every reason of every person; nobody was allocated.
        ProofRefused: the proof is another person's.
    """
    scheme = scheme_of_all([person for person, _ in people])

    def of_one(person: Participant, given: Mapping[str, str]) -> list[Refusal]:
        alone = units.household_refusals(scheme, person)
        return [*checked(participant=person, levels=given, by=by, at=at), *alone]

    return units.randomise_batch(
        scheme=scheme,
        batch=batch,
        people=people,
        request_key=request_key,
        checked=of_one,
        proof=proof,
        by=by,
        at=at,
        then=then,
    )


def scheme_of_all(people: Sequence[Participant]) -> Scheme:
    """The one scheme that randomises all of these people.

    Raises:
        AllocationRefused: there is none yet, or they belong to different ones.
    """
    schemes = {scheme.pk: scheme for person in people if (scheme := scheme_of(person))}
    if len(schemes) != 1:
        raise AllocationRefused("No allocation was made. These people are not randomised by one scheme that is set up.")
    return next(iter(schemes.values()))


def randomise_into(
    *,
    scheme: Scheme,
    participant: Participant,
    levels: Mapping[str, str],
    request_key: str,
    proof: Proof,
    by: User,
    at: datetime,
) -> AllocationOutcome:
    """Allocate one person by another scheme that is open to them; nothing of the journey follows.

    Raises:
        AllocationRefused: with every reason; nothing was allocated.
        ProofRefused: the proof is another person's.
    """
    return units.randomise_into(
        scheme=scheme,
        participant=participant,
        levels=levels,
        request_key=request_key,
        checked=lambda person, _: checks.refusals_elsewhere(participant=person, by=by, at=at),
        proof=proof,
        by=by,
        at=at,
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
