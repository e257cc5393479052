"""The lock and the contribution (randomisation.md section 3)."""

import json

import pytest

from randomisation.checking import verify_list
from randomisation.drafts import create_scheme, parameters_for
from randomisation.errors import LifeCycleRefused, NotAllocated, ParametersRefused, SealError
from randomisation.locks import TWO_TEXTS, add_contribution_part, record_contribution
from randomisation.locks import lock as lock_revision
from randomisation.models import EventLog, Revision, SealedRow, State
from randomisation.states import open_scheme
from randomisation.unsealed import unseal
from tests.randomisation.conftest import AT, LOCKED_AT, OPENED_AT, PARAMETERS
from tests.randomisation.life import ready_revision
from tests.randomisation.people import make_user


def events_of(scheme):
    return [event.event for event in scheme.events.order_by("n")]


def test_lock_seals_every_list_in_position_order(lock):
    revision = lock(rows_per_stratum=8)

    rows = list(SealedRow.objects.order_by("pk").values_list("key", "position"))
    assert rows == sorted(rows)
    assert {key for key, _ in rows} == {"site=01", "site=02"}
    for cursor in revision.cursors.all():
        assert 8 <= cursor.n_rows < 14
        assert SealedRow.objects.filter(key=cursor.key).count() == cursor.n_rows


def test_lock_makes_rows_that_agree_with_their_seed(scheme, lock):
    lock()

    assert verify_list(scheme) == 0


def test_lock_publishes_everything_but_secrets(lock):
    revision = lock()

    stored = json.dumps({field: str(value) for field, value in Revision.objects.values()[0].items()})
    assert "block_sizes" not in stored
    assert unseal(revision).parameters.settings == {"block_sizes": [4, 6]}
    assert len(revision.commitment) == 64


def test_lock_draws_a_new_secret_each_time(lock):
    first, second = lock(), lock()

    assert (first.number, second.number) == (1, 2)
    assert first.commitment != second.commitment
    assert unseal(first).seed != unseal(second).seed


def test_lock_is_the_first_entry_of_the_log_and_names_both_approvers(scheme, lock, approvers, user):
    revision = lock()

    event = scheme.events.get()
    assert (event.n, event.event, event.actor) == (1, EventLog.Event.LOCK, user)
    assert (event.first_approver, event.second_approver) == approvers
    assert event.facts["commitment"] == revision.commitment
    assert event.facts["approvers"] == [str(person.pk) for person in approvers]
    assert [len(f) for f in event.facts["fingerprints"].values()] == [16, 16]


def test_lock_needs_two_different_approvers(lock, user):
    with pytest.raises(LifeCycleRefused, match="Two different people"):
        lock(approvers=(user, user))

    assert Revision.objects.get().state == State.TESTED


@pytest.mark.parametrize("n_rows", [0, 10_001])
def test_lock_refuses_a_length_out_of_range(lock, n_rows):
    with pytest.raises(LifeCycleRefused, match="1 to 10,000 rows"):
        lock(rows_per_stratum=n_rows)


def test_lock_refuses_parameters_with_the_rule_named(lock):
    with pytest.raises(ParametersRefused, match="block_sizes: must be multiples"):
        lock(block_sizes=[5])


def test_lock_without_a_key_changes_nothing(lock, settings):
    settings.SEALING_KEYS = []

    with pytest.raises(SealError) as refused:
        lock()

    assert refused.value.code == "E_SEAL_KEY"
    assert not Revision.objects.exists()


def test_emergency_lists_are_made_at_lock_with_rows_of_their_own(scheme, lock):
    revision = lock(backup_rows=10, backup_block_sizes=[2, 4])

    cursors = revision.cursors.filter(purpose="backup")
    assert [cursor.fingerprint_key for cursor in cursors.order_by("key")] == [
        "backup:site=01",
        "backup:site=02",
    ]
    assert verify_list(scheme) == 0


@pytest.mark.parametrize("half", [{"backup_rows": 10}, {"backup_block_sizes": [4]}])
def test_emergency_lists_need_both_sizes_and_a_length(lock, half):
    with pytest.raises(LifeCycleRefused, match="sizes of their own and a length"):
        lock(**half)


def test_parameters_can_be_checked_before_anybody_approves_them(scheme):
    parameters = parameters_for(scheme, PARAMETERS)

    assert parameters.revision == 1
    assert not scheme.revisions.exists()


def test_a_scheme_code_is_checked(db):
    with pytest.raises(ParametersRefused, match="scheme"):
        create_scheme(code="Main", name="Main")


def test_approvers_may_differ_from_who_presses_the_button(lock, approvers):
    revision = lock(by=make_user(), approvers=approvers)

    assert revision.locked_at == LOCKED_AT


# --- contribution --------------------------------------------------------------------------------------


