"""The codebook: every variable, code list, missing code and visit, as CSV, and nested with counts as JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from exports.dataset import Dataset
from exports.missing_codes import MISSING
from exports.model import Model, Row, Table, Type, Value, Variable
from exports.statistics import Description, Summary, summarise
from exports.variants import NOT_LOCKED
from exports.writers.base import Written
from exports.writers.csv_tables import defused, write_csv

FOLDER = "codebook"
COLUMNS = (
    "table position name xpt_name label short_label question type format unit length codelist min max level required"
    " key visits source derivation missing_allowed reveals_allocation identifying since_lock instrument"
    " instrument_version licence odm_oid fhir_linkid sdtm"
)
AS_DEFINED = (
    "name",
    "xpt_name",
    "label",
    "short_label",
    "question",
    "unit",
    "codelist",
    "derivation",
    "since_lock",
    "instrument",
    "instrument_version",
    "licence",
    "fhir_linkid",
    "sdtm",
)
CODELIST_COLUMNS = "codelist code label order is_missing"
MISSING_COLUMNS = "code stata sas at_entry meaning worked_out"
VISIT_COLUMNS = "visitnum visit label suffix target_day days_before days_after"
MISSING_LIST = "missing"


class CodebookWriter:
    """codebook/*.csv and codebook/codebook.json."""

    label: ClassVar[str] = "Codebook"
    libraries: ClassVar[tuple[str, ...]] = ()

    def write(self, dataset: Dataset, folder: Path) -> list[Written]:
        """Up to five files, none of them empty; the JSON file holds counts, never by arm."""
        (folder / FOLDER).mkdir(parents=True)
        model = dataset.model
        lists: Mapping[str, tuple[str, list[Row]]] = {
            "codebook": (COLUMNS, variable_rows(model)),
            "codelists": (CODELIST_COLUMNS, codelist_rows(model)),
            "missing_codes": (MISSING_COLUMNS, missing_rows()),
            "visits": (VISIT_COLUMNS, visit_rows(model)),
        }
        written = [
            self._write_list(dataset, folder / FOLDER / f"{name}.csv", columns.split(), rows)
            for name, (columns, rows) in lists.items()
            if rows
        ]
        path = folder / FOLDER / "codebook.json"
        path.write_text(f"{_json(nested(dataset))}\n", encoding="utf-8", newline="")
        return [*written, Written(path, "json")]

    def _write_list(self, dataset: Dataset, path: Path, columns: list[str], rows: Iterable[Row]) -> Written:
        safe = [[defused(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
        if not dataset.provenance.is_final:
            columns, safe = [*columns, "not_locked"], [[*row, NOT_LOCKED] for row in safe]
        with path.open("w", encoding="utf-8", newline="") as file:
            write_csv(file, columns, safe)
        return Written(path, "csv", "", len(safe), len(columns))


def variable_rows(model: Model) -> list[Row]:
    """One row for each variable of each table, in the order of COLUMNS."""
    return [
        [described[column] for column in COLUMNS.split()]
        for table in model.tables
        for described in (describe(table, variable) for variable in table.variables)
    ]


def describe(table: Table, variable: Variable) -> dict[str, Value]:
    """What the codebook says about one variable; yes is 1 and no is 0."""
    return {
        "table": table.name,
        "position": table.position(variable.name) + 1,
        **{name: getattr(variable, name) or None for name in AS_DEFINED},
        "type": f"decimal({variable.places})" if variable.type == Type.DECIMAL else variable.type.value,
        "format": variable.format or None,
        "length": variable.length or None,
        "min": variable.min,
        "max": variable.max,
        "level": variable.level.value,
        "source": variable.source.value,
        "required": int(variable.required),
        "key": int(variable.name in table.key),
        "visits": " ".join(variable.visits) or None,
        "missing_allowed": _missing_allowed(variable),
        "reveals_allocation": int(variable.reveals_allocation),
        "identifying": int(variable.identifying),
        "odm_oid": f"IT.{table.name}.{variable.name}".upper(),
    }


def _missing_allowed(variable: Variable) -> str | None:
    """The missing codes it may hold, or the column that holds them for it."""
    codes = " ".join(str(code) for code in variable.missing)
    return f"in {variable.companion}: {codes}" if variable.companion else codes or None


def codelist_rows(model: Model) -> list[Row]:
    """One row for each code, the missing codes last as a list of their own."""
    rows: list[Row] = [
        [codelist.name, code.value, code.label, order, 0]
        for codelist in model.codelists
        for order, code in enumerate(codelist.codes, start=1)
    ]
    return rows + [[MISSING_LIST, reason.code, reason.label, n, 1] for n, reason in enumerate(MISSING, start=1)]


def missing_rows() -> list[Row]:
    """The one list of missing codes, with how each is worked out."""
    return [[r.code, r.stata, r.sas, r.at_entry or None, r.label, r.how or "Entered."] for r in MISSING]


def visit_rows(model: Model) -> list[Row]:
    """The visits with the suffixes of the wide table."""
    return [[v.visitnum, v.code, v.label, v.suffix, v.target_day, v.days_before, v.days_after] for v in model.visits]


def nested(dataset: Dataset) -> dict[str, Any]:
    """The codebook as one object, with counts for each table and variable."""
    model, provenance = dataset.model, dataset.provenance
    head = {"release": provenance.lock_id, "variant": dataset.variant}
    return {
        **(head if provenance.is_final else {**head, "state": NOT_LOCKED}),
        "tables": [_table(table, summarise(table, dataset.rows(table))) for table in model.tables],
        "codelists": {c.name: [asdict(code) for code in c.codes] for c in model.codelists},
        "missing_codes": [asdict(reason) for reason in MISSING],
        "visits": [asdict(visit) for visit in model.visits],
        "retired": [asdict(name) for name in model.retired],
    }


def _table(table: Table, summary: Summary) -> dict[str, Any]:
    return {
        "name": table.name,
        "label": table.label,
        "row": table.row,
        "key": list(table.key),
        "n_rows": summary.n_rows,
        "variables": [
            {**describe(table, variable), "counts": _counts(summary.columns.get(variable.name))}
            for variable in table.variables
        ],
    }


def _counts(found: Description | None) -> dict[str, Any] | None:
    if found is None:
        return None
    said = {key: value for key, value in asdict(found).items() if value is not None}
    return {key: _with_text_keys(value) if isinstance(value, dict) else value for key, value in said.items()}


def _with_text_keys(counts: Mapping[int | str, int]) -> dict[str, int]:
    return {str(code): n for code, n in counts.items()}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)
