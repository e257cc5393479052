"""Randomising one participant, and setting up the scheme from the protocol."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import services
from randomisation.allocate import AllocationOutcome, allocate
from randomisation.errors import RandomisationError, Refusal
from randomisation.models import Allocation, Revision, Scheme
from trial import __version__
from trial.access.models import User
from trial.access.signing import Proof, ProofRefused, sign
from trial.allocation import checks
from trial.allocation.models import BlindingEvent
from trial.allocation.reads import scheme_of
from trial.base.errors import TrialError
from trial.participants.models import Participant
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec, RestrictedParameters

__all__ = ["Allocation", "AllocationOutcome"]


class AllocationRefused(TrialError):
    """No allocation was made; `refusals` holds every reason with its code."""

    def __init__(self, text: str, refusals: tuple[Refusal, ...] = ()) -> None:
        super().__init__(text)
        self.refusals = refusals


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
            unit=participant.study_id,
            participant_ids=[participant.pk],
            levels=levels,
            request_key=request_key,
            by=by,
            site=participant.number_site.code,
            at=at,
            software_version=__version__,
            check=lambda: _checked(participant, levels, by, at),
            after_allocate=after,
        )
    except RandomisationError as error:
        raise AllocationRefused(error.text, getattr(error, "refusals", ())) from error


def _checked(participant: Participant, levels: Mapping[str, str], by: User, at: datetime) -> list[Refusal]:
    """The trial's preconditions, read again inside the transaction."""
    fresh = Participant.objects.select_related("referral__site", "referral__protocol_version").get(pk=participant.pk)
    return checks.refusals(participant=fresh, levels=levels, by=by, at=at)


def scheme_parameters(spec: ProtocolSpec, restricted: RestrictedParameters | None) -> dict[str, Any]:
    """The parameters of the protocol's scheme, as randomisation.md 3.3 names them."""
    parameters: dict[str, Any] = {
        "arms": [arm.code for arm in spec.arms],
        "ratio": list(protocol_rules.reduced_ratio(spec)),
        "method": spec.randomisation.method,
        "factors": [
            {"code": factor.code, "levels": [level.code for level in factor.levels], "weight": 1}
            for factor in spec.randomisation.factors
        ],
    }
    if restricted is not None:
        parameters["block_sizes"] = list(restricted.block_sizes)
    return parameters


@sensitive_variables()
@transaction.atomic
def lock_scheme(
    *,
    spec: ProtocolSpec,
    restricted: RestrictedParameters | None,
    approvers: tuple[User, User],
    by: User,
    at: datetime,
) -> Revision:
    """Create the protocol's scheme and lock its parameters, approved by two people (randomisation.md 10).

    Raises:
        AllocationRefused: a parameter breaks a rule, or the approvers are not two people.
    """
    code = spec.randomisation.scheme
    target = spec.recruitment.target
    try:
        scheme = Scheme.objects.filter(code=code).first() or services.create_scheme(
            code=code, name=f"{spec.study.short_name} {code}", opens_date=spec.recruitment.starts, ceiling=target
        )
        return services.lock_scheme(
            scheme=scheme,
            parameters=scheme_parameters(spec, restricted),
            rows_per_stratum=target,
            approvers=approvers,
            by=by,
            at=at,
        )
    except RandomisationError as error:
        raise AllocationRefused(error.text) from error


def open_scheme(*, code: str, by: User, at: datetime) -> None:
    """Open the newest locked revision of a scheme to allocations.

    Raises:
        AllocationRefused: there is nothing to open.
    """
    scheme = Scheme.objects.filter(code=code).first()
    if scheme is None:
        raise AllocationRefused("There is no locked scheme to open.")
    try:
        services.open_scheme(scheme=scheme, by=by, at=at)
    except RandomisationError as error:
        raise AllocationRefused(error.text) from error


def report_unblinding(
    *, participant: Participant, person: User, kind: str, route: str, happened_date: Any, by: User, at: datetime
) -> BlindingEvent:
    """Record that a blinded person learned an arm (BR-27). The arm is never written down here."""
    return BlindingEvent(
        participant=participant, person=person, kind=kind, route=route, happened_date=happened_date, recorded_at=at
    ).save_by(by)
