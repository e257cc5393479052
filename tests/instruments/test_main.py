import csv
import io
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import instruments.__main__
from instruments import load, score
from instruments.__main__ import main
from tests.instruments.builders import definition, write

ANSWERS = {"demo_1": 4, "demo_2": 1, "demo_3": 0}


@pytest.fixture
def demo(tmp_path):
    return str(write(tmp_path, definition()))


@pytest.fixture
def score_file(tmp_path, demo, capsys):
    def run(content, *options, name="answers.jsonl"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        code = main(["score", demo, str(path), *options])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def totals(out):
    return [json.loads(line)["scores"]["demo_sum"]["value"] for line in out.splitlines()]


def test_json_lines_come_out_in_the_order_they_went_in(score_file):
    code, out, err = score_file(f"{json.dumps(ANSWERS)}\n\n{json.dumps(ANSWERS | {'demo_1': 0})}\n")

    assert (code, err) == (0, "")
    assert totals(out) == [5, 1]
    assert set(json.loads(out.splitlines()[0])) == {"scores", "alerts", "errors", "warnings"}


def test_csv_cells_are_read_as_json_would_give_them(score_file):
    code, out, err = score_file("\ufeffdemo_1,demo_2,demo_3\r\n4,1.0,\r\n 4 ,1,0\r\n,,\r\nx,1.5,0\r\n", name="a.csv")

    assert (code, err) == (0, "")
    assert totals(out) == [None, 5, None, None]
    assert json.loads(out.splitlines()[3])["errors"] == [
        {"item": "demo_1", "code": "wrong_type"},
        {"item": "demo_2", "code": "not_integer"},
    ]


def test_a_row_of_empty_cells_is_a_form_and_a_blank_line_is_none(score_file):
    code, out, err = score_file("\r\ndemo_1,demo_2,demo_3\r\n,,\r\n\r\n  \r\n4,1,0", name="a.csv")

    assert (code, err) == (0, "")
    assert totals(out) == [None, 5]


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("2.0", None),
        ("20e-1", None),
        ("0e99999999999999999999", None),
        ("1e400", "out_of_range"),
        ("-1e99999999999999999999", "out_of_range"),
        ("9" * 5000, "out_of_range"),
        ("1e-99999999999999999999", "not_integer"),
        ("2.5", "not_integer"),
    ],
)
def test_a_number_is_judged_by_its_value_in_both_kinds_of_file(score_file, written, error):
    expected = [{"item": "demo_1", "code": error}] if error else []

    for content, name in ((f"demo_1,demo_2\n{written},1", "a.csv"), (f'{{"demo_1": {written}}}', "a.jsonl")):
        code, out, err = score_file(content, name=name)

        assert (code, err) == (0, "")
        assert json.loads(out)["errors"] == expected


def test_what_looks_like_a_number_and_is_none_is_the_wrong_type(score_file):
    code, out, _ = score_file("demo_1,demo_2,demo_3\n٢,NaN,true\n", name="a.csv")

    assert code == 0
    assert {each["code"] for each in json.loads(out)["errors"]} == {"wrong_type"}


def test_a_line_says_the_whole_result_as_the_scorer_gives_it(score_file, demo):
    forms = [ANSWERS, {"demo_1": 9, "é": None}, {"demo_2": True}, {}]

    _, out, _ = score_file("\n".join(map(json.dumps, forms)))

    assert out.splitlines() == [json.dumps(score(load(Path(demo)), form).as_dict()) for form in forms]


def test_a_table_has_a_row_for_each_form(score_file):
    code, out, _ = score_file('{"demo_1": 4, "demo_2": 1, "demo_3": 1, "=x": 1}\n', "--csv")

    [row] = csv.DictReader(io.StringIO(out))
    assert code == 0
    assert row == {
        "line": "1",
        "demo_sum": "6",
        "demo_sum_status": "complete",
        "demo_sum_band": "upper",
        "alerts": "demo_item",
        "errors": "'=x:unknown_item",
        "warnings": "",
    }


