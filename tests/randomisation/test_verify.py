"""The stand-alone verifier on the command line (randomisation.md 3.4)."""

import copy
import json

import pytest

from randomisation.verify import main
from tests.randomisation.packages import BLOCKS, Revision, Scheme, people


def a_package():
    scheme = Scheme()
    revision = scheme.lock(Revision(1, **BLOCKS))
    for person in people(5):
        scheme.allocate(revision, person)
    return scheme.package()


def run(path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(path)])
    out, err = capsys.readouterr()
    return ended.value.code, out.splitlines(), err


def written(tmp_path, document):
    path = tmp_path / "package.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_an_honest_package_ends_well_and_says_what_was_checked(tmp_path, capsys):
    document = a_package()

    status, lines, _ = run(written(tmp_path, document), capsys)

    assert status == 0
    assert lines == [
        "Commitments: 1 of 1 open with secret and parameters.",
        "Log entries: 8.",
        "Allocations: 5.",
        f"Last digest: {document['events'][-1]['digest']}",
        "All 5 allocations agree.",
    ]


def test_a_difference_is_told_and_ends_with_status_1(tmp_path, capsys):
    document = a_package()
    document["allocations"][0]["arm"] = "neither"

    status, lines, _ = run(written(tmp_path, document), capsys)

    assert status == 1
    assert lines[-2].startswith("- Allocation 1: its arm is stated as neither")
    assert lines[-1] == "1 difference."


def test_several_differences_are_counted(tmp_path, capsys):
    document = copy.deepcopy(a_package())
    document["allocations"][0]["arm"] = document["allocations"][1]["arm"] = "neither"

    status, lines, _ = run(written(tmp_path, document), capsys)

    assert (status, lines[-1]) == (1, "2 differences.")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[]", b'{"format": 1}', b"9" * 5000])
def test_a_file_that_is_no_package_ends_with_status_2_and_a_message(tmp_path, capsys, content):
    path = tmp_path / "package.json"
    path.write_bytes(content)

    status, lines, err = run(path, capsys)

    assert (status, lines) == (2, [])
    assert "cannot be verified: " in err
    assert len(err.splitlines()) == 1


def test_a_file_that_is_not_there_ends_with_status_2(tmp_path, capsys):
    status, _, err = run(tmp_path / "absent.json", capsys)

    assert status == 2
    assert "No such file" in err
