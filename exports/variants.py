"""Views of a canonical file: who may see what (dataset_release.md section 2). One function for each variant."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from exports.canonical import Canonical
from exports.dataset import Dataset
from exports.model import MODEL_JSON, Level, Model, Row, Source, Table, Type, Variable, used_codelists

NOT_LOCKED = "NOT LOCKED"
ALLOCATION_TABLE = "randomisation"

NOT_LOCKED_COLUMN = Variable(
    name="not_locked",
    xpt_name="NOTLOCK",
    label="NOT LOCKED: a data cut, edits go on",
    short_label="NOT LOCKED: a data cut, edits go on",
    type=Type.TEXT,
    level=Level.NOMINAL,
    source=Source.SYSTEM,
    length=len(NOT_LOCKED),
    derivation=f"The words {NOT_LOCKED} in every row of a data cut; a lock has no such column.",
)


@dataclass(frozen=True)
class Variant:
    """One variant.

    Attributes:
        label: its name on pages.
        reveals_allocation: only for people who may know arms, and only from a final lock after unblinding.
        view: the tables that it holds.
        dated: whether its file name carries the date of the lock.
    """

    code: str
    label: str
    reveals_allocation: bool
    view: Callable[[Model], Model]
    dated: bool = True


def _allocation_only(model: Model) -> Model:
    tables = tuple(table for table in model.tables if table.name == ALLOCATION_TABLE)
    return replace(model, tables=tables, codelists=used_codelists(tables, model.codelists), visits=(), retired=())


VARIANTS: Mapping[str, Variant] = {
    variant.code: variant
    for variant in (
        Variant("blinded", "Blinded", False, Model.blinded),
        Variant("unblinded", "Unblinded", True, lambda model: model),
        Variant("allocation", "Allocation file", True, _allocation_only, dated=False),
    )
}


def dataset_of(canonical: Canonical, variant: str, options: Mapping[str, Any]) -> Dataset:
    """The dataset of one variant. A blinded one reads the open part of the file only."""
    chosen = VARIANTS[variant]
    rows = canonical.all_rows if chosen.reveals_allocation else canonical.open_rows
    dataset = Dataset(chosen.view(canonical.model), canonical.provenance, variant, rows, options)
    return dataset if canonical.provenance.is_final else _marked(dataset)


def _marked(dataset: Dataset) -> Dataset:
    """The dataset of a cut: every row of every table says NOT LOCKED."""

    def rows(table: str) -> Iterator[Row]:
        return ([*row, NOT_LOCKED] for row in dataset.open_rows(table))

    def marked(table: Table) -> Table:
        return replace(table, variables=(*table.variables, NOT_LOCKED_COLUMN))

    model = replace(dataset.model, tables=tuple(marked(table) for table in dataset.model.tables))
    return replace(dataset, model=model, open_rows=rows)


def content_sha256(canonical: Canonical, variant: str) -> str:
    """SHA-256 (hex) of a variant's model and rows, whatever the formats and library versions."""
    chosen = VARIANTS[variant]
    model = chosen.view(canonical.model)
    lines = canonical.all_lines if chosen.reveals_allocation else canonical.open_lines
    digest = hashlib.sha256(MODEL_JSON.dump_json(model))
    for table in model.tables:
        digest.update(f"\n{table.name}\n".encode())
        for line in lines(table.name):
            digest.update(line)
    return digest.hexdigest()
