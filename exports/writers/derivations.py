"""docs/derivations.md: how every worked-out variable comes about, in the order of the codebook."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from exports.dataset import Dataset
from exports.model import Table
from exports.variants import NOT_LOCKED
from exports.writers.base import Written


class DerivationsWriter:
    """docs/derivations.md."""

    label: ClassVar[str] = "Derivations"
    libraries: ClassVar[tuple[str, ...]] = ()

    def write(self, dataset: Dataset, folder: Path) -> list[Written]:
        """One file."""
        path = folder / "docs" / "derivations.md"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(_lines(dataset)) + "\n", encoding="utf-8", newline="")
        return [Written(path, "markdown")]


def _lines(dataset: Dataset) -> Iterator[str]:
    provenance = dataset.provenance
    state = "" if provenance.is_final else f" ({NOT_LOCKED})"
    yield f"# Derivations of {provenance.study.code} {provenance.lock_id}, {dataset.variant}{state}"
    yield ""
    yield "Variables that are not as they were entered. Codes and labels are in `codebook/`."
    for table in dataset.model.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    derived = [variable for variable in table.variables if variable.derivation]
    if not derived:
        return
    yield ""
    yield f"## {table.name}"
    yield ""
    for variable in derived:
        yield f"* `{variable.name}`: {variable.derivation}"
