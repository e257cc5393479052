"""Who was allocated, and to which arm: the only place outside `randomisation` that arms come from."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from randomisation.allocate import digest_of as log_digest
from randomisation.arms import arms_for_export, labels_for, reveal_arm
from randomisation.models import Allocation, AllocationMember, Scheme, State
from trial.access.models import AccessEvent, User
from trial.access.policy import Action
from trial.participants.models import Participant, Referral
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import Arm

CLOSED = "closed"
"""The data set of the closed report, whose letters the masked release shows too (randomisation.md 6.1 and 6.5)."""


def scheme_of(participant: Participant) -> Scheme | None:
    """The scheme that randomises this participant, once it exists."""
    spec = participant.referral.protocol_version.spec
    return Scheme.objects.filter(code=spec.randomisation.scheme).first()


def allocation_of(participant: Participant) -> Allocation | None:
    """The participant's allocation by the protocol's scheme, with nothing opened."""
    links = AllocationMember.objects.filter(participant=participant, scheme=scheme_of(participant))
    member = links.select_related("allocation__revision").first()
    return member.allocation if member else None


def other_schemes(participant: Participant) -> list[Scheme]:
    """Open schemes other than the one that the protocol of this participant names."""
    own = participant.referral.protocol_version.spec.randomisation.scheme
    return [one for one in Scheme.objects.exclude(code=own).order_by("code") if one.state == State.OPEN]


def allocation_in(scheme: Scheme, participant: Participant) -> Allocation | None:
    """The participant's allocation by one scheme, with nothing opened."""
    links = AllocationMember.objects.filter(participant=participant, scheme=scheme)
    member = links.select_related("allocation").first()
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


@sensitive_variables()
def letters_for_release(arms: Mapping[int, str]) -> dict[int, str]:
    """The letter that stands for each person's arm in the closed data set, by primary key (randomisation.md 6.5).

    Letters are drawn for each scheme, and stay the same for the whole trial.

    Args:
        arms: as arms_for_release() gave them, which logged the access.
    """
    letters: dict[int, str] = {}
    for code, people in _people_by_scheme().items():
        if allocated := people & set(arms):
            labels = labels_for(scheme=Scheme.objects.get(code=code), dataset=CLOSED)
            letters |= {pk: labels[arms[pk]] for pk in allocated}
    return letters


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


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One person of a batch. Its repr is constant: it may hold an arm."""

    participant: Participant
    seq: int
    at: datetime
    arm: Arm | None

    def __repr__(self) -> str:
        return "<BatchRow>"


@sensitive_variables()
def batch_rows(*, batch: str, by: User, at: datetime) -> list[BatchRow]:
    """Everybody of a batch at the sites where `by` may randomise, in the order of their allocations.

    Arms are opened, and logged, for those who may see them; others get None.
    """
    links = AllocationMember.objects.filter(allocation__batch=batch, participant__referral__in=_own(by))
    found = links.select_related(
        "allocation__revision", "participant__referral__site", "participant__referral__protocol_version"
    )
    return [_batch_row(link, by, at) for link in found.order_by("allocation__seq", "place")]


def _own(by: User) -> QuerySet[Referral]:
    return Referral.objects.visible_to(by, Action.RANDOMISE)


@sensitive_variables()
def _batch_row(link: AllocationMember, by: User, at: datetime) -> BatchRow:
    person, made = link.participant, link.allocation
    arm = show_arm(participant=person, by=by, at=at) if by.access.may(Action.VIEW_ARM, person.site) else None
    return BatchRow(person, made.seq, made.at, arm)
