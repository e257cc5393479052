"""One variant of one lock: the model with its rows and where they come from. What every writer is given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from pydantic import TypeAdapter

from exports.model import Model, Row, Table


@dataclass(frozen=True)
class Study:
    """How a release names its study."""

    code: str
    title: str
    sponsor: str
    registration: str
    protocol_version: str
    contact: str


@dataclass(frozen=True)
class Provenance:
    """Where a canonical file comes from: everything a manifest says that the code version does not decide.

    Attributes:
        kind: `final` for a lock, `cut` for a data cut.
        lock_time: ISO 8601 with offset, Europe/London.
        data_through: last day whose data are in it.
        previous: code of the lock or cut that CHANGES.txt compares with; empty for the first.
    """

    study: Study
    lock_id: str
    kind: str
    lock_time: str
    data_through: date
    audit_head: Mapping[str, int | str]
    locked_by: str
    authorised_by: tuple[str, ...]
    schema_version: Mapping[str, str]
    instrument_versions: Mapping[str, str]
    previous: str = ""

    @property
    def is_final(self) -> bool:
        """Whether the data were locked; otherwise edits go on and every file says so."""
        return self.kind == "final"

    @property
    def lock_date(self) -> str:
        """ISO date of the lock, as file names carry it."""
        return self.lock_time[:10]


class Rows(Protocol):
    """Opens the rows of one table, in key order. Called again, it starts again."""

    def __call__(self, table: str) -> Iterator[Row]: ...


@dataclass(frozen=True)
class Dataset:
    """One variant of one lock: what every writer is given."""

    model: Model
    provenance: Provenance
    variant: str
    open_rows: Rows
    options: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, table: Table) -> Iterator[Row]:
        """The rows of one table, in key order, cells in the order of its variables."""
        return self.open_rows(table.name)


PROVENANCE_JSON = TypeAdapter(Provenance)
