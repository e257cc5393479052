"""The verifier in one file needs nothing but Python (randomisation.md 3.4)."""

import json
import subprocess
import sys
import zipfile

import pytest

from randomisation.pack import pack
from tests.randomisation.packages import MINIMISED, Revision, Scheme, people


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    target = tmp_path_factory.mktemp("dist") / "out" / "hedgerow-verify.pyz"
    pack(target)
    return target


def run(packed, package, folder):
    # -I: no environment, no site packages of the user; the folder holds nothing to import.
    return subprocess.run(
        [sys.executable, "-I", "-S", packed, package],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def a_package():
    scheme = Scheme()
    revision = scheme.lock(Revision(1, ratio=(2, 1), **MINIMISED))
    for person in people(6):
        scheme.allocate(revision, person)
    return scheme.package()


def test_it_verifies_in_an_empty_folder(packed, tmp_path):
    path = tmp_path / "package.json"
    path.write_text(json.dumps(a_package()), encoding="utf-8")

    ended = run(packed, path, tmp_path)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == "All 6 allocations agree."


def test_it_ends_with_the_status_of_what_it_found(packed, tmp_path):
    document = a_package()
    document["allocations"].pop()
    wrong, broken = tmp_path / "wrong.json", tmp_path / "broken.json"
    wrong.write_text(json.dumps(document), encoding="utf-8")
    broken.write_text("{", encoding="utf-8")

    assert [run(packed, path, tmp_path).returncode for path in (wrong, broken)] == [1, 2]


def test_it_holds_the_engine_and_nothing_else(packed):
    names = zipfile.ZipFile(packed).namelist()

    folders = {name.rsplit("/", 1)[0] for name in names if "/" in name}
    assert folders == {"randomisation", "randomisation/engine", "randomisation/schemes"}
    assert {n for n in names if n.count("/") < 2} == {
        "__main__.py",
        "randomisation/__init__.py",
        "randomisation/errors.py",
        "randomisation/verify.py",
    }


def test_packing_again_gives_the_same_bytes(packed, tmp_path):
    again = tmp_path / "again.pyz"

    pack(again)

    assert again.read_bytes() == packed.read_bytes()
