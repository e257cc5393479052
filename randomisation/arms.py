"""Opening arms that were allocated, for callers that have checked who asks (randomisation.md 6.1)."""

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation.engine.labels import mask_labels
from randomisation.models import Allocation, AllocationMember, ArmAccessLog, Scheme
from randomisation.unsealed import Unsealed, unseal


@sensitive_variables()
@transaction.atomic
def reveal_arm(allocation: Allocation, *, by: AbstractBaseUser, at: datetime, reason: str) -> str:
    """The arm code of one allocation. The access is logged first; the caller has checked permission.

    Raises:
        SealError: no usable key, or the allocation was altered.
    """
    ArmAccessLog.objects.create(
        scheme_id=allocation.scheme_id, allocation=allocation, by_id=by.pk, at=at, reason=reason, n_arms=1
    )
    unsealed = unseal(allocation.revision)
    return unsealed.arm_code(allocation)


@sensitive_variables()
@transaction.atomic
def arms_for_export(*, scheme: Scheme, by: AbstractBaseUser, at: datetime, reason: str) -> dict[int, str]:
    """Arm code of every allocated participant of a scheme, by the participant's primary key.

    One access is logged for all of them; the caller has checked permission.

    Raises:
        SealError: no usable key, or an allocation was altered.
    """
    members = AllocationMember.objects.filter(scheme=scheme).select_related("allocation").order_by("pk")
    ArmAccessLog.objects.create(scheme=scheme, by_id=by.pk, at=at, reason=reason, n_arms=len(members))
    revisions: dict[int, Unsealed] = {r.pk: unseal(r) for r in scheme.revisions.exclude(contribution_sealed="")}
    arms = {}
    for member in members:
        arms[member.participant_id] = revisions[member.allocation.revision_id].arm_code(member.allocation)
    return arms


@sensitive_variables()
def labels_for(*, scheme: Scheme, dataset: str) -> dict[str, str]:
    """The letter that stands for each arm in the masked data set called `dataset` (6.5).

    The first revision's seed is used throughout, so that labels stay the same for the whole trial.
    """
    unsealed = unseal(scheme.revisions.get(number=1))
    return mask_labels(unsealed.seed, scheme=scheme.code, revision=1, dataset=dataset, arms=unsealed.parameters.arms)