def test_unreadable_json_lines_are_named_and_the_rest_is_scored(score_file):
    lines = [
        json.dumps(ANSWERS).encode(),
        b"oops",
        b"[1]",
        b'{"demo_1": 1, "demo_1": 2}',
        b'{"\xff": 1}',
        b"{}",
    ]

    code, out, err = score_file(b"\n".join(lines))

    assert code == 1
    assert totals(out) == [5, None]
    assert [line.split(":")[0] for line in err.splitlines()] == ["line 2", "line 3", "line 4", "line 5"]


def test_unreadable_csv_rows_are_named_and_the_rest_is_scored(score_file):
    rows = [
        b"demo_1,demo_2,demo_3",
        b"4,1,0",
        b"4,1",
        b'"4"x,1,0',
        b"\xff,1,0",
        b"0,0,0",
        b'"4,1,0',
        b"1,1,1",
    ]

    code, out, err = score_file(b"\n".join(rows), name="a.csv")

    assert code == 1
    assert totals(out) == [5, 0]
    assert [line.split(":")[0] for line in err.splitlines()] == ["line 3", "line 4", "line 5", "line 7"]
    assert "has 2 cells, and the first line has 3" in err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,b\n1,2\n", "names no item of demo"),
        ('"demo_1"x,b\n1,2\n', "names no item of demo. "),
        ("demo_1,demo_1\n1,2\n", "names a column twice"),
        (b"demo_1,\xff\n1,2\n", "not UTF-8"),
    ],
)
def test_a_header_that_cannot_be_used_stops_the_command(score_file, content, reason):
    code, out, err = score_file(content, name="answers.txt")

    assert (code, out) == (2, "")
    assert reason in err


def test_an_empty_file_holds_no_forms(score_file):
    assert score_file("", name="answers") == (0, "", "")


@pytest.mark.parametrize(
    "content", [json.dumps(ANSWERS), "\n\n" + json.dumps(ANSWERS), "demo_1,demo_2,demo_3\n4,1,0\n"]
)
def test_standard_input_is_recognised_by_its_first_line(demo, content, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))

    assert main(["score", demo, "-"]) == 0

    assert totals(capsys.readouterr().out) == [5]


def test_a_code_of_the_library_or_none_at_all(tmp_path, capsys):
    assert main(["score", "phq99", "-"]) == 2
    assert main(["score", "phq9", str(tmp_path / "gone.csv")]) == 2

    err = capsys.readouterr().err.splitlines()
    assert err == ["There is no instrument 'phq99'.", "gone.csv cannot be read: No such file or directory"]


def test_a_definition_may_lie_in_a_file_of_any_name(tmp_path, capsys):
    path = write(tmp_path, definition(), "definition")
    answers = tmp_path / "answers.jsonl"
    answers.write_text(json.dumps(ANSWERS))

    assert main(["score", str(path), str(answers)]) == 0

    assert totals(capsys.readouterr().out) == [5]


def test_check_names_every_file_that_is_refused(tmp_path, demo, capsys):
    wrong = write(tmp_path, definition(title=7), "wrong.json")

    assert main(["check", demo]) == 0
    assert main(["check", str(wrong), demo]) == 1

    out, err = capsys.readouterr()
    assert out.count("demo 1.0.0 is usable") == 2
    assert err == "wrong.json: title: 7 is not of type 'string'\n"


def test_the_package_is_a_command(demo, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["instruments", "check", demo])

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(instruments.__main__.__file__, run_name="__main__")

    assert ended.value.code == 0


def test_the_command_needs_neither_django_nor_a_database():
    program = "import sys, instruments.__main__; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_reader_that_stops_early_is_no_error(tmp_path):
    answers = tmp_path / "answers.jsonl"
    answers.write_text(f"{json.dumps({'phq9_1': 1})}\n" * 2000)
    command = [sys.executable, "-m", "instruments", "score", "phq9", str(answers)]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()

    assert process.returncode == 1
    assert complaint == b""


def test_output_that_nobody_reads_ends_the_command(score_file, monkeypatch, tmp_path):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

        def fileno(self):
            return spare.fileno()

    with (tmp_path / "spare").open("w") as spare:
        monkeypatch.setattr(sys, "stdout", Gone())

        code, _, err = score_file(json.dumps(ANSWERS))

    assert (code, err) == (1, "")
