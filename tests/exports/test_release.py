"""The zip: same file, variant and code give the same bytes; nothing in it but what its variant may hold."""

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import asdict, replace

import pytest

from exports.release import Source, build
from exports.writers import WRITERS
from tests.exports.small import CODE, MODEL, PROVENANCE, ROWS, canonical_file

VARIANTS = ["blinded", "unblinded", "allocation"]


def built(tmp_path, variant="blinded", *, source=None, name="out", **more):
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    return build(source or canonical_file(tmp_path / "canonical"), variant, folder, code=CODE, **more)


def members(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_randomisation():
    table = replace(
        MODEL.tables[0],
        name="randomisation",
        variables=(MODEL.tables[0].variables[0], MODEL.tables[0].variables[-1]),
        delivery=True,
    )
    rows = {**ROWS, "randomisation": [[row[0], row[-1]] for row in ROWS["participants"]]}
    return {"model": replace(MODEL, tables=(*MODEL.tables, table)), "rows": rows}


def test_the_name_says_study_lock_variant_and_date(tmp_path):
    release = built(tmp_path)

    assert release.name == "GREENRXF_L001_blinded_2026-07-09.zip"
    assert {name.split("/")[0] for name in members(release.path)} == {"GREENRXF_L001_blinded_2026-07-09"}


def test_the_allocation_file_holds_one_table_and_has_no_date_in_its_name(tmp_path):
    source = canonical_file(tmp_path / "canonical", **with_randomisation())

    release = built(tmp_path, "allocation", source=source)

    tables = [name for name in members(release.path) if "/data/csv/" in name]
    assert release.name == "GREENRXF_L001_allocation.zip"
    assert tables == ["GREENRXF_L001_allocation/data/csv/randomisation.csv"]


@pytest.mark.parametrize("variant", ["blinded", "unblinded"])
def test_built_twice_the_bytes_are_equal(tmp_path, variant):
    source = canonical_file(tmp_path / "canonical")

    once, again = (built(tmp_path, variant, source=source, name=name) for name in ("once", "again"))

    assert once.path.read_bytes() == again.path.read_bytes()


BUILD = """
import json, sys
from pathlib import Path
import django
django.setup()
from exports.release import Source, build
from exports.software import Software
given = json.loads(sys.argv[1])
made = build(Source(Path(given["path"]), given["key"]), given["variant"], Path(given["folder"]), code=Software(**given["code"]))
sys.stdout.write(made.sha256)
"""


def test_built_in_a_clean_process_the_bytes_are_equal(tmp_path, monkeypatch, settings):
    source = canonical_file(tmp_path / "canonical")
    here = built(tmp_path, "unblinded", source=source)
    (tmp_path / "there").mkdir()
    given = {
        "path": str(source.path),
        "key": source.wrapped_key,
        "variant": "unblinded",
        "folder": str(tmp_path / "there"),
        "code": asdict(CODE),
    }
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.settings")
    monkeypatch.setenv("PYTHONHASHSEED", "17")
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    there = subprocess.run(
        [sys.executable, "-c", BUILD, json.dumps(given)],
        capture_output=True,
        text=True,
        check=True,
        cwd=settings.BASE_DIR,
    )

    assert there.stdout == here.sha256


def test_the_hashes_inside_are_right(tmp_path):
    release = built(tmp_path)
    with zipfile.ZipFile(release.path) as archive:
        archive.extractall(tmp_path / "unpacked")
    folder = next((tmp_path / "unpacked").iterdir())

    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)

    assert checked.returncode == 0, checked.stdout
    assert len(checked.stdout.splitlines()) == release.n_files - 1


def test_the_manifest_lists_every_file_with_size_hash_rows_and_columns(tmp_path):
    release = built(tmp_path)
    inside = members(release.path)
    top = "GREENRXF_L001_blinded_2026-07-09"

    manifest = json.loads(inside[f"{top}/MANIFEST.json"])

    listed = {entry["path"]: entry for entry in manifest["files"]}
    assert {f"{top}/{path}" for path in listed} == set(inside) - {f"{top}/MANIFEST.json", f"{top}/SHA256SUMS"}
    for path, entry in listed.items():
        content = inside[f"{top}/{path}"]
        assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        if entry.get("table"):
            rows = list(csv.reader(io.StringIO(content.decode())))
            assert (entry["rows"], entry["columns"]) == (len(rows) - 1, len(rows[0]))


