"""Rows that a slow builder made once in this process are put back by plain inserts the next time.

Only ever into empty tables of the same database, byte for byte as the product wrote them: history, leaves and all.
Every test would otherwise spend most of its time on loading the same protocol again.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection

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
