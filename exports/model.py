"""A release as typed data: tables, variables, value labels and missing reasons (dataset_release.md).

One model, many writers: every format is a view of what is defined here, and no writer reads the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pydantic import TypeAdapter

Value = int | str | None
"""One cell. Decimals are text with all their places; dates and times are ISO 8601; None is blank."""
Row = Sequence[Value]

MASKED_TABLE = "masked_allocation"
"""The table that shows arms as letters: sealed apart from all others, because one variant opens it and no more."""

LONGEST_NAME = 26
LONGEST_WIDE_NAME = 32
LONGEST_TEXT = 2000


class Type(StrEnum):
    """What a cell holds."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    CODE = "code"
    TEXT = "text"
    ID = "id"


class Level(StrEnum):
    """Level of measurement."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    SCALE = "scale"


class Source(StrEnum):
    """Where a value comes from."""

    COLLECTED = "collected"
    DERIVED = "derived"
    ASSIGNED = "assigned"
    SYSTEM = "system"


@dataclass(frozen=True)
class Code:
    """One value of a code list with its words."""

    value: int | str
    label: str


@dataclass(frozen=True)
class CodeList:
    """Named codes with their labels, in the order in which they are shown."""

    name: str
    codes: tuple[Code, ...]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One column: what it means, how it is written in each format, and what it may give away.

    Attributes:
        xpt_name: name of at most 8 characters, for SAS transport files.
        places: decimal places of a decimal.
        length: most characters of a text, code or id.
        missing: missing codes that may stand for a value.
        companion: where those codes stand when the column cannot hold them (dates, decimals, text).
        reveals_allocation: left out of every blinded variant.
        identifying: would identify a person; no release may hold one.
    """

    name: str
    xpt_name: str
    label: str
    short_label: str
    type: Type
    level: Level = Level.NOMINAL
    source: Source = Source.COLLECTED
    question: str = ""
    unit: str = ""
    places: int = 0
    length: int = 0
    codelist: str = ""
    min: int | str | None = None
    max: int | str | None = None
    required: bool = False
    visits: tuple[str, ...] = ()
    derivation: str = ""
    missing: tuple[int, ...] = ()
    companion: str = ""
    reveals_allocation: bool = False
    identifying: bool = False
    since_lock: str = ""
    instrument: str = ""
    instrument_version: str = ""
    licence: str = ""
    fhir_linkid: str = ""
    sdtm: str = ""

    @property
    def is_number(self) -> bool:
        """Whether its cells are whole numbers or decimals."""
        return self.type in (Type.INTEGER, Type.DECIMAL)

    @property
    def format(self) -> str:
        """How its cells look."""
        if self.type == Type.DECIMAL:
            return "0." + "0" * self.places
        return {
            Type.INTEGER: "0",
            Type.DATE: "yyyy-mm-dd",
            Type.DATETIME: "yyyy-mm-ddThh:mm:ss+hh:mm",
            Type.TIME: "hh:mm:ss",
        }.get(self.type, "")


@dataclass(frozen=True)
class HiddenRows:
    """Rows that reveal allocation by being there: those where `variable` has one of `values`."""

    variable: str
    values: tuple[int | str, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: a row for each key, sorted by it.

    Attributes:
        row: what one row is, in words.
        delivery: it describes how the intervention was delivered, so that everything in it reveals allocation.
        wide: its names may have 32 characters instead of 26.
    """

    name: str
    label: str
    row: str
    key: tuple[str, ...]
    variables: tuple[Variable, ...]
    hidden_rows: HiddenRows | None = None
    instrument: str = ""
    delivery: bool = False
    wide: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns, in order."""
        return tuple(variable.name for variable in self.variables)

    def position(self, name: str) -> int:
        """Where a column stands, from 0."""
        return self.names.index(name)

    @property
    def key_positions(self) -> tuple[int, ...]:
        """Where the columns of the key stand."""
        return tuple(self.position(name) for name in self.key)

    @property
    def reveals_allocation(self) -> bool:
        """Whether any column or row of it does."""
        return self.hidden_rows is not None or any(variable.reveals_allocation for variable in self.variables)

    @property
    def open_positions(self) -> tuple[int, ...]:
        """Where the columns stand that a blinded variant keeps."""
        return tuple(n for n, variable in enumerate(self.variables) if not variable.reveals_allocation)

    def blinded(self) -> "Table | None":
        """The table without what reveals allocation; None when nothing but its key is left."""
        kept = tuple(self.variables[n] for n in self.open_positions)
        if {variable.name for variable in kept} <= set(self.key):
            return None
        return replace(self, variables=kept, hidden_rows=None)

    def hides(self, row: Row) -> bool:
        """Whether a row is left out of blinded variants."""
        hidden = self.hidden_rows
        return hidden is not None and row[self.position(hidden.variable)] in hidden.values


@dataclass(frozen=True)
class VisitSuffix:
    """A visit, and the suffix by which the wide table names its variables."""

    visitnum: int
    code: str
    label: str
    suffix: str
    target_day: int
    days_before: int
    days_after: int


@dataclass(frozen=True)
class Retired:
    """A name that an earlier lock used and this one does not. It is never given another meaning."""

    table: str
    name: str
    label: str
    type: Type
    since_lock: str
    retired_lock: str
    reveals_allocation: bool


@dataclass(frozen=True)
class Model:
    """Tables and code lists of one lock."""

    tables: tuple[Table, ...]
    codelists: tuple[CodeList, ...]
    visits: tuple[VisitSuffix, ...] = ()
    retired: tuple[Retired, ...] = ()

    def table(self, name: str) -> Table:
        """The table with this name."""
        return next(table for table in self.tables if table.name == name)

    def codelist(self, name: str) -> CodeList:
        """The code list with this name."""
        return next(codelist for codelist in self.codelists if codelist.name == name)

    def blinded(self) -> "Model":
        """The model as blinded variants see it: no table, column or code list that reveals allocation."""
        tables = tuple(kept for table in self.tables if (kept := table.blinded()))
        return replace(
            self,
            tables=tables,
            codelists=used_codelists(tables, self.codelists),
            retired=tuple(name for name in self.retired if not name.reveals_allocation),
        )


def used_codelists(tables: Sequence[Table], codelists: Sequence[CodeList]) -> tuple[CodeList, ...]:
    """Those code lists that a column of the tables refers to."""
    used = {variable.codelist for table in tables for variable in table.variables}
    return tuple(codelist for codelist in codelists if codelist.name in used)


MODEL_JSON = TypeAdapter(Model)
