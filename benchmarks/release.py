"""The wide CSV table of a release from its canonical file, beside a raw dump of the same values by the database."""

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from benchmarks.figures import Figure, median_ms
from exports.archive import write_zip
from exports.canonical import Drafting, opened
from exports.dataset import Provenance, Study
from exports.model import Model, Row, Table, Type, Variable
from exports.variants import dataset_of
from exports.writers import WRITERS
from tests.factories import TODAY
from trial.base import keys

N_PEOPLE, N_ITEMS = 60_000, 60
REPEATS = 3
PROVENANCE = Provenance(
    study=Study("BENCH", "Benchmark", "University of Westmarch", "none", "1.0", "office@example.org"),
    lock_id="L001",
    kind="final",
    lock_time="2026-07-09T12:00:00+01:00",
    data_through=TODAY,
    audit_head={"id": 0, "sha256": ""},
    locked_by="",
    authorised_by=(),
    schema_version={},
    instrument_versions={},
)


def measure() -> list[Figure]:
    """Milliseconds for 3.6 million answers, 60,000 rows of 62 columns."""
    _fill()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = _canonical_file(folder)
        floor = median_ms(lambda: _dump(folder / "floor.csv"), repeats=REPEATS)

        def write() -> None:
            with opened(path) as canonical, tempfile.TemporaryDirectory(dir=folder) as target:
                WRITERS["csv"].write(dataset_of(canonical, "blinded", {}), Path(target))

        written = median_ms(write, repeats=REPEATS)
    return [Figure(f"wide CSV, {N_PEOPLE * N_ITEMS:,} answers", written, "raw dump", floor, "ms")]


def _fill() -> None:
    columns = ", ".join(f"item_{n} INTEGER" for n in range(N_ITEMS))
    marks = ", ".join(["%s"] * (N_ITEMS + 2))
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_answers (subjid VARCHAR(20), visitnum INTEGER, {columns})")
        cursor.executemany(f"INSERT INTO bench_answers VALUES ({marks})", list(_rows()))


def _rows() -> Iterator[Row]:
    for number in range(N_PEOPLE):
        yield [f"GRX-01-{number:06d}", 1, *((number + n) % 4 for n in range(N_ITEMS))]


def _dump(path: Path) -> None:
    """What a plain cursor and the csv module do."""
    with connection.cursor() as cursor, path.open("w", newline="") as file:
        cursor.execute("SELECT * FROM bench_answers ORDER BY subjid")
        csv.writer(file, lineterminator="\n").writerows(cursor.fetchall())


def _canonical_file(folder: Path) -> Path:
    def integer(name: str, **given: int) -> Variable:
        xpt_name = name.replace("_", "").upper()[:8]
        return Variable(name=name, xpt_name=xpt_name, label=name, short_label=name, type=Type.INTEGER, **given)  # type: ignore[arg-type]

    subjid = Variable(name="subjid", xpt_name="SUBJID", label="Id", short_label="Id", type=Type.ID, length=20)
    items = (integer(f"item_{n}", min=0, max=3) for n in range(N_ITEMS))
    table = Table(
        name="answers", label="Answers", row="a form", key=("subjid", "visitnum"),
        variables=(subjid, integer("visitnum"), *items),
    )  # fmt: skip
    draft = Drafting(folder / "draft", Model((table,), ()), PROVENANCE, keys.new_data_key())
    draft.write(table, _rows())
    write_zip(folder / "canonical.zip", draft.files())
    return folder / "canonical.zip"
