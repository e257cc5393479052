"""Rows that a slow builder made once in this process are put back by plain inserts the next time.

Only ever into empty tables of the same database, byte for byte as the product wrote them: history, leaves and all.
Every test would otherwise spend most of its time on loading the same protocol again.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from trial.base import triggers

OURS = {"trial", "randomisation", "exports"}
_kept: dict[Hashable, list["Rows"]] = {}


@dataclass(frozen=True)
class Rows:
    """What a builder put into one table."""

    table: str
    columns: tuple[str, ...]
    values: list[tuple[Any, ...]]


def once(key: Hashable, build: Callable[[], None]) -> None:
    """Run `build`, or put back what it made before under this key.

    Where other rows are there already, or the database is another one, it is run: a copy might not fit.
    """
    key = (connection.vendor, connection.settings_dict["NAME"], key)
    kept = _kept.get(key)
    if kept and _are_empty([one.table for one in kept]):
        _put_back(kept)
        return
    was_empty = _are_empty(_tables())
    build()
    if was_empty:
        _kept[key] = [found for table in _tables() if (found := _read(table)).values]


def once_from_here(what: Hashable, build: Callable[[], None]) -> None:
    """The same on top of rows that are there: run `build`, or put back what it added from the same state before.

    The state is how many rows each table has and which is the last, the keys, the protocol and the clock. A builder
    that changes a row that is there already is run every time.
    """
    key = (connection.vendor, connection.settings_dict["NAME"], what, _state())
    if key in _kept:
        _put_back(_kept[key])
        return
    before = {table: _read(table) for table in _tables()}
    build()
    after = {table: _read(table) for table in before}
    if all(after[table].values[: len(rows.values)] == rows.values for table, rows in before.items()):
        added = [Rows(table, one.columns, one.values[len(before[table].values) :]) for table, one in after.items()]
        _kept[key] = [one for one in added if one.values]


def _state() -> Hashable:
    counted = " UNION ALL ".join(
        f'SELECT {number}, count(*), cast(max("{_key_column(table)}") AS varchar(40)) FROM "{table}"'  # noqa: S608
        for number, table in enumerate(_tables())
    )
    with connection.cursor() as cursor:
        cursor.execute(counted)
        rows = tuple(sorted(cursor.fetchall()))
        cursor.execute("SELECT content_sha256 FROM trial_protocolversion ORDER BY id")
        protocols = tuple(cursor.fetchall())
    return rows, protocols, timezone.now(), *settings.SEALING_KEYS, *settings.IDENTITY_KEYS


@cache
def _key_column(table: str) -> str:
    return next(m._meta.pk.column for m in apps.get_models() if m._meta.db_table == table and m._meta.pk)


def _tables() -> list[str]:
    models = [model for model in apps.get_models() if model._meta.app_label in OURS]
    return [model._meta.db_table for model in models]


def _are_empty(tables: list[str]) -> bool:
    asked = " UNION ALL ".join(f'SELECT 1 WHERE EXISTS (SELECT 1 FROM "{table}")' for table in tables)  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return cursor.fetchone() is None


def _read(table: str) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')  # noqa: S608
        return Rows(table, tuple(column[0] for column in cursor.description), cursor.fetchall())


def _put_back(kept: list[Rows]) -> None:
    with triggers.lifted(connection), connection.cursor() as cursor:  # rows come in the order of their tables
        for one in kept:
            columns = ", ".join(f'"{name}"' for name in one.columns)
            places = ", ".join(["%s"] * len(one.columns))
            cursor.executemany(f'INSERT INTO "{one.table}" ({columns}) VALUES ({places})', one.values)  # noqa: S608
