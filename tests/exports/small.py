"""A hand-made model of two tables with every type of column, and its canonical file: no database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from exports.archive import write_zip
from exports.canonical import Drafting
from exports.dataset import Provenance, Study
from exports.model import Code, CodeList, HiddenRows, Model, Row, Table, Type, Variable, VisitSuffix
from exports.release import Source
from exports.software import Software
from trial.base import keys

CODE = Software("1.0.0", "0" * 40, False)
SUBJID = Variable(
    name="subjid", xpt_name="SUBJID", label="Study number", short_label="Study number", type=Type.ID, length=20
)


def variable(name: str, type_: Type, **given: Any) -> Variable:
    return Variable(
        name=name,
        xpt_name=given.pop("xpt_name", name.replace("_", "").upper()[:8]),
        label=name,
        short_label=name,
        type=type_,
        **given,
    )


PEOPLE = Table(
    name="participants",
    label="People",
    row="a person",
    key=("subjid",),
    variables=(
        SUBJID,
        variable("age", Type.INTEGER, min=18, max=120, missing=(-99, -92)),
        variable("mean_score", Type.DECIMAL, places=2, missing=(-99,), companion="mean_score_miss"),
        variable("mean_score_miss", Type.INTEGER, missing=(-99,), xpt_name="MEANMISS"),
        variable("born", Type.DATE),
        variable("seen_at", Type.DATETIME),
        variable("note", Type.TEXT, length=40),
        variable("sex", Type.CODE, codelist="sex", missing=(-92,)),
        variable("arm", Type.CODE, codelist="arm", reveals_allocation=True),
    ),
)
EVENTS = Table(
    name="events",
    label="Events",
    row="an event",
    key=("subjid", "seq"),
    variables=(
        SUBJID,
        variable("seq", Type.INTEGER, min=1, max=99),
        variable("kind", Type.INTEGER),
        variable("reveals", Type.INTEGER, reveals_allocation=True),
    ),
    hidden_rows=HiddenRows("reveals", (1,)),
)
SEX = CodeList("sex", (Code(1, "Female"), Code(2, "Male")))
ARM = CodeList("arm", (Code("sentinel-a", "Sentinel A"), Code("sentinel-b", "Sentinel B")))
MODEL = Model((PEOPLE, EVENTS), (SEX, ARM), (VisitSuffix(1, "V1", "baseline", "bl", 0, 14, 0),))
ROWS: Mapping[str, Sequence[Row]] = {
    "participants": [
        ["GRX-01-001-7", 44, "3.50", None, "1980-02-29", "2026-04-13T10:05:00+01:00", "=1+1", 1, "sentinel-a"],
        ["GRX-01-002-5", -92, None, -99, None, None, 'He said "no", twice', -92, "sentinel-b"],
        ["GRX-01-003-3", -99, "0.00", None, None, None, "Gŵyl", 2, None],
    ],
    "events": [["GRX-01-001-7", 1, 5, 0], ["GRX-01-001-7", 2, 5, 1], ["GRX-01-002-5", 1, 6, 0]],
}
PROVENANCE = Provenance(
    study=Study("GREENRXF", "A trial", "University of Westmarch", "ISRCTN00000000", "1.0", "office@example.org"),
    lock_id="L001",
    kind="final",
    lock_time="2026-07-09T12:00:00+01:00",
    data_through=date(2026, 7, 9),
    audit_head={"id": 1, "sha256": "0" * 64},
    locked_by="data_manager user 1",
    authorised_by=("chief_investigator user 2",),
    schema_version={"trial": "0001_initial"},
    instrument_versions={"phq9": "1.0.0"},
)


def canonical_file(
    folder: Path,
    *,
    model: Model = MODEL,
    rows: Mapping[str, Sequence[Row]] = ROWS,
    provenance: Provenance = PROVENANCE,
    **facts: Any,
) -> Source:
    """The canonical file of these rows, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    name = facts.get("lock_id", provenance.lock_id)
    draft = Drafting(folder / f"draft-{name}", model, replace(provenance, **facts), keys.new_data_key())
    for table in model.tables:
        draft.write(table, rows[table.name])
    path = folder / f"{name}.zip"
    write_zip(path, draft.files())
    return Source(path, draft.wrapped_key)
