"""Guards in the schema: every constraint and trigger is tried (randomisation.md 8.2)."""

from datetime import date

import pytest
from django.contrib import admin
from django.db import IntegrityError, connection, transaction

from randomisation import models
from randomisation.checking import verify_list
from randomisation.drafts import create_scheme
from randomisation.models import (
    Allocation,
    AllocationMember,
    ArmAccessLog,
    EventLog,
    Revision,
    Scheme,
    SealedRow,
    StratumCursor,
)
from tests.randomisation.conftest import ARMS, AT
from tests.randomisation.people import make_participant, make_user
from trial.base.triggers import lifted


def refused(words="constraint"):
    return pytest.raises(IntegrityError, match=words)


def insert(row, **changes):
    """Store a copy of `row` with changes."""
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.primary_key}
    with transaction.atomic():
        return type(row).objects.create(**{**values, **changes})


def update(row, **changes):
    with transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**changes)


def delete(row):
    with transaction.atomic():
        type(row)._base_manager.filter(pk=row.pk)._raw_delete("default")


@pytest.fixture
def allocation(open_revision, give):
    return give().allocation


# --- append-only and never deleted ---------------------------------------------------------------------


@pytest.mark.parametrize("model", [Allocation, AllocationMember, SealedRow, EventLog])
def test_rows_of_record_are_neither_changed_nor_deleted(allocation, model):
    row = model.objects.order_by("pk").first()
    field = model._meta.concrete_fields[1].attname

    with refused("append-only"):
        update(row, **{field: getattr(row, field)})
    with refused("append-only"):
        delete(row)


def test_the_log_of_arm_accesses_is_neither_changed_nor_deleted(scheme, user):
    row = ArmAccessLog.objects.create(scheme=scheme, by=user, at=AT, reason="Closed report", n_arms=0)

    with refused("append-only"):
        update(row, reason="Other")
    with refused("append-only"):
        delete(row)


@pytest.mark.parametrize("model", [Scheme, Revision, StratumCursor])
def test_schemes_revisions_and_cursors_are_never_deleted(open_revision, model):
    with refused("never deleted"):
        delete(model.objects.first())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", 7),
        ("params_public", {}),
        ("params_sealed", "x"),
        ("secret_sealed", "x"),
        ("commitment", "0" * 64),
        ("locked_at", AT),
    ],
)
def test_a_locked_revision_never_changes(lock, field, value):
    revision = lock()

    with refused("locked revision never changes"):
        update(revision, **{field: value})


def test_a_locked_revision_keeps_its_scheme_and_who_locked_it(lock):
    revision = lock()

    with refused("locked revision never changes"):
        update(revision, scheme=create_scheme(code="other", name="Other"))
    with refused("locked revision never changes"):
        update(revision, locked_by=make_user())


def test_a_wrapped_data_key_may_be_wrapped_again(lock):
    revision = lock()

    update(revision, data_key_wrapped="wrapped by another key")

    revision.refresh_from_db()
    assert revision.data_key_wrapped == "wrapped by another key"


def test_a_contribution_is_never_replaced(lock):
    with refused("recorded once"):
        update(lock(), contribution_sealed="x")


@pytest.mark.parametrize(
    ("before", "after"), [("open", "locked"), ("paused", "locked"), ("closed", "open"), ("closed", "paused")]
)
def test_a_revision_never_goes_back(lock, before, after):
    revision = lock()
    update(revision, state=before)

    with refused("never goes back"):
        update(revision, state=after)


@pytest.mark.parametrize("next_seq", [1, 3, 4])
def test_allocations_are_counted_one_by_one(allocation, next_seq):
    scheme = allocation.scheme
    update(scheme, next_seq=2)

    if next_seq == 3:
        update(scheme, next_seq=next_seq)
    else:
        with refused("one by one"):
            update(scheme, next_seq=next_seq)


def test_the_code_of_a_scheme_never_changes(scheme):
    with refused("code of a scheme"):
        update(scheme, code="other")


@pytest.mark.parametrize("changes", [{"next_position": 1}, {"next_position": 4}, {"n_rows": 2}, {"rows_requested": 2}])
def test_rows_are_never_given_back(allocation, changes):
    cursor = StratumCursor.objects.get(key="site=01")

    with refused("given back"):
        update(cursor, **changes)


@pytest.mark.parametrize("changes", [{"key": "site=09"}, {"purpose": "backup"}])
def test_a_list_keeps_its_name(open_revision, changes):
    with refused("keeps its name"):
        update(StratumCursor.objects.first(), **changes)


def test_a_member_belongs_to_the_scheme_of_its_allocation(allocation):
    other = create_scheme(code="other", name="Other")

    with refused("scheme of its allocation"):
        AllocationMember.objects.create(allocation=allocation, scheme=other, participant=make_participant())


