"""CSV: one file a table, UTF-8 without BOM, lines end in `\\n`, quotes only where needed.

Text that a spreadsheet would run as a formula is defused.
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, ClassVar

from exports.dataset import Dataset
from exports.model import Row, Table, Type
from exports.writers.base import Written

FOLDER = "data/csv"
RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")
DEFUSE = "'"


def defused(text: str) -> str:
    """The text, after an apostrophe where a spreadsheet would take it for a formula."""
    return f"{DEFUSE}{text}" if text.startswith(RUN_BY_SPREADSHEETS) else text


def write_csv(file: IO[str], header: Iterable[str], rows: Iterable[Row]) -> None:
    """Write rows as every CSV file of a release is written; None is an empty cell."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


class CsvWriter:
    """data/csv/<table>.csv."""

    label: ClassVar[str] = "CSV"
    libraries: ClassVar[tuple[str, ...]] = ()

    def write(self, dataset: Dataset, folder: Path) -> list[Written]:
        """One file for each table of the dataset."""
        (folder / FOLDER).mkdir(parents=True)
        return [self._write_table(dataset, table, folder) for table in dataset.model.tables]

    def _write_table(self, dataset: Dataset, table: Table, folder: Path) -> Written:
        path = folder / FOLDER / f"{table.name}.csv"
        rows = _Counted(_safe(table, dataset.rows(table)))
        with path.open("w", encoding="utf-8", newline="") as file:
            write_csv(file, table.names, rows)
        return Written(path, "csv", table.name, rows.n, len(table.variables))


class _Counted:
    """Rows that are counted as they pass."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows, self.n = rows, 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.n += 1
            yield row


def _safe(table: Table, rows: Iterator[Row]) -> Iterator[Row]:
    """Rows with their text defused; numbers, dates and ids need none of it and stay as they are."""
    positions = [n for n, variable in enumerate(table.variables) if variable.type in (Type.TEXT, Type.CODE)]
    return (_defuse(row, positions) for row in rows) if positions else rows


def _defuse(row: Row, positions: list[int]) -> Row:
    if not any(isinstance(row[n], str) for n in positions):
        return row
    cells = list(row)
    for n in positions:
        cell = cells[n]
        if isinstance(cell, str):
            cells[n] = defused(cell)
    return cells
