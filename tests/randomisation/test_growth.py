"""More rows, levels and people, and other keys (randomisation.md 1, 6.2, 9.5, 9.8)."""

import pytest
from django.db import connection

from randomisation.checking import verify_list
from randomisation.errors import LifeCycleRefused, ListMismatch
from randomisation.growth import extend
from randomisation.models import SealedRow
from randomisation.states import close_scheme, open_scheme
from tests.randomisation.conftest import AT, OPENED_AT
from trial.base.triggers import lifted


def events_of(scheme):
    return [event.event for event in scheme.events.order_by("n")]


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
    with pytest.raises(LifeCycleRefused, match="open or paused"):
        extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)


def test_extension_refuses_a_list_that_has_changed(scheme, open_revision, approvers, user):
    with lifted(connection):
        open_revision.cursors.update(fingerprint="0" * 64)

    with pytest.raises(ListMismatch):
        extend(scheme=scheme, rows_per_stratum=40, approvers=approvers, by=user, at=AT)
