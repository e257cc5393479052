"""Whatever was tampered with: no allocation, the right code, and not a word about an arm (randomisation.md 13.13)."""

import logging

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from randomisation.arms import reveal_arm
from randomisation.checking import verify_list
from randomisation.engine.margins import Margins
from randomisation.errors import ListMismatch, NotAllocated, SealError
from randomisation.exceptions import flag
from randomisation.growth import add_level
from randomisation.margins import store
from randomisation.models import (
    Allocation,
    AllocationFlag,
    EventLog,
    Placement,
    Purpose,
    Revision,
    SealedMargins,
    SealedRow,
    StratumCursor,
)
from randomisation.states import open_scheme
from randomisation.unsealed import unseal
from tests.randomisation.life import AT, Study
from tests.randomisation.people import make_user
from tests.randomisation.test_methods import PEOPLE, design, minimised
from trial.base.triggers import lifted

pytestmark = pytest.mark.django_db

ARMS = ("zq7x", "kv4w", "jx9q")
KEY = "site=01;age=u65"
LISTED = design("permuted_blocks", [1, 1, 1], block_sizes=[3, 6])
MINIMISED = minimised([1, 1, 1])


def rows(position):
    return SealedRow.objects.filter(key=KEY, purpose=Purpose.LIST, position=position)


def alter(token):
    """Another character in the middle of a token."""
    return token[:60] + ("A" if token[60] != "A" else "B") + token[61:]


# --- what somebody with the database may try -----------------------------------------------------------


def alter_row(study):
    rows(2).update(token=alter(rows(2).get().token))


def swap_rows(study):
    second, third = rows(2).get().token, rows(3).get().token
    rows(2).update(token=third)
    rows(3).update(token=second)


def take_row_of_another_list(study):
    rows(2).update(token=SealedRow.objects.get(key="site=02;age=u65", position=2).token)


def take_start_of_another_row(study):
    rows(2).update(resume_sealed=rows(3).get().resume_sealed)


def seal_another_arm(study):
    unsealed = unseal(study.scheme.revision_in_force)
    row = rows(2).get()
    rows(2).update(token=unsealed.seal.seal_arm((unsealed.open_row(row) + 1) % 3, unsealed.row_context(row)))


def remove_row(study):
    rows(2)._raw_delete("default")


def alter_secret(study):
    Revision.objects.update(secret_sealed=alter(Revision.objects.get().secret_sealed))


def alter_parameters(study):
    Revision.objects.update(params_sealed=alter(Revision.objects.get().params_sealed))


def swap_secret_and_parameters(study):
    kept = Revision.objects.get()
    Revision.objects.update(secret_sealed=kept.params_sealed, params_sealed=kept.secret_sealed)


def alter_contribution(study):
    Revision.objects.update(contribution_sealed=alter(Revision.objects.get().contribution_sealed))


def alter_margins(study):
    SealedMargins.objects.update(token=alter(SealedMargins.objects.get().token))


def put_older_margins_under_the_newest_number(study):
    older = SealedMargins.objects.get().token
    study.give(PEOPLE[1])
    SealedMargins.objects.update(token=older)


def put_older_margins_back(study):
    older = SealedMargins.objects.get()
    study.give(PEOPLE[1])
    SealedMargins.objects.update(n=older.n, token=older.token)


def remove_margins(study):
    SealedMargins.objects.all()._raw_delete("default")


def log_an_entry_that_the_margins_lack(study):
    newest = study.scheme.events.last()
    EventLog.objects.create(
        scheme=study.scheme,
        n=newest.n + 1,
        at=AT,
        event="exclude",
        seq=1,
        actor=study.user,
        first_approver=make_user(),
        entry='{"facts":{}}',
        digest="0" * 64,
    )


LISTS = [
    (alter_row, "E_SEAL_CONTEXT"),
    (swap_rows, "E_SEAL_CONTEXT"),
    (take_row_of_another_list, "E_SEAL_CONTEXT"),
    (take_start_of_another_row, "E_SEAL_CONTEXT"),
    (seal_another_arm, "E_LIST_MISMATCH"),
    (remove_row, "E_LIST_MISMATCH"),
]
EITHER = [
    (alter_secret, "E_SEAL_CONTEXT"),
    (alter_parameters, "E_SEAL_CONTEXT"),
    (swap_secret_and_parameters, "E_SEAL_CONTEXT"),
    (alter_contribution, "E_SEAL_CONTEXT"),
]
MARGINS = [
    (alter_margins, "E_SEAL_CONTEXT"),
    (put_older_margins_under_the_newest_number, "E_SEAL_CONTEXT"),
    (put_older_margins_back, "E_LIST_MISMATCH"),
    (remove_margins, "E_LIST_MISMATCH"),
    (log_an_entry_that_the_margins_lack, "E_LIST_MISMATCH"),
]
CASES = [
    *((LISTED, *case) for case in (*LISTS, *EITHER)),
    *((MINIMISED, *case) for case in (*MARGINS, *EITHER)),
]


