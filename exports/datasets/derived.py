"""Tables made from other tables of the same release, merged person by person; no database."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from exports.canonical import Canonical
from exports.model import CodeList, Row, Table, Value

SUBJECT = 0
"""Every table that is merged has the study number first."""


@dataclass(frozen=True)
class DerivedTable:
    """One table made from others of the canonical file, which are written before it."""

    table: Table
    rows: Callable[[Canonical], Iterable[Row]]
    codelists: tuple[CodeList, ...] = ()


def by_person(canonical: Canonical, tables: Sequence[str]) -> Iterator[tuple[Value, Mapping[str, list[Row]]]]:
    """Rows of several tables for one person at a time, in the order of the first table's study numbers.

    The first table has everybody, once; the others hold nobody else. Only one person's rows are in memory.
    """
    readers = {name: _Reader(canonical.all_rows(name)) for name in tables[1:]}
    for row in canonical.all_rows(tables[0]):
        subjid = row[SUBJECT]
        yield subjid, {tables[0]: [row]} | {name: reader.of(subjid) for name, reader in readers.items()}


class _Reader:
    """One table's rows, taken person by person."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = groupby(rows, key=lambda row: row[SUBJECT])
        self._next: tuple[Value, list[Row]] | None = None
        self._advance()

    def _advance(self) -> None:
        found = next(self._groups, None)
        self._next = (found[0], list(found[1])) if found else None

    def of(self, subjid: Value) -> list[Row]:
        """The rows of this person; people are asked for in order."""
        if self._next is None or self._next[0] != subjid:
            return []
        rows = self._next[1]
        self._advance()
        return rows