def test_the_manifest_has_the_keys_of_section_9(tmp_path):
    release = built(tmp_path)

    manifest = json.loads(members(release.path)["GREENRXF_L001_blinded_2026-07-09/MANIFEST.json"])

    assert list(manifest) == [
        "manifest_version", "study", "release", "software", "counts", "files", "content_sha256", "signature",
    ]  # fmt: skip
    assert {
        "lock_id",
        "lock_time",
        "variant",
        "data_through",
        "audit_head",
        "options",
        "locked_by",
        "authorised_by",
    } <= set(manifest["release"])
    assert {
        "name",
        "version",
        "git_commit",
        "git_dirty",
        "schema_version",
        "instrument_versions",
        "python",
        "libraries",
    } == set(manifest["software"])
    assert manifest["counts"]["participants"] == 3


def test_the_zip_has_fixed_dates_modes_and_sorted_names(tmp_path):
    release = built(tmp_path)

    with zipfile.ZipFile(release.path) as archive:
        entries = archive.infolist()

    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert {(entry.extra, entry.flag_bits, entry.create_system) for entry in entries} == {(b"", 0, 3)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_file_of_a_cut_says_that_it_is_not_locked(tmp_path, variant):
    source = canonical_file(tmp_path / "canonical", lock_id="C001", kind="cut", **with_randomisation())

    release = built(tmp_path, variant, source=source)

    silent = [
        name
        for name, content in members(release.path).items()
        if b"not locked" not in content.lower().replace(b"_", b" ")
    ]
    assert silent == []


def test_no_file_of_a_lock_says_so(tmp_path):
    release = built(tmp_path)

    assert not any(b"NOT LOCKED" in content for content in members(release.path).values())


def test_a_blinded_release_holds_no_arm_anywhere(tmp_path):
    release = built(tmp_path)

    told = [name for name, content in members(release.path).items() if b"sentinel" in content.lower()]
    assert told == []


def test_people_who_differ_only_by_arm_give_the_same_blinded_bytes(tmp_path):
    other = {
        **ROWS,
        "participants": [
            [*row[:-1], {"sentinel-a": "sentinel-b", "sentinel-b": "sentinel-a"}.get(str(row[-1]))]
            for row in ROWS["participants"]
        ],
    }
    one = canonical_file(tmp_path / "one")
    two = canonical_file(tmp_path / "two", rows=other)

    first, second = (built(tmp_path, source=source, name=source.path.parent.name + "-out") for source in (one, two))

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.content_sha256 == second.content_sha256


def test_a_blinded_build_needs_no_key(tmp_path):
    source = canonical_file(tmp_path / "canonical")

    with_key = built(tmp_path, source=source, name="with")
    without = built(tmp_path, source=Source(source.path), name="without")

    assert with_key.sha256 == without.sha256


def test_changes_compare_with_the_lock_before(tmp_path):
    first = canonical_file(tmp_path / "canonical")
    rows = {**ROWS, "events": ROWS["events"][:2]}
    second = canonical_file(tmp_path / "canonical", lock_id="L002", previous="L001", rows=rows)

    release = built(tmp_path, source=second, previous=first)

    text = members(release.path)["GREENRXF_L002_blinded_2026-07-09/CHANGES.txt"].decode()
    assert "Compared with L001: 1 tables changed, 1 did not." in text
    assert [change.removed for change in release.changes] == [0, 1]


def test_the_first_lock_has_nothing_to_compare_with(tmp_path):
    release = built(tmp_path)

    text = members(release.path)["GREENRXF_L001_blinded_2026-07-09/CHANGES.txt"].decode()
    assert "no earlier cut or lock" in text
    assert release.changes is None


def test_only_the_formats_asked_for_are_inside(tmp_path):
    release = built(tmp_path, writers=["csv"])

    assert not any("/codebook/" in name for name in members(release.path))
    assert set(WRITERS) == {"csv", "codebook", "derivations"}


def test_the_content_hash_ignores_when_it_was_locked(tmp_path):
    one = canonical_file(tmp_path / "one")
    two = canonical_file(tmp_path / "two", lock_time="2027-01-01T00:00:00+00:00")

    first, second = (built(tmp_path, source=source, name=source.path.parent.name + "-out") for source in (one, two))

    assert first.content_sha256 == second.content_sha256
    assert first.sha256 != second.sha256
    assert PROVENANCE.lock_date == "2026-07-09"
