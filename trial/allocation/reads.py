"""Who was allocated, and to which arm: the only place outside `randomisation` that arms come from."""

from collections import defaultdict
from datetime import datetime

from django.views.decorators.debug import sensitive_variables

from randomisation.allocate import digest_of as log_digest
from randomisation.arms import arms_for_export, reveal_arm
from randomisation.models import Allocation, AllocationMember, Scheme
from trial.access.models import AccessEvent, User
from trial.participants.models import Participant
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import Arm


def scheme_of(participant: Participant) -> Scheme | None:
    """The scheme that randomises this participant, once it exists."""
    spec = participant.referral.protocol_version.spec
    return Scheme.objects.filter(code=spec.randomisation.scheme).first()


def allocation_of(participant: Participant) -> Allocation | None:
    """The participant's allocation by the protocol's scheme, with nothing opened."""
    links = AllocationMember.objects.filter(participant=participant, scheme=scheme_of(participant))
    member = links.select_related("allocation__revision").first()
    return member.allocation if member else None


def digest_of(allocation: Allocation) -> str:
    """The log digest printed on the confirmation (randomisation.md 8.6)."""
    return log_digest(allocation)


@sensitive_variables()
def show_arm(*, participant: Participant, by: User, at: datetime, reason: str = "Allocation page") -> Arm | None:
    """The allocated arm for one person to look at, logged twice: the caller has checked VIEW_ARM."""
    allocation = allocation_of(participant)
    if allocation is None:
        return None
    code = reveal_arm(allocation, by=by, at=at, reason=reason)
    AccessEvent(user=by, role=by.role_code, kind=AccessEvent.Kind.ARM_VIEWED, record=participant.study_id, at=at).save()
    return protocol_rules.arm(participant.referral.protocol_version.spec, code)


@sensitive_variables()
def arm_number_of(participant: Participant, *, by: User, at: datetime, reason: str) -> int | None:
    """Position of the allocated arm in the protocol's list, for placing a person in a group; logged."""
    allocation = allocation_of(participant)
    if allocation is None:
        return None
    code = reveal_arm(allocation, by=by, at=at, reason=reason)
    return [arm.code for arm in participant.referral.protocol_version.spec.arms].index(code)


@sensitive_variables()
def arms_for_release(*, by: User, at: datetime, reason: str) -> dict[int, str]:
    """Arm code of every allocated participant by primary key, for an unblinded release; logged.

    Each by the scheme that the person's own protocol names: a further one, as of a sub-study, has other arms.
    """
    arms: dict[int, str] = {}
    for code, people in _people_by_scheme().items():
        for scheme in Scheme.objects.filter(code=code):
            found = arms_for_export(scheme=scheme, by=by, at=at, reason=reason)
            arms |= {pk: arm for pk, arm in found.items() if pk in people}
    return arms


def _people_by_scheme() -> dict[str, set[int]]:
    """Primary keys of participants by the code of the scheme that randomises them."""
    people: defaultdict[str, set[int]] = defaultdict(set)
    codes = {version.pk: version.spec.randomisation.scheme for version in ProtocolVersion.objects.all()}
    for pk, version in Participant.objects.values_list("pk", "referral__protocol_version"):
        people[codes[version]].add(pk)
    return people


def is_ready_to_allocate(version: ProtocolVersion) -> bool:
    """Whether the protocol's scheme passed its signed acceptance test and is locked: the green light asks it."""
    scheme = Scheme.objects.filter(code=version.spec.randomisation.scheme).first()
    return scheme is not None and scheme.state not in ("draft", "simulated", "tested")
