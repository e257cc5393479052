import json
from decimal import Decimal
from pathlib import Path

import pytest

from instruments.vectors import VectorsError, check_cases, check_file, read_cases
from tests.instruments.builders import definition, write

REFERENCE = Path(__file__).with_name("test_vectors.json")


def case(**changes):
    [known] = [each for each in json.loads(REFERENCE.read_text("utf-8"))["cases"] if each["id"] == "S056"]
    return known | changes


def expecting(**changes):
    known = case()
    return case(expect=known["expect"] | changes)


def scores(**changes):
    return expecting(scores=case()["expect"]["scores"] | changes)


def test_the_reference_cases_pass_and_say_so():
    results = check_file(REFERENCE)

    assert len(results) == 126
    assert {str(result) for result in results if result.id == "S001"} == {"S001 pass"}


def test_decimals_are_compared_with_a_tolerance_and_whole_numbers_exactly():
    total = {"value": 8, "status": "prorated", "band": "mild", "unrounded": Decimal("7.875004")}

    assert check_cases({"cases": [scores(phq9_total=total)]})[0].passed
    assert check_cases({"cases": [scores(phq9_total=total | {"value": 8.0})]})[0].passed


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        (
            scores(phq9_total={"value": 9, "status": "prorated", "band": "mild", "unrounded": 7.875}),
            "scores.phq9_total.value: expected 9, got 8",
        ),
        (
            scores(phq9_total={"value": 8, "status": "prorated", "band": "mild", "unrounded": Decimal("7.9")}),
            "scores.phq9_total.unrounded: expected 7.9, got 7.875",
        ),
        (
            scores(phq9_total={"value": 8, "status": "prorated", "band": "mild"}),
            "scores.phq9_total.unrounded: expected nothing, got 7.875",
        ),
        (scores(phq3_total={"value": 1}), "scores.phq3_total: expected {'value': 1}, got nothing"),
        (
            scores(phq2_total={"value": True, "status": "complete", "band": "negative"}),
            "scores.phq2_total.value: expected True, got 2",
        ),
        (
            scores(phq2_total={"value": float("nan"), "status": "complete", "band": "negative"}),
            "scores.phq2_total.value: expected nan, got 2",
        ),
        (expecting(alerts=["phq9_severe"]), "alerts: expected ['phq9_severe'], got []"),
        (
            expecting(warnings=[{"item": "phq9_6", "code": "required_missing"}]),
            "warnings[0].item: expected 'phq9_6', got 'phq9_5'",
        ),
        (expecting(errors={}), "errors: expected {}, got []"),
        (case(instrument="phq99"), "instrument: There is no instrument 'phq99'."),
        (case(instrument_version="9.9"), "instrument: There is no version '9.9' of phq9. Known: 1.0.0."),
    ],
)
def test_the_first_field_that_differs_is_named(changed, difference):
    [result] = check_cases({"cases": [changed]})

    assert not result.passed
    assert result.difference == difference
    assert str(result) == f"S056 FAIL {difference}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([], "the file is not an object"),
        ({}, "the file has no 'cases' that is a list"),
        ({"cases": {}}, "the file has no 'cases' that is a list"),
        ({"cases": [1]}, r"cases\[0\] is not an object"),
        ({"cases": [case(id=7)]}, r"cases\[0\] has no 'id' that is text"),
        ({"cases": [case(answers=[])]}, r"cases\[0\] has no 'answers' that is an object"),
        ({"cases": [case(), case()]}, "the id 'S056' is used twice"),
        ({"cases": [case(expect=json.loads('{"a": ' * 40 + "1" + "}" * 40))]}, "nested too deeply"),
    ],
)
def test_what_is_not_in_the_format_is_refused(data, reason):
    with pytest.raises(VectorsError, match=reason):
        check_cases(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"{", "cases.json: not JSON"), (b"\xff", r"cases.json is not UTF-8 text \(byte 1\)")],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path, content, reason):
    path = tmp_path / "cases.json"
    path.write_bytes(content)

    with pytest.raises(VectorsError, match=reason):
        read_cases(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(VectorsError, match="cannot be read: No such file"):
        check_file(tmp_path / "gone.json")


def test_made_up_scales_may_lie_beside_the_cases(tmp_path):
    (tmp_path / "fixtures").mkdir()
    write(tmp_path / "fixtures", definition())
    path = write(tmp_path, {"cases": [case(instrument="demo", answers={}, expect={})]}, "cases.json")

    [result] = check_file(path)

    assert result.difference.startswith("scores: expected nothing, got")


def test_a_made_up_scale_that_does_not_load_fails_its_cases(tmp_path):
    (tmp_path / "fixtures").mkdir()
    write(tmp_path / "fixtures", definition(title=7))
    path = write(tmp_path, {"cases": [case(instrument="demo")]}, "cases.json")

    [result] = check_file(path)

    assert result.difference == "instrument: demo.json: title: 7 is not of type 'string'"
