"""Entries of the trail written together are those that each save would have written."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, Trial
from trial.base import audit
from trial.base.gathering import gathered
from trial.base.models import AuditLeaf, waiting
from trial.journey.actions import refer
from trial.messages.models import Task
from trial.participants.actions import ReferralData
from trial.participants.identity import IdentityData
from trial.participants.models import Identity, Person, Referral, StatusEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TABLES = [Person.history, Identity.history, Referral.history, Task.history, StatusEvent.objects]


@pytest.fixture
def trial():
    return Trial()


def somebody(trial, last_name):
    return refer(
        site=trial.site,
        data=ReferralData(source_type="gp_practice", received_date=NOW.date(), contact_basis="permission"),
        who=IdentityData(first_name="Ann", last_name=last_name),
        by=trial.coordinator,
        at=NOW,
    )


def entries():
    return {table.model.__name__: table.count() for table in TABLES}


def newest(table):
    kept = {
        "id",
        "history_id",
        "history_date",
        "person_id",
        "referral_id",
        "screening_number",
        "sequence",
        "key",
        "link",
    }
    row = table.order_by("-pk").first()
    return {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.attname not in kept}


def test_every_entry_is_the_one_that_a_save_writes(trial):
    somebody(trial, "Alder")
    one_by_one = {
        table.model.__name__: newest(table)
        for table in TABLES
        if table.model not in (Person.history.model, Identity.history.model)
    }
    before = entries()

    with gathered():
        somebody(trial, "Birch")

    together = {name: newest(table) for table in TABLES if (name := table.model.__name__) in one_by_one}
    assert together == one_by_one
    assert {name: entries()[name] - n for name, n in before.items()} == dict.fromkeys(before, 1)


def test_every_entry_has_its_leaf_and_the_trail_verifies(trial):
    n_before = AuditLeaf.objects.count()

    with gathered():
        somebody(trial, "Alder")
        somebody(trial, "Birch")

    assert AuditLeaf.objects.count() - n_before == 2 * len(TABLES)
    audit.seal(at=NOW)
    assert audit.verify() == []


class Broken(Exception):
    """Something went wrong half-way."""


def broken_off(trial, last_name):
    with transaction.atomic():
        somebody(trial, last_name)
        raise Broken


def broken_off_inside(trial, last_name):
    with gathered():
        broken_off(trial, last_name)


def test_an_action_that_fails_inside_leaves_no_entry(trial):
    before = entries()

    with gathered():
        somebody(trial, "Alder")
        with pytest.raises(Broken):
            broken_off_inside(trial, "Birch")
        somebody(trial, "Cedar")

    assert {name: entries()[name] - n for name, n in before.items()} == dict.fromkeys(before, 2)
    assert audit.verify() == []


def test_an_error_writes_nothing_at_all(trial):
    before = entries()

    with pytest.raises(Broken):
        broken_off_inside(trial, "Alder")

    assert entries() == before
    assert waiting.get() is None
    assert not Referral.objects.exists()


def test_twenty_people_need_few_statements_for_their_trail(trial):
    with CaptureQueriesContext(connection) as queries, gathered():
        for number in range(20):
            somebody(trial, f"Alder{chr(97 + number)}")

    trail = [q["sql"] for q in queries if q["sql"].startswith("INSERT") and "historical" in q["sql"]]
    assert len(trail) == 4