def test_no_list_exists_before_the_contribution(scheme, lock, user):
    lock(contribution_source="beacon round 4242424")

    assert not SealedRow.objects.exists()
    with pytest.raises(LifeCycleRefused, match="contribution is not recorded"):
        open_scheme(scheme=scheme, by=user, at=OPENED_AT)


def test_the_contribution_makes_the_lists(scheme, lock, user):
    revision = lock(contribution_source="beacon round 4242424")

    revision = record_contribution(revision=revision, contribution="value 8f1d", by=user, at=OPENED_AT)

    assert verify_list(scheme) == 0
    assert SealedRow.objects.exists()
    assert events_of(scheme) == ["lock", "contribution"]
    assert "8f1d" not in revision.contribution_sealed
    assert open_scheme(scheme=scheme, by=user, at=OPENED_AT).state == State.OPEN


@pytest.mark.parametrize(("source", "text"), [("none", "late"), ("beacon", "")])
def test_a_contribution_is_recorded_once_and_never_empty(lock, user, source, text):
    revision = lock(contribution_source=source)

    with pytest.raises(LifeCycleRefused, match="recorded once"):
        record_contribution(revision=revision, contribution=text, by=user, at=OPENED_AT)


@pytest.fixture
def two_texts(scheme, lock):
    """A locked revision that waits for the texts of two people."""
    return lock(contribution_source=TWO_TEXTS)


def test_two_people_give_their_texts_in_either_order(two_texts, scheme, user):
    add_contribution_part(revision=two_texts, part=2, text="second", by=make_user(), at=OPENED_AT)
    assert not SealedRow.objects.exists()
    add_contribution_part(revision=two_texts, part=1, text="first ŷ ", by=make_user(), at=OPENED_AT)

    two_texts.refresh_from_db()
    assert unseal(two_texts).seal.open(two_texts.contribution_sealed).decode() == "first ŷ \nsecond"
    assert events_of(scheme) == ["lock", "contribution"]
    assert verify_list(scheme) == 0
    assert open_scheme(scheme=scheme, by=user, at=AT).state == State.OPEN


def test_one_person_does_not_give_both_texts(two_texts, user):
    add_contribution_part(revision=two_texts, part=1, text="first", by=user, at=OPENED_AT)

    with pytest.raises(LifeCycleRefused, match="two different people"):
        add_contribution_part(revision=two_texts, part=2, text="second", by=user, at=OPENED_AT)
    with pytest.raises(LifeCycleRefused, match="given once"):
        add_contribution_part(revision=two_texts, part=1, text="again", by=make_user(), at=OPENED_AT)

    assert not SealedRow.objects.exists()


@pytest.mark.parametrize(("part", "text"), [(1, ""), (3, "third")])
def test_a_text_is_neither_empty_nor_a_third(two_texts, user, part, text):
    with pytest.raises(LifeCycleRefused, match="cannot be empty"):
        add_contribution_part(revision=two_texts, part=part, text=text, by=user, at=OPENED_AT)


def test_two_texts_that_are_too_long_together_leave_the_second_out(two_texts):
    add_contribution_part(revision=two_texts, part=1, text="x" * 300, by=make_user(), at=OPENED_AT)

    with pytest.raises(ParametersRefused, match="512 bytes"):
        add_contribution_part(revision=two_texts, part=2, text="y" * 300, by=make_user(), at=OPENED_AT)

    assert two_texts.contribution_parts.count() == 1


def test_nobody_is_allocated_before_the_second_text(two_texts, scheme, user, give):
    add_contribution_part(revision=two_texts, part=1, text="first", by=make_user(), at=OPENED_AT)

    with pytest.raises(LifeCycleRefused, match="contribution is not recorded"):
        open_scheme(scheme=scheme, by=user, at=OPENED_AT)
    with pytest.raises(NotAllocated) as refused:
        give()

    assert refused.value.codes == ["E_SCHEME_STATE"]
    assert scheme.allocations.count() == 0


def test_a_text_is_asked_for_only_where_the_lock_said_so(lock, user):
    with pytest.raises(LifeCycleRefused, match="No text is awaited"):
        add_contribution_part(revision=lock(), part=1, text="first", by=user, at=OPENED_AT)


def test_only_a_tested_revision_is_locked(scheme, approvers, user):
    revision = ready_revision(scheme=scheme, parameters=PARAMETERS, rows_per_stratum=8, at=LOCKED_AT)
    locked = lock_revision(revision=revision, approvers=approvers, by=user, at=LOCKED_AT)

    with pytest.raises(LifeCycleRefused, match="acceptance test is signed"):
        lock_revision(revision=locked, approvers=approvers, by=user, at=LOCKED_AT)

    assert events_of(scheme) == ["lock"]


def test_whoever_randomised_does_not_approve_a_lock(scheme, open_revision, give, user, lock):
    give()

    with pytest.raises(LifeCycleRefused, match="nor approve"):
        lock(approvers=(make_user(), user), by=make_user())
