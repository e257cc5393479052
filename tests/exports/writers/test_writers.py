"""Every format is written and read back by another reader, cell by cell."""

import csv
import json
from dataclasses import replace

import pandas as pd
import pytest

from exports.acceptance import cell_text
from exports.canonical import opened
from exports.dataset import Dataset
from exports.model import Type
from exports.release import OPTIONS
from exports.variants import dataset_of
from exports.writers import WRITERS
from exports.writers.csv_tables import defused
from tests.exports.small import PROVENANCE, ROWS, canonical_file


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    source = canonical_file(tmp_path / "canonical")
    context = opened(source.path, source.wrapped_key)
    canonical = context.__enter__()
    yield dataset_of(canonical, "unblinded", OPTIONS)
    context.__exit__(None, None, None)


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_says_what_it_wrote_and_writes_the_same_again(name, dataset, tmp_path):
    writer = WRITERS[name]

    once, again = writer.write(dataset, _folder(tmp_path, "once")), writer.write(dataset, _folder(tmp_path, "again"))

    assert once
    assert all(one.path.is_relative_to(tmp_path / "once") for one in once)
    assert [one.path.read_bytes() for one in once] == [one.path.read_bytes() for one in again]


def _folder(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    return folder


def test_csv_read_back_with_pandas_is_the_model_cell_by_cell(dataset, tmp_path):
    written = WRITERS["csv"].write(dataset, tmp_path)

    for one in written:
        table = dataset.model.table(one.table)
        found = pd.read_csv(one.path, dtype=str, keep_default_na=False)
        assert list(found.columns) == list(table.names)
        assert found.to_numpy().tolist() == [
            [cell_text(v.type, cell) for v, cell in zip(table.variables, row, strict=True)]
            for row in dataset.rows(table)
        ]
        assert (one.rows, one.columns) == found.shape


def test_csv_read_with_types_keeps_numbers_and_missing_codes(dataset, tmp_path):
    WRITERS["csv"].write(dataset, tmp_path)

    people = pd.read_csv(tmp_path / "data/csv/participants.csv", dtype={"age": "Int64", "mean_score_miss": "Int64"})

    assert people["age"].tolist() == [44, -92, -99]
    assert people["mean_score"].tolist()[0] == 3.5
    assert people["note"].tolist() == ["'=1+1", 'He said "no", twice', "Gŵyl"]


def test_csv_bytes_are_utf8_without_bom_and_end_lines_in_newline(dataset, tmp_path):
    WRITERS["csv"].write(dataset, tmp_path)

    content = (tmp_path / "data/csv/participants.csv").read_bytes()

    assert content.startswith(b"subjid,age")
    assert b"\r" not in content
    assert content.endswith(b"\n")


@pytest.mark.parametrize("text", ["=1+1", "+44", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_a_spreadsheet_runs_is_defused(text):
    assert defused(text) == f"'{text}"


def test_other_text_stays_as_it_is():
    assert defused("a=1") == "a=1"


def test_the_codebook_has_a_row_for_each_variable_and_the_columns_of_section_8(dataset, tmp_path):
    WRITERS["codebook"].write(dataset, tmp_path)

    with (tmp_path / "codebook/codebook.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    expected = (
        "table, position, name, xpt_name, label, short_label, question, type, format, unit, length, codelist, min, max,"
        " level, required, key, visits, source, derivation, missing_allowed, reveals_allocation, identifying,"
        " since_lock, instrument, instrument_version, licence, odm_oid, fhir_linkid, sdtm"
    )  # dataset_release.md section 8
    assert list(rows[0]) == expected.split(", ")
    assert [(row["table"], row["name"]) for row in rows] == [
        (table.name, name) for table in dataset.model.tables for name in table.names
    ]


def test_codelists_hold_the_missing_codes_as_a_list_of_their_own(dataset, tmp_path):
    WRITERS["codebook"].write(dataset, tmp_path)

    found = pd.read_csv(tmp_path / "codebook/codelists.csv")

    assert list(found.columns) == ["codelist", "code", "label", "order", "is_missing"]
    missing = found[found["is_missing"] == 1]
    assert missing["code"].astype(int).tolist() == list(range(-91, -100, -1))


def test_the_nested_codebook_has_counts(dataset, tmp_path):
    WRITERS["codebook"].write(dataset, tmp_path)

    nested = json.loads((tmp_path / "codebook/codebook.json").read_text(encoding="utf-8"))

    people = next(table for table in nested["tables"] if table["name"] == "participants")
    sex = next(one for one in people["variables"] if one["name"] == "sex")
    assert people["n_rows"] == len(ROWS["participants"])
    assert sex["counts"]["frequencies"] == {"1": 1, "2": 1}


def test_a_blinded_codebook_never_counts_by_arm(dataset, tmp_path):
    blinded = replace(dataset, model=dataset.model.blinded(), open_rows=_without_arm(dataset), variant="blinded")

    WRITERS["codebook"].write(blinded, tmp_path)

    assert "sentinel" not in "".join(path.read_text() for path in (tmp_path / "codebook").iterdir()).lower()


def _without_arm(dataset):
    tables = {table.name: table for table in dataset.model.tables}

    def rows(name):
        positions = tables[name].open_positions
        return ([row[n] for n in positions] for row in dataset.open_rows(name) if not tables[name].hides(row))

    return rows


def test_derivations_name_what_was_worked_out(dataset, tmp_path):
    table = dataset.model.tables[0]
    derived = replace(table.variables[1], derivation="Years between birth and consent")
    model = replace(dataset.model, tables=(replace(table, variables=(table.variables[0], derived)),))

    WRITERS["derivations"].write(replace(dataset, model=model), tmp_path)

    text = (tmp_path / "docs/derivations.md").read_text()
    assert "* `age`: Years between birth and consent" in text
    assert PROVENANCE.lock_id in text
    assert dataset.model.tables[0].variables[1].type == Type.INTEGER
