import json

import pytest
from django.db import connection

from randomisation.checking import verify_list
from randomisation.drafts import create_scheme, parameters_for
from randomisation.errors import LifeCycleRefused, ListMismatch, ParametersRefused, SealError
from randomisation.growth import extend
from randomisation.locks import record_contribution
from randomisation.models import EventLog, Revision, SealedRow, State
from randomisation.states import close_scheme, open_scheme, pause_scheme
from randomisation.unsealed import unseal
from tests.randomisation.conftest import AT, LOCKED_AT, OPENED_AT, PARAMETERS
from tests.randomisation.people import make_user
from trial.base.triggers import lifted


def events_of(scheme):
    return [event.event for event in scheme.events.order_by("n")]


# --- lock ----------------------------------------------------------------------------------------------


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

    assert not Revision.objects.exists()


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


# --- contribution --------------------------------------------------------------------------------------


def test_no_list_exists_before_the_contribution(scheme, lock, user):
    lock(contribution_source="beacon round 4242424")

    assert not SealedRow.objects.exists()
    with pytest.raises(LifeCycleRefused, match="contribution is recorded"):
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


# --- open, pause, close --------------------------------------------------------------------------------


def test_a_scheme_goes_through_its_life_and_logs_it(scheme, lock, user):
    states = [scheme.state]
    lock()
    states.append(scheme.state)

    for step in (
        lambda: open_scheme(scheme=scheme, by=user, at=OPENED_AT),
        lambda: pause_scheme(scheme=scheme, reason="Staff away", by=user, at=AT),
        lambda: open_scheme(scheme=scheme, by=user, at=AT),
        lambda: close_scheme(scheme=scheme, reason="Target reached", by=user, at=AT),
    ):
        step()
        states.append(scheme.state)

    assert states == ["draft", "locked", "open", "paused", "open", "closed"]
    assert events_of(scheme) == ["lock", "open", "pause", "open", "close"]
    assert scheme.events.get(n=3).facts == {"revision": 1, "reason": "Staff away"}


def test_opening_a_revision_closes_the_one_before(scheme, open_revision, lock, user):
    lock()

    second = open_scheme(scheme=scheme, by=user, at=AT)

    open_revision.refresh_from_db()
    assert (open_revision.state, second.state, second.number) == (State.CLOSED, State.OPEN, 2)
    assert events_of(scheme)[-2:] == ["close", "open"]


def test_a_paused_revision_can_be_opened_although_a_newer_one_waits(scheme, open_revision, lock, user):
    pause_scheme(scheme=scheme, reason="Staff away", by=user, at=AT)
    lock()

    revision = open_scheme(scheme=scheme, by=user, at=AT, number=1)

    assert revision == open_revision
    assert scheme.revision_in_force == open_revision


def test_a_scheme_without_a_locked_revision_cannot_be_opened(scheme, user):
    with pytest.raises(LifeCycleRefused, match="locked or paused"):
        open_scheme(scheme=scheme, by=user, at=OPENED_AT)


def test_a_closed_scheme_stays_closed(scheme, open_revision, user):
    close_scheme(scheme=scheme, reason="Target reached", by=user, at=AT)

    with pytest.raises(LifeCycleRefused):
        open_scheme(scheme=scheme, by=user, at=AT)
    with pytest.raises(LifeCycleRefused):
        pause_scheme(scheme=scheme, reason="Staff away", by=user, at=AT)
    with pytest.raises(LifeCycleRefused):
        close_scheme(scheme=scheme, reason="Again", by=user, at=AT)


def test_pausing_and_closing_need_a_reason(scheme, open_revision, user):
    with pytest.raises(LifeCycleRefused, match="reason"):
        pause_scheme(scheme=scheme, reason=" ", by=user, at=AT)
    with pytest.raises(LifeCycleRefused, match="reason"):
        close_scheme(scheme=scheme, reason="", by=user, at=AT)


# --- extend --------------------------------------------------------------------------------------------


def test_extension_lengthens_every_list_and_changes_no_row(scheme, open_revision, approvers, user):
    before = dict(SealedRow.objects.values_list("pk", "token"))

    extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)

    after = dict(SealedRow.objects.values_list("pk", "token"))
    assert before.items() <= after.items()
    assert all(cursor.n_rows >= 40 for cursor in open_revision.cursors.all())
    assert verify_list(scheme) == 0
    assert events_of(scheme)[-1] == "extend"


def test_extension_to_a_shorter_length_changes_nothing(scheme, open_revision, approvers, user):
    n_rows = SealedRow.objects.count()

    extend(scheme=scheme, rows_per_stratum=2, approvers=approvers, by=user, at=AT)

    assert SealedRow.objects.count() == n_rows
    assert verify_list(scheme) == 0


def test_extension_leaves_emergency_lists_alone(scheme, lock, approvers, user):
    revision = lock(backup_rows=4, backup_block_sizes=[4])
    open_scheme(scheme=scheme, by=user, at=OPENED_AT)

    extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)

    assert {cursor.n_rows for cursor in revision.cursors.filter(purpose="backup")} == {4}


def test_extension_refuses_one_approver_a_bad_length_or_a_scheme_not_in_force(scheme, open_revision, approvers, user):
    with pytest.raises(LifeCycleRefused, match="Two different"):
        extend(scheme=scheme, rows_per_stratum=40, approvers=(user, user), by=user, at=AT)
    with pytest.raises(LifeCycleRefused, match="rows"):
        extend(scheme=scheme, rows_per_stratum=0, approvers=approvers, by=user, at=AT)
    close_scheme(scheme=scheme, reason="Target reached", by=user, at=AT)
    with pytest.raises(LifeCycleRefused, match="extended"):
        extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)


def test_extension_refuses_a_list_that_has_changed(scheme, open_revision, approvers, user):
    with lifted(connection):
        open_revision.cursors.update(fingerprint="0" * 64)

    with pytest.raises(ListMismatch):
        extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)


def test_approvers_may_differ_from_who_presses_the_button(lock, approvers):
    revision = lock(by=make_user(), approvers=approvers)

    assert revision.locked_at == LOCKED_AT
