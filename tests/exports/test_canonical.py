"""One stored file: open rows for everybody, whole rows sealed."""

import zipfile

import pytest

from exports.canonical import opened
from tests.exports.small import MODEL, PROVENANCE, ROWS, canonical_file
from trial.base.keys import SealBroken


def test_what_was_written_is_read_again(tmp_path):
    source = canonical_file(tmp_path)

    with opened(source.path, source.wrapped_key) as canonical:
        assert canonical.model == MODEL
        assert canonical.provenance == PROVENANCE
        assert {t.name: list(canonical.all_rows(t.name)) for t in MODEL.tables} == ROWS


def test_open_rows_lack_what_reveals_allocation(tmp_path):
    source = canonical_file(tmp_path)

    with opened(source.path) as canonical:
        people, events = list(canonical.open_rows("participants")), list(canonical.open_rows("events"))

    assert people == [row[:-1] for row in ROWS["participants"]]
    assert events == [["GRX-01-001-7", 1, 5], ["GRX-01-002-5", 1, 6]]


def test_whole_rows_stay_shut_without_the_key(tmp_path):
    source = canonical_file(tmp_path)

    with opened(source.path) as canonical, pytest.raises(SealBroken):
        list(canonical.all_rows("participants"))


def test_no_row_of_the_file_shows_an_arm(tmp_path):
    source = canonical_file(tmp_path)

    with zipfile.ZipFile(source.path) as archive:
        rows = [archive.read(name) for name in archive.namelist() if name.startswith(("open/", "sealed/"))]

    assert len(rows) == 4
    assert not any(b"sentinel" in row for row in rows)
