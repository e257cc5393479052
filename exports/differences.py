"""What changed between two locks: rows added and removed, and cells, by table; two sorted streams merged by key."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from exports.canonical import Canonical
from exports.dataset import Dataset
from exports.model import Row, Table, Value
from exports.variants import NOT_LOCKED_COLUMN, dataset_of

Key = tuple[Value, ...]


@dataclass(frozen=True)
class TableChange:
    """How one table differs. A table that is new or gone counts all its rows."""

    table: str
    rows: int
    added: int
    removed: int
    cells: int
    variables_added: tuple[str, ...] = ()
    variables_removed: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.cells or self.variables_added or self.variables_removed)


@dataclass(frozen=True)
class Cell:
    """One value that changed in a row that both locks have."""

    key: Key
    variable: str
    old: Value
    new: Value


def compare(earlier: Canonical, later: Canonical, variant: str) -> list[TableChange]:
    """How every table of a variant differs, in the order of the later lock, tables that are gone last."""
    before, after = dataset_of(earlier, variant, {}), dataset_of(later, variant, {})
    names = dict.fromkeys(table.name for table in (*after.model.tables, *before.model.tables))
    return [_compare_table(before, after, name) for name in names]


def changed_cells(earlier: Canonical, later: Canonical, variant: str, table: str) -> Iterator[Cell]:
    """Every changed value of one table, by key."""
    before, after = dataset_of(earlier, variant, {}), dataset_of(later, variant, {})
    old, new = _table(before, table), _table(after, table)
    if old is None or new is None:
        return
    for old_row, new_row in _pairs(before, after, old, new):
        if old_row is not None and new_row is not None:
            yield from _cells(old, new, old_row, new_row)


def _table(dataset: Dataset, name: str) -> Table | None:
    return next((table for table in dataset.model.tables if table.name == name), None)


def _compare_table(before: Dataset, after: Dataset, name: str) -> TableChange:
    old, new = _table(before, name), _table(after, name)
    if old is None or new is None:
        dataset, only = (after, new) if new is not None else (before, old)
        n = sum(1 for _ in dataset.rows(only)) if only is not None else 0
        return TableChange(name, n if new else 0, n if new else 0, 0 if new else n, 0)
    added = removed = cells = rows = 0
    for old_row, new_row in _pairs(before, after, old, new):
        rows += new_row is not None
        if old_row is None:
            added += 1
        elif new_row is None:
            removed += 1
        elif old_row != new_row:
            cells += sum(1 for _ in _cells(old, new, old_row, new_row))
    gone, come = _names(old) - _names(new), _names(new) - _names(old)
    return TableChange(name, rows, added, removed, cells, tuple(sorted(come)), tuple(sorted(gone)))


def _names(table: Table) -> set[str]:
    return set(table.names) - {NOT_LOCKED_COLUMN.name}


def _cells(old: Table, new: Table, old_row: Row, new_row: Row) -> Iterator[Cell]:
    key = tuple(new_row[n] for n in new.key_positions)
    if old.names == new.names:
        named = zip(new.names, old_row, new_row, strict=True)
    else:
        named = (
            (name, old_row[old.position(name)], new_row[new.position(name)]) for name in old.names if name in new.names
        )  # type: ignore[assignment]
    for name, before, after in named:
        if before != after and name != NOT_LOCKED_COLUMN.name:
            yield Cell(key, name, before, after)


def _pairs(before: Dataset, after: Dataset, old: Table, new: Table) -> Iterator[tuple[Row | None, Row | None]]:
    """Rows of both with equal keys side by side; None where one side has no such row."""
    olds, news = before.rows(old), after.rows(new)
    old_row, new_row = next(olds, None), next(news, None)
    while old_row is not None and new_row is not None:
        old_key = [old_row[n] for n in old.key_positions]
        new_key = [new_row[n] for n in new.key_positions]
        if old_key == new_key:
            yield old_row, new_row
            old_row, new_row = next(olds, None), next(news, None)
        elif old_key < new_key:
            yield old_row, None
            old_row = next(olds, None)
        else:
            yield None, new_row
            new_row = next(news, None)
    yield from _rest(old_row, olds, new_row, news)


def _rest(
    old_row: Row | None, olds: Iterator[Row], new_row: Row | None, news: Iterator[Row]
) -> Iterator[tuple[Row | None, Row | None]]:
    if old_row is not None:
        yield old_row, None
    if new_row is not None:
        yield None, new_row
    yield from zip_longest(olds, ())
    yield from ((None, row) for row in news)