# --- unique and check constraints ----------------------------------------------------------------------

FREE = {"unit": "free", "seq": 99, "position": 99, "request_key": "free"}


@pytest.mark.parametrize("field", ["unit", "seq", "position", "request_key"])
def test_unit_seq_position_and_request_key_are_used_once(allocation, field):
    with refused():
        insert(allocation, **{key: value for key, value in FREE.items() if key != field})


def test_another_allocation_is_stored_when_all_of_them_are_free(allocation):
    assert insert(allocation, **FREE).pk


@pytest.mark.parametrize(
    "changes", [{"seq": 0}, {"position": 0}, {"unit": ""}, {"arm_sealed": ""}, {"request_key": ""}]
)
def test_an_incomplete_allocation_is_refused(allocation, changes):
    with refused():
        insert(allocation, **{**FREE, **changes})


def test_a_participant_is_allocated_once(allocation):
    member = allocation.members.get()
    other = insert(allocation, **FREE)

    with refused():
        insert(member, allocation_id=other.pk)


def test_a_row_has_its_position_alone(open_revision):
    row = SealedRow.objects.first()

    with refused():
        insert(row)
    with refused():
        insert(row, position=0)


def test_a_list_has_one_cursor(open_revision):
    with refused():
        insert(StratumCursor.objects.first())


@pytest.mark.parametrize("changes", [{"next_position": 0}, {"next_position": 99}])
def test_a_cursor_stays_on_its_list(open_revision, changes):
    with refused():
        insert(StratumCursor.objects.first(), key="site=09", **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 1},
        {"number": 0},
        {"state": "open"},
        {"state": "revised"},
        {"secret_sealed": ""},
        {"params_sealed": ""},
        {"data_key_wrapped": ""},
        {"commitment": ""},
        {"state": "paused", "contribution_sealed": ""},
    ],
)
def test_a_revision_outside_the_rules_is_refused(open_revision, changes):
    with refused():
        insert(open_revision, **{"number": 2, "state": "locked", **changes})


@pytest.mark.parametrize(
    "changes",
    [{"next_seq": 0}, {"code": "main"}, {"opens_date": date(2026, 3, 2), "closes_date": date(2026, 3, 1)}],
)
def test_a_scheme_outside_the_rules_is_refused(scheme, changes):
    with refused():
        insert(scheme, **{"code": "other", **changes})


def test_events_are_numbered_once_from_one(open_revision):
    event = EventLog.objects.get(event="open")

    with refused():
        insert(event)
    with refused():
        insert(event, n=0)


def test_an_event_that_needs_two_approvals_has_two_people(scheme, lock, user):
    lock()
    event = EventLog.objects.get(event="lock")

    with refused():
        insert(event, n=2, first_approver_id=None, second_approver_id=None)
    with refused():
        insert(event, n=2, first_approver_id=user.pk, second_approver_id=user.pk)
    with refused():
        insert(event, n=2, first_approver_id=user.pk, second_approver_id=None)


def test_an_arm_access_says_why(scheme, user):
    with refused(), transaction.atomic():
        ArmAccessLog.objects.create(scheme=scheme, by=user, at=AT, reason="", n_arms=0)


# --- nothing leaks -------------------------------------------------------------------------------------


def test_no_model_of_randomisation_is_in_the_admin():
    registered = {model._meta.app_label for model in admin.site._registry}

    assert "randomisation" not in registered


def test_no_stored_value_but_the_public_parameters_holds_an_arm(allocation, user):
    names = [t for t in connection.introspection.table_names() if t.startswith("randomisation_")]
    found = set()

    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f'SELECT * FROM "{name}"')  # noqa: S608
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                values = zip(columns, map(str, row), strict=True)
                found |= {(name, column) for column, value in values if any(arm in value for arm in ARMS)}

    assert found == {("randomisation_revision", "params_public")}


def test_descriptions_of_rows_hold_no_arm(allocation, user):
    ArmAccessLog.objects.create(scheme=allocation.scheme, by=user, at=AT, reason="Closed report", n_arms=1)

    for model in (
        Scheme,
        Revision,
        StratumCursor,
        SealedRow,
        Allocation,
        AllocationMember,
        EventLog,
        ArmAccessLog,
    ):
        for row in model.objects.all():
            assert not any(arm in f"{row} {row!r}" for arm in ARMS)


def test_a_switched_off_trigger_does_not_hide_what_was_done(scheme, open_revision):
    rows = SealedRow.objects.filter(key="site=01")

    with lifted(connection):
        rows.filter(position=1).update(token="x")

    assert verify_list(scheme) == 1
    assert models.Purpose.LIST == "list"
