import pytest
from django.db import connection

from randomisation.arms import arms_for_export, labels_for, reveal_arm
from randomisation.errors import SealError
from randomisation.models import Allocation, ArmAccessLog
from randomisation.states import open_scheme
from tests.randomisation.conftest import ARMS, AT
from trial.base.triggers import lifted


def test_revealing_an_arm_is_logged(scheme, open_revision, give, user):
    allocation = give().allocation

    arm = reveal_arm(allocation, by=user, at=AT, reason="Allocation page")

    access = ArmAccessLog.objects.get()
    assert arm in ARMS
    assert (access.allocation, access.by, access.at, access.n_arms) == (allocation, user, AT, 1)
    assert access.reason == "Allocation page"


def test_an_export_opens_every_arm_and_logs_one_access(scheme, open_revision, give, user):
    allocations = [give().allocation for _ in range(5)]

    arms = arms_for_export(scheme=scheme, by=user, at=AT, reason="Release 1")

    access = ArmAccessLog.objects.get()
    assert (access.n_arms, access.allocation) == (5, None)
    assert set(arms) == {a.members.get().participant_id for a in allocations}
    for allocation in allocations:
        assert reveal_arm(allocation, by=user, at=AT, reason="Test") == arms[allocation.members.get().participant_id]


def test_an_export_covers_every_revision(scheme, open_revision, give, lock, user):
    first = give().allocation
    lock(arms=["c1", "c2", "c3"], ratio=[1, 1, 1], block_sizes=[3])
    open_scheme(scheme=scheme, by=user, at=AT)
    second = give().allocation

    arms = arms_for_export(scheme=scheme, by=user, at=AT, reason="Release 1")

    assert second.seq == 2
    assert arms[first.members.get().participant_id] in ARMS
    assert arms[second.members.get().participant_id] in ["c1", "c2", "c3"]


def test_an_arm_moved_to_another_allocation_does_not_open(scheme, open_revision, give, user):
    first, second = give().allocation, give().allocation
    with lifted(connection):
        Allocation.objects.filter(pk=first.pk).update(arm_sealed=second.arm_sealed)

    with pytest.raises(SealError) as refused:
        reveal_arm(Allocation.objects.get(pk=first.pk), by=user, at=AT, reason="Test")

    assert refused.value.code == "E_SEAL_CONTEXT"


def test_masked_labels_stay_the_same_after_a_new_revision(scheme, open_revision, lock):
    before = labels_for(scheme=scheme, dataset="open")

    lock()

    assert labels_for(scheme=scheme, dataset="open") == before
    assert sorted(before) == sorted(ARMS)
    assert sorted(before.values()) == ["A", "B"]
