"""What the database itself refuses, on SQLite and PostgreSQL alike (R-02, R-03, R-40)."""

import sqlite3
from datetime import date

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, transaction

from tests.factories import NOW
from trial.access.models import AccessEvent, Site
from trial.base import audit, triggers
from trial.base.models import AuditedModel, AuditLeaf

pytestmark = pytest.mark.django_db


def run(sql, *params):
    """Execute one statement, as any program with access to the database could."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def site():
    return Site(code="01", name="Tamar Vale", opened_date=date(2026, 1, 12)).save_by(None)


@pytest.fixture
def event():
    event = AccessEvent(role="", kind=AccessEvent.Kind.EXPORTED, at=NOW)
    event.save()
    return event


def test_every_trigger_that_a_model_asks_for_is_installed():
    there = triggers.installed(connection)

    assert triggers.missing(connection) == []
    assert {t.name: t.table for t in triggers.wanted()}.items() <= there.items()


def test_names_are_unique_and_fit_postgresql():
    names = [t.name for t in triggers.wanted()]

    assert len(set(names)) == len(names)
    assert max(len(f"{name}_all") for name in names) <= 63


def test_every_history_and_event_table_is_append_only():
    held = {(t.table, t.operation) for t in triggers.wanted() if "append-only" in t.message}

    wanted = {(m._meta.db_table, operation) for m in audit.trail_tables() for operation in ("UPDATE", "DELETE")}

    assert wanted <= held
    assert len(wanted) > 60


def test_no_audited_table_gives_up_a_row():
    held = {t.table for t in triggers.wanted() if t.operation == "DELETE"}

    assert {m._meta.db_table for m in apps.get_models() if issubclass(m, AuditedModel)} <= held


@pytest.mark.parametrize("change", ["UPDATE {} SET history_change_reason = 'x'", "DELETE FROM {}"])
def test_a_history_row_is_neither_changed_nor_deleted(site, change):
    with pytest.raises(IntegrityError, match="append-only"):
        run(change.format("trial_historicalsite"))

    assert site.history.get().history_change_reason == ""


@pytest.mark.parametrize("change", ["UPDATE {} SET detail = 'x'", "DELETE FROM {}"])
def test_an_event_is_neither_changed_nor_deleted(event, change):
    with pytest.raises(IntegrityError, match="append-only"):
        run(change.format("trial_accessevent"))

    assert AccessEvent.objects.get().detail == ""


def test_an_audited_row_is_never_deleted(site):
    with pytest.raises(IntegrityError, match="never deleted"):
        run("DELETE FROM trial_site")


def test_the_hash_of_an_entry_never_changes_and_is_sealed_once(site):
    with pytest.raises(IntegrityError, match="never changes"):
        run("UPDATE trial_auditleaf SET sha256 = '0'")
    audit.seal(at=NOW)

    for change in ("seal_id = NULL", "seal_id = 99", "row_id = 7"):
        with pytest.raises(IntegrityError):
            run(f"UPDATE trial_auditleaf SET {change}")  # noqa: S608

    assert AuditLeaf.objects.get().seal_id == 1


def test_a_seal_never_changes(site):
    audit.seal(at=NOW)

    with pytest.raises(IntegrityError, match="append-only"):
        run("UPDATE trial_auditseal SET root = '0'")


def test_the_switch_lifts_the_triggers_for_its_block_only(site):
    with triggers.lifted(connection):
        run("UPDATE trial_historicalsite SET name = 'Lifted'")

    assert site.history.get().name == "Lifted"
    with pytest.raises(IntegrityError, match="append-only"):
        run("UPDATE trial_historicalsite SET name = 'Again'")


def test_the_switch_goes_back_after_an_error(site):
    with pytest.raises(RuntimeError), triggers.lifted(connection):
        raise RuntimeError

    with pytest.raises(IntegrityError, match="append-only"):
        run("UPDATE trial_historicalsite SET name = 'Again'")


def drop(trigger):
    run(f'DROP TRIGGER "{trigger.name}"' + ("" if connection.vendor == "sqlite" else f' ON "{trigger.table}"'))


def test_a_dropped_trigger_is_found_and_put_back(site):
    one = next(t for t in triggers.wanted() if t.table == "trial_historicalsite" and t.operation == "UPDATE")
    drop(one)

    assert triggers.missing(connection) == ["trial_historicalsite"]
    triggers.install(connection)

    assert triggers.missing(connection) == []
    with pytest.raises(IntegrityError, match="append-only"):
        run("UPDATE trial_historicalsite SET name = 'x'")


def test_a_trigger_that_nobody_asks_for_any_more_is_dropped():
    before = triggers.installed(connection)
    old = triggers.Trigger("trial_site", "UPDATE", "1 = 0", "An older rule")
    make = triggers._sqlite_sql if connection.vendor == "sqlite" else triggers._postgres_sql
    for statement in make(old):
        run(statement)
    assert old.name in triggers.installed(connection)

    triggers.install(connection)

    assert triggers.installed(connection) == before


@pytest.mark.only_postgresql
def test_a_table_cannot_be_truncated():
    with pytest.raises(IntegrityError, match="append-only"):
        run("TRUNCATE trial_historicalsite")


@pytest.mark.only_postgresql
def test_a_dropped_guard_against_truncation_is_found():
    one = next(t for t in triggers.wanted() if t.table == "trial_historicalsite" and t.operation == "DELETE")
    run(f'DROP TRIGGER "{one.name}_all" ON "{one.table}"')

    assert triggers.missing(connection) == ["trial_historicalsite"]
    triggers.install(connection)

    assert triggers.missing(connection) == []


@pytest.mark.only_postgresql
def test_a_disabled_trigger_counts_as_missing():
    one = next(t for t in triggers.wanted() if t.table == "trial_historicalsite" and t.operation == "UPDATE")

    run(f'ALTER TABLE "{one.table}" DISABLE TRIGGER "{one.name}"')

    assert triggers.missing(connection) == ["trial_historicalsite"]


@pytest.mark.only_postgresql
def test_only_the_owner_of_the_tables_can_lift_the_triggers(site):
    """The application's role of production: it may write to the tables, and does not own them."""
    run("CREATE ROLE hedgerow_application")
    run("GRANT ALL ON ALL TABLES IN SCHEMA public TO hedgerow_application")
    run("SET SESSION AUTHORIZATION hedgerow_application")
    try:
        for change in ("UPDATE trial_historicalsite SET name = 'x'", "DELETE FROM trial_historicalsite"):
            with triggers.lifted(connection), pytest.raises(IntegrityError, match="append-only"):
                run(change)
        with pytest.raises(DatabaseError, match="must be owner"):
            run("ALTER TABLE trial_historicalsite DISABLE TRIGGER ALL")
    finally:
        run("RESET SESSION AUTHORIZATION")

    assert site.history.get().name == "Tamar Vale"


@pytest.mark.only_sqlite
@pytest.mark.parametrize("table", ["trial_historicalsite", "trial_site"])
def test_a_row_cannot_be_replaced_by_another(site, table):
    with pytest.raises(IntegrityError, match=r"append-only|never deleted"):
        run(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608


@pytest.mark.only_sqlite
def test_another_program_on_sqlite_cannot_change_the_trail(site, tmp_path):
    other = sqlite3.connect(tmp_path / "copy.sqlite3")
    other.create_function("REGEXP", 2, lambda pattern, text: True)
    other.executescript("\n".join(connection.connection.iterdump()))

    for change in (
        "UPDATE trial_historicalsite SET name = 'x'",
        "DELETE FROM trial_historicalsite",
        "DELETE FROM trial_site",
    ):
        with pytest.raises(sqlite3.OperationalError, match="no such function: hedgerow_lifted"):
            other.execute(change)

    assert other.execute("SELECT name FROM trial_historicalsite").fetchall() == [("Tamar Vale",)]
    other.close()
