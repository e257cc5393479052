"""What a release is tested for before it is offered (dataset_release.md section 13); the outcome is stored with it."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from exports import checks
from exports.dataset import Dataset
from exports.model import Row, Table, Type, Value
from exports.writers.csv_tables import FOLDER, defused

CHUNK = 5000


@dataclass(frozen=True)
class Outcome:
    """One test, in words, and whether it was passed."""

    text: str
    passed: bool


def accept(dataset: Dataset, archive: Path) -> list[Outcome]:
    """Test the model, and read every table back with another reader."""
    n_variables = sum(len(table.variables) for table in dataset.model.tables)
    broken = checks.problems(dataset.model)
    differing = [table.name for table in dataset.model.tables if not reads_back(dataset, table, archive)]
    n_tables = len(dataset.model.tables)
    return [
        Outcome(f"{n_variables:,} variables fit every format", not broken),
        Outcome(f"{n_tables - len(differing)} of {n_tables} tables read back equal, cell by cell", not differing),
    ]


def reads_back(dataset: Dataset, table: Table, archive: Path) -> bool:
    """Whether pandas reads from the zip what the model holds, cell by cell."""
    expected = (
        [cell_text(variable.type, cell) for variable, cell in zip(table.variables, row, strict=True)]
        for row in dataset.rows(table)
    )
    return all(found == wanted for found, wanted in zip_longest(_read(archive, table), expected))


def cell_text(type_: Type, cell: Value) -> str:
    """A cell as the CSV file writes it."""
    if cell is None:
        return ""
    return defused(cell) if isinstance(cell, str) and type_ in (Type.TEXT, Type.CODE) else str(cell)


def _read(archive: Path, table: Table) -> Iterator[Row]:
    import pandas as pd  # half a second that only this job needs

    with zipfile.ZipFile(archive) as files:
        name = next(one for one in files.namelist() if one.endswith(f"/{FOLDER}/{table.name}.csv"))
        with files.open(name) as file:
            for chunk in pd.read_csv(file, dtype=str, keep_default_na=False, chunksize=CHUNK):
                yield from chunk.to_numpy().tolist()
