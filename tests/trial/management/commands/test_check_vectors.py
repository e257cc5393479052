"""check_vectors: a line for each case, exit 1 when one differs (issue 2, points 8 and 9)."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

TESTS = Path(__file__).resolve().parents[3]
INSTRUMENTS = TESTS / "instruments" / "test_vectors.json"
RANDOMISATION = TESTS / "randomisation" / "randomisation_vectors.json"


def run(kind, file, capsys):
    call_command("check_vectors", kind, str(file))
    return capsys.readouterr().out.splitlines()


def test_every_scoring_case_passes(capsys):
    lines = run("instruments", INSTRUMENTS, capsys)

    assert len(lines) == len(json.loads(INSTRUMENTS.read_text("utf-8"))["cases"])
    assert all(line.endswith(" pass") for line in lines)


def test_every_randomisation_case_passes(capsys):
    lines = run("randomisation", RANDOMISATION, capsys)

    assert {line.split(" ", 1)[1] for line in lines} == {"pass"}
    assert len(lines) == len(json.loads(RANDOMISATION.read_text("utf-8"))["vectors"])


def test_the_first_field_that_differs_is_named_and_the_others_still_run(tmp_path, capsys):
    data = json.loads(INSTRUMENTS.read_text("utf-8"))
    case = data["cases"][0]
    name, value = next((n, s) for n, s in case["expect"]["scores"].items())
    case["expect"]["scores"][name] = {"value": 999} if isinstance(value, dict) else 999
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(data), "utf-8")

    with pytest.raises(CommandError, match=f"1 of {len(data['cases'])} cases differ"):
        call_command("check_vectors", "instruments", str(file))

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{case['id']} scores.{name}")
    assert sum(line.endswith(" pass") for line in lines) == len(data["cases"]) - 1


def test_a_randomisation_case_that_differs_names_its_field(tmp_path, capsys):
    data = json.loads(RANDOMISATION.read_text("utf-8"))
    vector = next(one for one in data["vectors"] if one["kind"] == "seed")
    vector["seed"] = "0" * 64
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(data), "utf-8")

    with pytest.raises(CommandError, match="1 of"):
        call_command("check_vectors", "randomisation", str(file))

    assert f"{vector['id']} seed" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("kind", ["instruments", "randomisation"])
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cases": []}', "not json"])
def test_a_file_without_cases_is_refused(tmp_path, kind, content):
    file = tmp_path / "cases.json"
    file.write_text(content, "utf-8")

    with pytest.raises(CommandError):
        call_command("check_vectors", kind, str(file))


@pytest.mark.parametrize("kind", ["instruments", "randomisation"])
def test_a_file_that_is_not_there_is_refused(tmp_path, kind):
    with pytest.raises(CommandError):
        call_command("check_vectors", kind, str(tmp_path / "absent.json"))