@pytest.mark.parametrize(
    ("parameters", "tamper", "code"), CASES, ids=[f"{p['method']}-{t.__name__}" for p, t, _ in CASES]
)
def test_what_was_tampered_with_allocates_nobody_and_pauses(parameters, tamper, code, caplog):
    caplog.set_level(logging.DEBUG)
    study = Study()
    study.start(parameters)
    study.give(PEOPLE[0])
    with lifted(connection):
        tamper(study)
    study.scheme.refresh_from_db()
    n_before, next_seq = study.scheme.allocations.count(), study.scheme.next_seq
    positions = list(StratumCursor.objects.order_by("pk").values_list("next_position", flat=True))

    with pytest.raises(NotAllocated) as refused:
        study.give(PEOPLE[0])

    study.scheme.refresh_from_db()
    assert refused.value.codes == [code]
    assert (study.scheme.allocations.count(), study.scheme.next_seq) == (n_before, next_seq)
    assert list(StratumCursor.objects.order_by("pk").values_list("next_position", flat=True)) == positions
    assert study.scheme.state == "paused"
    told = [(entry.event, entry.facts.get("codes")) for entry in study.scheme.events.order_by("n")][-2:]
    assert told == [("refused", [code]), ("pause", None)]
    critical = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert [record.getMessage() for record in critical] == [f"{code} in scheme main"]
    texts = caplog.text + str(refused.value) + "".join(study.scheme.events.values_list("entry", flat=True))
    assert not any(arm in texts for arm in ARMS)


@pytest.mark.parametrize("parameters", [LISTED, MINIMISED], ids=["list", "minimisation"])
@pytest.mark.parametrize("keys", [[], ["not a key"], [Fernet.generate_key().decode()]])
def test_without_its_key_nothing_is_allocated_guessed_or_paused(parameters, keys, settings):
    study = Study()
    study.start(parameters)
    study.give(PEOPLE[0])
    key, settings.SEALING_KEYS = settings.SEALING_KEYS, keys

    with pytest.raises(NotAllocated) as refused:
        study.give(PEOPLE[0])

    assert refused.value.codes == ["E_SEAL_KEY"]
    assert study.scheme.events.last().facts["codes"] == ["E_SEAL_KEY"]
    settings.SEALING_KEYS = key
    assert study.give(PEOPLE[0]).seq == 2
    study.assert_sound()


# --- tokens of allocations -----------------------------------------------------------------------------


def swap_arms(first, second):
    with lifted(connection):
        Allocation.objects.filter(pk=first.pk).update(arm_sealed=second.arm_sealed)
        Allocation.objects.filter(pk=second.pk).update(arm_sealed=first.arm_sealed)


@pytest.mark.parametrize("parameters", [LISTED, MINIMISED], ids=["list", "minimisation"])
def test_swapped_allocations_show_no_arm_and_are_found(parameters):
    study = Study()
    study.start(parameters)
    first, second = study.give(PEOPLE[0]), study.give(PEOPLE[1])
    swap_arms(first, second)

    for allocation in (first, second):
        with pytest.raises(SealError) as refused:
            reveal_arm(Allocation.objects.get(pk=allocation.pk), by=study.user, at=AT, reason="Test")
        assert refused.value.code == "E_SEAL_CONTEXT"
    assert verify_list(study.scheme) >= 2


def test_swapped_allocations_are_counted_by_no_later_minimisation():
    study = Study()
    study.start(LISTED)
    swap_arms(study.give(PEOPLE[0]), study.give(PEOPLE[1]))
    study.lock(MINIMISED)

    with pytest.raises(SealError) as refused:
        open_scheme(scheme=study.scheme, by=study.user, at=AT)

    assert refused.value.code == "E_SEAL_CONTEXT"
    assert study.scheme.state == "open"
    assert study.scheme.revision_in_force.number == 1


def test_swapped_allocations_stop_a_level_from_being_added_and_an_exclusion():
    study = Study()
    study.start(MINIMISED)
    first, second = study.give(PEOPLE[0]), study.give(PEOPLE[1])
    swap_arms(first, second)

    with pytest.raises(SealError):
        add_level(scheme=study.scheme, factor="site", level="03", approvers=study.approvers, by=study.user, at=AT)
    with pytest.raises(SealError):
        exclude(study, Allocation.objects.get(pk=first.pk))

    assert not AllocationFlag.objects.exists()
    assert study.scheme.events.last().event == "allocate"


def exclude(study, allocation):
    return flag(
        allocation=allocation,
        category=AllocationFlag.Category.DUPLICATE,
        excludes=True,
        reason="Twice",
        by=study.user,
        approver=make_user(),
        at=AT,
    )


def test_a_swapped_placement_stops_an_exclusion():
    study = Study()
    study.start(LISTED)
    first, second = study.give(PEOPLE[0]), study.give(PEOPLE[1])
    study.start(MINIMISED)
    with lifted(connection):
        Placement.objects.filter(allocation=first).update(token=Placement.objects.get(allocation=second).token)

    with pytest.raises(SealError):
        exclude(study, first)


def test_margins_that_lack_a_person_stop_an_exclusion_and_are_found():
    study = Study()
    revision = study.start(MINIMISED)
    allocation = study.give(PEOPLE[0])
    unsealed, n = unseal(revision), SealedMargins.objects.get().n
    with lifted(connection):
        SealedMargins.objects.all()._raw_delete("default")
    store(revision, unsealed, Margins(unsealed.design()), n=n)

    with pytest.raises(ListMismatch):
        exclude(study, allocation)

    assert verify_list(study.scheme) == 1


def test_a_tampered_scheme_refuses_and_another_goes_on():
    studies = [Study("main"), Study("other")]
    for study in studies:
        study.start(LISTED)
        study.give(PEOPLE[0], key=f"{study.scheme.code}-1")
    with lifted(connection):
        SealedRow.objects.filter(revision__scheme=studies[0].scheme).update(token="x")

    with pytest.raises(NotAllocated):
        studies[0].give(PEOPLE[0], key="main-2")

    assert studies[1].give(PEOPLE[0], key="other-2").seq == 2
