"""Views of a canonical file: who may see what (dataset_release.md section 2). One function for each variant."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from exports.canonical import Canonical
from exports.dataset import Dataset
from exports.model import (
    MASKED_TABLE,
    MODEL_JSON,
    Level,
    Model,
    Row,
    Source,
    Table,
    Type,
    Variable,
    used_codelists,
)
from trial.access.policy import REVEALS_ARM, Action

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
        needs: what somebody must be allowed in order to download it.
        reveals_allocation: it names arms, so it leaves only from a final lock after unblinding.
        view: the tables that it holds.
        masked: it shows arms as letters, whose meaning is held apart (randomisation.md 6.5).
        dated: whether its file name carries the date of the lock.
    """

    code: str
    label: str
    needs: Action
    reveals_allocation: bool
    view: Callable[[Model], Model]
    dated: bool = True
    masked: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether blinded people may not know of it (BR-26)."""
        return self.needs in REVEALS_ARM

    @property
    def in_a_sentence(self) -> str:
        """Its name after other words; an abbreviation stays as it is."""
        return self.label if self.label[:2].isupper() else self.label.lower()

    def is_whole(self, table: str) -> bool:
        """Whether it holds whole rows of a table of its view, rather than what is open of them."""
        return self.reveals_allocation or (self.masked and table == MASKED_TABLE)


def _masked(model: Model) -> Model:
    """What a blinded variant holds, and the letters."""
    blinded = model.blinded()
    tables = (*blinded.tables, *(table for table in model.tables if table.name == MASKED_TABLE))
    return replace(blinded, tables=tables, codelists=used_codelists(tables, model.codelists))


def _without_letters(model: Model) -> Model:
    """Everything but the letters: beside the arms they would say what they stand for."""
    tables = tuple(table for table in model.tables if table.name != MASKED_TABLE)
    return replace(model, tables=tables, codelists=used_codelists(tables, model.codelists))


def _allocation_only(model: Model) -> Model:
    tables = tuple(table for table in model.tables if table.name == ALLOCATION_TABLE)
    return replace(model, tables=tables, codelists=used_codelists(tables, model.codelists), visits=(), retired=())


VARIANTS: Mapping[str, Variant] = {
    variant.code: variant
    for variant in (
        Variant("blinded", "Blinded", Action.DOWNLOAD_BLINDED, False, Model.blinded),
        Variant("dmc", "DMEC, masked", Action.DOWNLOAD_MASKED, False, _masked, masked=True),
        Variant("unblinded", "Unblinded", Action.DOWNLOAD_UNBLINDED, True, _without_letters),
        Variant("allocation", "Allocation file", Action.DOWNLOAD_UNBLINDED, True, _allocation_only, dated=False),
    )
}


def dataset_of(canonical: Canonical, variant: str, options: Mapping[str, Any]) -> Dataset:
    """The dataset of one variant. A blinded one reads the open part of the file only, a masked one also letters."""
    chosen = VARIANTS[variant]

    def rows(table: str) -> Iterator[Row]:
        return canonical.all_rows(table) if chosen.is_whole(table) else canonical.open_rows(table)

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
    digest = hashlib.sha256(MODEL_JSON.dump_json(model))
    for table in model.tables:
        digest.update(f"\n{table.name}\n".encode())
        lines = canonical.all_lines if chosen.is_whole(table.name) else canonical.open_lines
        for line in lines(table.name):
            digest.update(line)
    return digest.hexdigest()
