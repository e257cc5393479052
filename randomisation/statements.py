"""SQL written out for what runs while every other client waits for the scheme's row (randomisation.md 8.1).

Building a query takes the ORM three times as long as running it takes the database, and planning it anew takes
PostgreSQL longer than running it. An allocation runs some fifteen of them under one lock, which alone kept it below
forty allocations a second with sixteen clients. So these are written once and prepared once for each connection.
Conditions are literals of the caller, values are parameters; the statements are the same on SQLite and PostgreSQL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.backends.utils import CursorWrapper
from django.db.models.signals import post_save

Row = TypeVar("Row", bound=models.Model)
ONE_LIST = "revision_id = %s AND purpose = %s AND key = %s"
"""What names the list of a stratum or site, in the tables of cursors and of rows."""
PREPARED_AFTER = 2
"""How often PostgreSQL plans a statement anew, for each connection. The ORM's own statements are never prepared."""
Field = models.Field[Any, Any]


def cursor() -> CursorWrapper:
    """A cursor whose statements PostgreSQL plans once for each connection; an ordinary one on SQLite."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    from django.db.backends.postgresql.base import ServerBindingCursor

    connection.ensure_connection()
    driver = connection.connection
    driver.prepare_threshold = PREPARED_AFTER
    usual, driver.cursor_factory = driver.cursor_factory, ServerBindingCursor
    try:
        return connection.cursor()
    finally:
        driver.cursor_factory = usual


@contextmanager
def together() -> Iterator[None]:
    """Send statements to PostgreSQL without waiting for the answer to each; SQLite has no way to go.

    What the database refuses is raised where an answer is read, or at the end.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def rows(model: type[Row], where: str, *values: Any, lock: bool = False) -> list[Row]:
    """The rows that meet a condition, each locked until the transaction ends where `lock` says so."""
    suffix = " FOR UPDATE" if lock and connection.features.has_select_for_update else ""
    names = [field.attname for field in model._meta.concrete_fields]
    with cursor() as opened:
        opened.execute(f"{_select_sql(model)} WHERE {where}{suffix}", values)
        found = opened.fetchall()
    return [model.from_db(DEFAULT_DB_ALIAS, names, _read(model, values)) for values in found]


def first(model: type[Row], where: str, *values: Any, lock: bool = False) -> Row | None:
    """The first row that meets a condition; None without one."""
    return next(iter(rows(model, where, *values, lock=lock)), None)


def is_there(model: type[models.Model], where: str, *values: Any) -> bool:
    """Whether a row meets a condition."""
    with cursor() as opened:
        opened.execute(f"SELECT 1 FROM {model._meta.db_table} WHERE {where} LIMIT 1", values)  # noqa: S608
        return opened.fetchone() is not None


def insert(row: Row, *, returning: bool = True) -> Row:
    """Insert a new row, with every field as `save()` stores it and the signal that follows one.

    Args:
        returning: read its primary key, which the database gives; without it nobody waits for the answer.
    """
    fields = _inserted(type(row))
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with cursor() as opened:
        opened.execute(_insert_sql(type(row)), values)
        if returning:
            (row.pk,) = opened.fetchone()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    post_save.send(type(row), instance=row, created=True, raw=False, using=DEFAULT_DB_ALIAS, update_fields=None)
    return row


def update(model: type[models.Model], change: str, where: str, *values: Any) -> int:
    """Change the rows that meet a condition; how many there were, unless it was sent `together` with others."""
    with cursor() as opened:
        opened.execute(f"UPDATE {model._meta.db_table} SET {change} WHERE {where}", values)  # noqa: S608
        return int(opened.rowcount)


def _read(model: type[models.Model], values: tuple[Any, ...]) -> list[Any]:
    """Values as the fields' own converters read them, such as JSON and the dates of SQLite."""
    read = list(values)
    for place, expression, converters in _converters(model, connection.vendor):
        for convert in converters:
            read[place] = convert(read[place], expression, connection)
    return read


@cache
def _converters(model: type[models.Model], vendor: str) -> list[tuple[int, Any, list[Any]]]:
    found = []
    for place, field in enumerate(model._meta.concrete_fields):
        column = field.get_col(model._meta.db_table)
        converters = [*connection.ops.get_db_converters(column), *field.get_db_converters(connection)]
        if converters:
            found.append((place, column, converters))
    return found


@cache
def _inserted(model: type[models.Model]) -> list[Field]:
    return [field for field in model._meta.local_concrete_fields if not field.primary_key]


@cache
def _select_sql(model: type[models.Model]) -> str:
    columns = ", ".join(str(field.column) for field in model._meta.concrete_fields)
    return f"SELECT {columns} FROM {model._meta.db_table}"  # noqa: S608 - names of our own tables


@cache
def _insert_sql(model: type[models.Model]) -> str:
    columns = [str(field.column) for field in _inserted(model)]
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({places}) RETURNING id"  # noqa: S608
