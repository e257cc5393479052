import hashlib
import json

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from randomisation.checking import verify_event_log, verify_list
from randomisation.errors import NotAllocated, Refusal, SealError
from randomisation.models import Allocation, EventLog, SealedRow, StratumCursor
from randomisation.unsealed import unseal
from tests.randomisation.conftest import AT
from trial.base.triggers import lifted


@pytest.fixture
def used(scheme, open_revision, give):
    """A scheme with five allocations and a refusal in its log: lock, open, 5 x allocate, refused."""
    for _ in range(5):
        give()
    with pytest.raises(NotAllocated):
        give(check=lambda request: [Refusal("E_CONSENT", "Consent is missing.")])
    return scheme


def row(position=1):
    return SealedRow.objects.filter(key="site=01", position=position)


def test_a_sound_scheme_has_no_difference(used):
    assert verify_list(used) == 0
    assert verify_event_log(used) is None


def test_a_scheme_with_nothing_locked_is_sound(scheme):
    assert verify_list(scheme) == 0
    assert verify_event_log(scheme) is None


def test_every_row_that_differs_counts(used, open_revision):
    unsealed = unseal(open_revision)
    context = unsealed.context(purpose="list", key="site=01", position=1)
    other_arm = 1 - unsealed.open_row(row().get())

    with lifted(connection):
        row(1).update(token=unsealed.seal.seal_arm(other_arm, context))
        row(2).update(token=row(3).get().token)
        row(4).delete()

    assert verify_list(used) == 3


def test_a_surplus_row_counts(used, open_revision):
    unsealed = unseal(open_revision)
    context = unsealed.context(purpose="list", key="site=01", position=900)

    SealedRow.objects.create(
        revision=open_revision,
        purpose="list",
        key="site=01",
        position=900,
        token=unsealed.seal.seal_arm(0, context),
    )

    assert verify_list(used) == 1


def test_an_allocation_that_is_not_its_row_counts(used, open_revision):
    allocation = used.allocations.get(seq=2)
    unsealed = unseal(open_revision)
    context = unsealed.allocation_context(unit=allocation.unit, seq=2)
    token = unsealed.seal.seal_arm(1 - unsealed.open_allocation(allocation), context)

    with lifted(connection):
        Allocation.objects.filter(pk=allocation.pk).update(arm_sealed=token)

    assert verify_list(used) == 1
    assert verify_event_log(used) == 4


def test_a_changed_fingerprint_counts(used):
    with lifted(connection):
        StratumCursor.objects.filter(key="site=02").update(fingerprint="0" * 64)

    assert verify_list(used) > 0


def test_verification_needs_the_key(used, settings):
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(SealError) as refused:
        verify_list(used)

    assert refused.value.code == "E_SEAL_KEY"


def test_the_chain_is_the_one_the_reference_describes(used, open_revision):
    digest = bytes.fromhex(open_revision.commitment)

    for event in used.events.order_by("n"):
        digest = hashlib.sha256(digest + event.entry.encode()).digest()

    assert digest.hex() == used.events.order_by("n").last().digest
    assert set(json.loads(used.events.get(n=3).entry)) == {
        "n",
        "time",
        "event",
        "seq",
        "actor",
        "facts",
        "token_sha256",
    }


@pytest.mark.parametrize(
    ("n", "changes"),
    [
        (3, {"seq": 9}),
        (2, {"at": AT}),
        (8, {"event": "pause"}),
        (1, {"digest": "0" * 64}),
        (2, {"entry": "{}"}),
    ],
)
def test_an_entry_that_was_altered_is_named(used, n, changes):
    with lifted(connection):
        EventLog.objects.filter(scheme=used, n=n).update(**changes)

    assert verify_event_log(used) == n


def test_an_entry_that_was_removed_is_named(used):
    with lifted(connection):
        EventLog.objects.filter(scheme=used, n=4).delete()

    assert verify_event_log(used) == 4


def test_a_log_cut_off_at_its_end_is_noticed(used):
    with lifted(connection):
        EventLog.objects.filter(scheme=used, n__gte=7).delete()

    assert verify_event_log(used) == 7


def test_an_allocation_that_was_removed_is_noticed(used):
    with lifted(connection):
        allocation = used.allocations.get(seq=5)
        allocation.members.all()._raw_delete("default")
        Allocation.objects.filter(pk=allocation.pk)._raw_delete("default")

    assert verify_event_log(used) == 7


def test_an_altered_start_of_a_block_counts(used):
    with lifted(connection):
        row(6).update(resume_sealed=row(7).get().resume_sealed)

    assert verify_list(used) == 1
