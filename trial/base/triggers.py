"""Triggers that hold what must never be false, on SQLite and PostgreSQL alike.

A model of any app declares what it needs by class attributes, so that no app has to import this module:
    append_only = True    rows are inserted, never changed or deleted
    never_delete = True   rows are never deleted
    stops_at_lock = True  rows are neither inserted nor changed while the dataset is locked (R-40)
    guards = ((name, "INSERT" | "UPDATE" | "DELETE", condition over OLD. and NEW., message), ...)

They are installed after every `migrate`, since SQLite drops them when it rebuilds a table, and checked at
start-up. Migrations and test clean-up lift them with `lifted()`: on PostgreSQL that works for the owner of
the tables only, and the application's role is not the owner in production.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

IN_FORCE = "kind = 'final' AND state IN ('locked', 'unlock_asked')"
LOCKED = f"EXISTS (SELECT 1 FROM trial_datasetlock WHERE {IN_FORCE})"  # noqa: S608
LOCK_MESSAGE = "The dataset is locked"


@dataclass(frozen=True)
class Trigger:
    """One refusal: `message` is raised when `condition` holds for the row at `operation`."""

    table: str
    operation: str
    condition: str
    message: str

    @property
    def name(self) -> str:
        """Unique, at most 63 characters, and another name for another definition."""
        digest = hashlib.sha256(f"{self.condition}|{self.message}".encode()).hexdigest()[:8]
        return f"hr_{self.table[:36]}_{self.operation.lower()}_{digest}"


def _of_model(model: type[models.Model]) -> Iterator[Trigger]:
    table = model._meta.db_table
    if getattr(model, "append_only", False):
        yield Trigger(table, "UPDATE", "1 = 1", f"{table} is append-only")
        yield Trigger(table, "DELETE", "1 = 1", f"{table} is append-only")
    elif getattr(model, "never_delete", False):
        yield Trigger(table, "DELETE", "1 = 1", f"Rows of {table} are never deleted")
    if getattr(model, "stops_at_lock", False):
        yield Trigger(table, "INSERT", LOCKED, LOCK_MESSAGE)
        yield Trigger(table, "UPDATE", LOCKED, LOCK_MESSAGE)
    for _, operation, condition, message in getattr(model, "guards", ()):
        yield Trigger(table, operation, condition, message)


def wanted() -> list[Trigger]:
    """Every trigger that the installed models ask for."""
    return [trigger for model in apps.get_models() for trigger in _of_model(model)]


def _sqlite_sql(trigger: Trigger) -> list[str]:
    condition = trigger.condition.replace("IS NOT DISTINCT FROM", "IS").replace("IS DISTINCT FROM", "IS NOT")
    return [
        f'CREATE TRIGGER "{trigger.name}" BEFORE {trigger.operation} ON "{trigger.table}" FOR EACH ROW'
        f" WHEN hedgerow_lifted() = 0 AND ({condition})"
        f" BEGIN SELECT RAISE(ABORT, '{trigger.message}'); END"
    ]


def _postgres_sql(trigger: Trigger) -> list[str]:
    back = "OLD" if trigger.operation == "DELETE" else "NEW"
    owner = "pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER')"
    statements = [
        f'CREATE OR REPLACE FUNCTION "{trigger.name}"() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN'
        f" IF ({trigger.condition}) AND NOT"
        f" (coalesce(current_setting('hedgerow.lifted', true), '') = 'on' AND {owner})"
        f" THEN RAISE EXCEPTION '{trigger.message}' USING ERRCODE = 'check_violation'; END IF;"
        f" RETURN {back}; END $body$",
        f'CREATE OR REPLACE TRIGGER "{trigger.name}" BEFORE {trigger.operation} ON "{trigger.table}"'
        f' FOR EACH ROW EXECUTE FUNCTION "{trigger.name}"()',
    ]
    if trigger.operation == "DELETE":
        statements.append(
            f'CREATE OR REPLACE TRIGGER "{trigger.name}_all" BEFORE TRUNCATE ON "{trigger.table}"'
            f' FOR EACH STATEMENT EXECUTE FUNCTION "{trigger.name}"()'
        )
    return statements


def installed(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Names of our enabled triggers in the database, with their tables."""
    if connection.vendor == "sqlite":
        sql = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'hr\\_%' ESCAPE '\\'"
    else:
        sql = (
            "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE t.tgname LIKE 'hr\\_%' AND t.tgenabled = 'O' AND n.nspname = current_schema()"
        )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return dict(cursor.fetchall())


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers that are missing and drop those that no model asks for any more."""
    there = installed(connection)
    tables = set(connection.introspection.table_names())
    triggers = {t.name: t for t in wanted() if t.table in tables}
    make = _sqlite_sql if connection.vendor == "sqlite" else _postgres_sql
    with connection.cursor() as cursor:
        for name in there.keys() - triggers.keys() - {f"{n}_all" for n in triggers}:
            on_table = "" if connection.vendor == "sqlite" else f' ON "{there[name]}"'
            cursor.execute(f'DROP TRIGGER "{name}"{on_table}')
        for trigger in triggers.values():
            if not there.keys() >= set(_names(trigger, connection)):
                for statement in make(trigger):
                    cursor.execute(statement)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Tables that are there and lack one of their triggers."""
    there, tables = installed(connection), set(connection.introspection.table_names())
    in_use = [trigger for trigger in wanted() if trigger.table in tables]
    needed = {name: trigger.table for trigger in in_use for name in _names(trigger, connection)}
    return sorted({table for name, table in needed.items() if name not in there})


def _names(trigger: Trigger, connection: BaseDatabaseWrapper) -> list[str]:
    """Names in the database: on PostgreSQL, one that refuses deletion comes with one that refuses truncation."""
    has_two = connection.vendor == "postgresql" and trigger.operation == "DELETE"
    return [trigger.name, f"{trigger.name}_all"] if has_two else [trigger.name]


@contextmanager
def lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Lift the triggers on this connection: for migrations and test clean-up, by the tables' owner."""
    _switch(connection, on=True)
    try:
        yield
    finally:
        _switch(connection, on=False)


def _switch(connection: BaseDatabaseWrapper, *, on: bool) -> None:
    connection.hedgerow_lifted = on  # type: ignore[attr-defined]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('hedgerow.lifted', %s, false)", ["on" if on else "off"])


def add_switch(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give a new SQLite connection the function its triggers ask; another program's connection lacks it."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            "hedgerow_lifted", 0, lambda: int(getattr(connection, "hedgerow_lifted", False))
        )


def install_after_migrate(sender: Any, using: str, **kwargs: Any) -> None:
    """Install the triggers once all apps are migrated on `using`."""
    from django.db import connections

    install(connections[using])
