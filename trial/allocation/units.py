"""Households, batches, and a second scheme: randomising more than one person, or one person again (section 5)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from django.views.decorators.debug import sensitive_variables

from randomisation.allocate import AllocationOutcome, allocate, allocate_batch
from randomisation.errors import Refusal
from randomisation.models import Allocation, AllocationMember, Scheme
from randomisation.requests import HOUSEHOLD, SINGLE, UNIT_FACTOR, Member, UnitRequest
from trial import __version__
from trial.access.models import User
from trial.access.signing import Proof, ProofRefused, sign
from trial.allocation.errors import AllocationRefused
from trial.allocation.models import Household
from trial.allocation.schemes import told
from trial.participants.models import Participant

Levels = Mapping[str, str]
Then = Callable[[Participant, Allocation], None]
After = Callable[[Allocation], None]
Checked = Callable[[Participant, Levels], list[Refusal]]
MEANING = "I confirm that this person is to be randomised."


def with_unit(scheme: Scheme, levels: Levels, *, n_people: int) -> dict[str, str]:
    """The levels with that of the factor `unit`, where the scheme has one: the system sets it, nobody chooses it."""
    revision = scheme.revision_in_force
    factors = revision.params_public["factors"] if revision else []
    if not any(factor["code"] == UNIT_FACTOR for factor in factors):
        return dict(levels)
    return {**levels, UNIT_FACTOR: SINGLE if n_people == 1 else HOUSEHOLD}


def request_of(
    *,
    scheme: Scheme,
    unit: str,
    people: Sequence[tuple[Participant, Levels]],
    request_key: str,
    by: User,
    at: datetime,
) -> UnitRequest:
    """One unit as the randomisation is asked for it, the lowest participant number first."""
    ordered = sorted(people, key=lambda one: one[0].study_id)
    return UnitRequest(
        unit=unit,
        members=[Member(one.pk, with_unit(scheme, levels, n_people=len(ordered))) for one, levels in ordered],
        key=request_key,
        by=by,
        site=ordered[0][0].number_site.code,
        at=at,
        software_version=__version__,
    )


def household_refusals(scheme: Scheme, participant: Participant) -> list[Refusal]:
    """Why somebody who lives with others in the trial is not randomised alone, where households go together."""
    link = getattr(participant, "household_link", None)
    if not scheme.households or link is None:
        return []
    others = link.household.members.exclude(participant=participant).values_list("participant", flat=True)
    if AllocationMember.objects.filter(scheme=scheme, participant__in=list(others)).exists():
        text = f"Somebody of household {link.household} has been randomised. Who joins later cannot be."
        return [Refusal("E_HOUSEHOLD", text)]
    if others:
        return [Refusal("E_HOUSEHOLD", f"Household {link.household} is randomised together.")]
    return []


def after_allocation(*, people: Sequence[Participant], proof: Proof, by: User, at: datetime, then: Then) -> After:
    """What is written beside each allocation of these people: the signature, then what the caller adds for each."""
    known = {one.pk: one for one in people}

    def after(made: Allocation) -> None:
        members = [known[pk] for pk in made.members.order_by("place").values_list("participant", flat=True)]
        content = {"unit": made.unit, "seq": made.seq, "factors": made.factors}
        sign(proof=proof, by=by, meaning=MEANING, record=members[0], content=content, at=at)
        for member in members:
            then(member, made)

    return after


@sensitive_variables()
def randomise_household(
    *,
    scheme: Scheme,
    household: Household,
    levels: Mapping[int, Levels],
    request_key: str,
    checked: Checked,
    proof: Proof,
    by: User,
    at: datetime,
    then: Then,
) -> AllocationOutcome:
    """One allocation for everybody who lives together, in a transaction of its own; repeated, it gives the same one.

    Args:
        levels: of each member, by the participant's primary key.
        checked: the preconditions of one member, read again inside the transaction.

    Raises:
        AllocationRefused: with every reason of every member; nobody was allocated.
        ProofRefused: the proof is another person's.
    """
    _require_own(proof, by)
    people = members_of(household)
    pairs = [(one, levels[one.pk]) for one in people]
    request = request_of(scheme=scheme, unit=household.code, people=pairs, request_key=request_key, by=by, at=at)
    with told():
        return allocate(
            scheme=scheme,
            request=request,
            check=lambda _: _of_everybody(pairs, checked),
            after_allocate=after_allocation(people=people, proof=proof, by=by, at=at, then=then),
        )


@sensitive_variables()
def randomise_batch(
    *,
    scheme: Scheme,
    batch: str,
    people: Sequence[tuple[Participant, Levels]],
    request_key: str,
    checked: Checked,
    proof: Proof,
    by: User,
    at: datetime,
    then: Then,
) -> list[AllocationOutcome]:
    """Ready people allocated together, each alone a unit: all of them or none, in the order of the batch's stream.

    Args:
        batch: its code; a code that was used names the same people only.
        request_key: of the confirmation; each person's is made of it.

    Raises:
        AllocationRefused: with every reason of every person; nobody was allocated.
        ProofRefused: the proof is another person's.
    """
    _require_own(proof, by)
    _refuse_other_batch(scheme, batch, [one.study_id for one, _ in people])
    build = partial(request_of, scheme=scheme, by=by, at=at)
    requests = [
        build(unit=one.study_id, people=[(one, levels)], request_key=f"{request_key}:{one.study_id}")
        for one, levels in people
    ]
    by_unit = {one.study_id: (one, levels) for one, levels in people}
    with told():
        return allocate_batch(
            scheme=scheme,
            batch=batch,
            requests=requests,
            check=lambda request: _of_everybody([by_unit[request.unit]], checked, is_named=True),
            after_allocate=after_allocation(people=[one for one, _ in people], proof=proof, by=by, at=at, then=then),
        )


@sensitive_variables()
def randomise_into(
    *,
    scheme: Scheme,
    participant: Participant,
    levels: Levels,
    request_key: str,
    checked: Checked,
    proof: Proof,
    by: User,
    at: datetime,
) -> AllocationOutcome:
    """One person allocated by another scheme than the protocol's: a second question asked of the same people.

    Nothing of the journey follows from it.

    Raises:
        AllocationRefused: with every reason; nothing was allocated.
        ProofRefused: the proof is another person's.
    """
    _require_own(proof, by)
    pair = (participant, levels)
    request = request_of(scheme=scheme, unit=participant.study_id, people=[pair], request_key=request_key, by=by, at=at)
    with told():
        return allocate(
            scheme=scheme,
            request=request,
            check=lambda _: checked(participant, levels),
            after_allocate=after_allocation(
                people=[participant], proof=proof, by=by, at=at, then=lambda _participant, _made: None
            ),
        )


def _require_own(proof: Proof, by: User) -> None:
    if proof.user_id != by.pk:
        raise ProofRefused


def _refuse_other_batch(scheme: Scheme, batch: str, units: Sequence[str]) -> None:
    used = set(Allocation.objects.filter(scheme=scheme, batch=batch).values_list("unit", flat=True))
    if used and used != set(units):
        text = f"The code {batch} was used for another batch. Choose another code."
        raise AllocationRefused(f"No allocation was made. {text}", (Refusal("E_REQUEST_KEY", text),))


def _of_everybody(
    pairs: Sequence[tuple[Participant, Levels]], checked: Checked, *, is_named: bool = False
) -> list[Refusal]:
    """The reasons of every member, each with its number where there are several people."""
    is_named = is_named or len(pairs) > 1
    return [
        Refusal(one.code, f"{person.study_id}: {one.text}") if is_named else one
        for person, levels in pairs
        for one in checked(person, levels)
    ]


def members_of(household: Household) -> list[Participant]:
    """The people of a household, the lowest participant number first."""
    links = household.members.select_related(
        "participant__referral__site", "participant__referral__protocol_version", "participant__number_site"
    )
    return [link.participant for link in links.order_by("participant__study_id")]
