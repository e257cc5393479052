"""Audited tables and events: nothing is written without a person, a reason and a leaf (BR-63, R-01 to R-03)."""

from datetime import date, timedelta

import pytest
from django.core import serializers
from django.db import IntegrityError, transaction

from tests.factories import NOW, give_role, make_user, staff
from trial.access.models import AccessEvent, Site, User
from trial.access.policy import Role
from trial.base.errors import NeverDeleted, ReasonMissing
from trial.base.models import AuditLeaf, Unattributed, leaf_hash
from trial.messages.models import Task

pytestmark = pytest.mark.django_db


def a_site(code="01", **changes):
    return Site(code=code, name=f"Site {code}", opened_date=date(2026, 1, 12), **changes)


def an_event():
    return AccessEvent(role="", kind=AccessEvent.Kind.EXPORTED, at=NOW)


def test_a_row_is_not_saved_without_saying_who():
    with pytest.raises(Unattributed):
        a_site().save()

    assert not Site.objects.exists()


def test_create_and_get_or_create_are_refused_too():
    fields = {"name": "Site", "opened_date": date(2026, 1, 12)}

    with pytest.raises(Unattributed):
        Site.objects.create(code="01", **fields)
    with pytest.raises(Unattributed):
        Site.objects.get_or_create(code="01", defaults=fields)

    assert not Site.objects.exists()


@pytest.mark.parametrize(
    ("bulk", "refusal"),
    [
        (lambda rows, site: rows.update(name="Other"), Unattributed),
        (lambda rows, site: rows.bulk_create([a_site("02")]), Unattributed),
        (lambda rows, site: rows.bulk_update([site], ["name"]), Unattributed),
        (lambda rows, site: rows.delete(), NeverDeleted),
        (lambda rows, site: site.delete(), NeverDeleted),
        (lambda rows, site: site.save(force_insert=True), Unattributed),
    ],
    ids=["update", "bulk_create", "bulk_update", "delete of a queryset", "delete of a row", "save"],
)
def test_paths_that_would_skip_history_are_refused(bulk, refusal):
    site = a_site().save_by(None)

    with pytest.raises(refusal):
        bulk(Site.objects.all(), site)

    assert list(Site.objects.values_list("name", flat=True)) == ["Site 01"]


@pytest.mark.parametrize("make", [a_site, an_event], ids=["audited", "event"])
def test_a_fixture_cannot_be_loaded_past_the_trail(make):
    text = serializers.serialize("json", [make()])
    (loaded,) = serializers.deserialize("json", text)

    with pytest.raises(Unattributed):
        loaded.save()

    assert not type(loaded.object)._default_manager.exists()


def test_an_account_in_a_fixture_is_refused():
    text = serializers.serialize("json", [User(email="a@example.org", name="A Person")])
    (loaded,) = serializers.deserialize("json", text)

    with pytest.raises(Unattributed):
        loaded.save()

    assert not User.objects.exists()


def test_an_attribution_holds_for_one_save_only():
    site = a_site().save_by(None)
    site.name = "Renamed"

    with pytest.raises(Unattributed):
        site.save_base()


def test_a_failed_save_leaves_no_attribution_behind():
    a_site().save_by(None)
    again = a_site()

    with pytest.raises(IntegrityError), transaction.atomic():
        again.save_by(None)
    with pytest.raises(Unattributed):
        again.save_base()


def test_a_change_of_a_stored_row_needs_a_reason():
    site = a_site().save_by(None)
    site.name = "Renamed"

    for reason in ("", "   "):
        with pytest.raises(ReasonMissing, match="Say why"):
            site.save_by(None, reason)

    assert Site.objects.get().name == "Site 01"
    assert site.history.count() == 1


def test_bookkeeping_changes_without_a_reason(clock):
    task = Task(
        key="one",
        kind="k",
        role="coordinator",
        title="Ring",
        detail="",
        link="/",
        due_date=date(2026, 7, 9),
        created_at=NOW,
    ).save_by(None)
    task.done_at = NOW

    task.save_by(None)

    assert task.history.count() == 2


def test_history_says_who_in_which_role_when_and_why(clock):
    site = a_site().save_by(None)
    coordinator = staff(Role.COORDINATOR, site, name="Asha Patel")
    site.target = 32
    clock.shift(timedelta(minutes=5))

    site.save_by(coordinator, "Protocol 1.1")

    last, first = site.history.all()
    assert (last.history_user, last.history_role, last.history_change_reason) == (
        coordinator,
        "coordinator",
        "Protocol 1.1",
    )
    assert (last.history_date, last.history_type, last.target) == (NOW + timedelta(minutes=5), "~", 32)
    assert (first.history_user, first.history_role, first.history_type) == (None, "system", "+")


def test_somebody_with_two_roles_is_recorded_with_both(clock):
    site = a_site().save_by(None)
    person = staff(Role.PRINCIPAL_INVESTIGATOR, site, blinded=False)
    give_role(person, Role.COORDINATOR, site)
    site.target = 1

    site.save_by(person, "Both")

    assert site.history.first().history_role == "coordinator+principal_investigator"


def test_each_history_row_has_its_leaf():
    site = a_site().save_by(None)
    site.target = 5
    site.save_by(None, "More")

    leaves = dict(AuditLeaf.objects.filter(table_name="trial_historicalsite").values_list("row_id", "sha256"))

    assert leaves == {row.history_id: leaf_hash(row) for row in site.history.all()}
    assert len(set(leaves.values())) == 2


def test_row_history_and_leaf_stand_or_fall_together():
    with transaction.atomic():
        a_site().save_by(None)
        transaction.set_rollback(True)

    assert not Site.objects.exists()
    assert not Site.history.exists()
    assert not AuditLeaf.objects.exists()


def test_an_account_keeps_history_without_its_password():
    user = make_user("Asha Patel")

    row = user.history.get()

    assert row.name == "Asha Patel"
    assert not hasattr(row, "password")
    assert AuditLeaf.objects.filter(table_name="trial_historicaluser", row_id=row.pk).exists()


def test_accounts_are_not_changed_in_bulk():
    make_user("Asha Patel")

    with pytest.raises(Unattributed):
        User.objects.update(is_active=False)

    assert User.objects.get().is_active


def test_an_event_is_stored_once_with_its_leaf():
    event = an_event()
    event.save()

    leaf = AuditLeaf.objects.get(table_name="trial_accessevent", row_id=event.pk)

    assert leaf.sha256 == leaf_hash(event)
    with pytest.raises(NeverDeleted):
        event.save()
    with pytest.raises(NeverDeleted):
        event.delete()


@pytest.mark.parametrize(
    ("bulk", "refusal"),
    [
        (lambda rows, event: rows.bulk_create([an_event()]), Unattributed),
        (lambda rows, event: rows.bulk_update([event], ["detail"]), IntegrityError),
        (lambda rows, event: rows.update(detail="Other"), IntegrityError),
        (lambda rows, event: rows.all().delete(), IntegrityError),
    ],
    ids=["bulk_create", "bulk_update", "update", "delete"],
)
def test_events_have_no_bulk_paths(bulk, refusal):
    event = an_event()
    event.save()

    with pytest.raises(refusal), transaction.atomic():
        bulk(AccessEvent.objects, event)

    assert list(AccessEvent.objects.values_list("detail", flat=True)) == [""]
