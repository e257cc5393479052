"""Why a value is not there (dataset_release.md section 7)."""

import pytest

import instruments
from exports.datasets.missingness import Due, absent, item_values, unscored
from tests.instruments.builders import instrument, item

PHQ9 = instruments.get("phq9")


@pytest.mark.parametrize(
    ("due", "code"),
    [
        (Due(), None),
        (Due(is_over=True), -94),
        (Due(recorded_not_done=True), -94),
        (Due(recorded_not_done=True, had_stopped=True), -94),
        (Due(died_before=True, is_over=True, had_stopped=True), None),
        (Due(was_asked=False, is_over=True), -97),
        (Due(had_stopped=True, is_over=True), -93),
        (Due(had_stopped=True), -93),
    ],
)
def test_an_absent_form_says_why(due, code):
    assert absent(due) == code


def values(answers, missing=None, *, is_settled=True, columns=("phq9_1", "phq9_10", "phq9_99")):
    return item_values(PHQ9, columns, answers, missing or {}, is_settled=is_settled)


def test_an_answer_stands_as_it_is():
    assert values({"phq9_1": 0})["phq9_1"] == 0


@pytest.mark.parametrize(
    ("entered", "code"), [("IL", -91), ("RF", -92), ("ND", -94), ("NA", -96), ("NK", -98), ("BL", -99)]
)
def test_codes_at_entry_have_their_number(entered, code):
    assert values({}, {"phq9_1": entered})["phq9_1"] == code


def test_an_item_of_another_version_was_not_asked():
    assert values({"phq9_1": 0})["phq9_99"] == -97


def test_an_item_that_nothing_made_necessary_does_not_apply():
    assert values({"phq9_1": 0})["phq9_10"] == -96


def test_an_item_that_the_answers_before_it_leave_out_does_not_apply():
    rule = {"any_of": ["demo_1"], "op": ">=", "value": 2}
    made = instrument(items=[item("demo_1"), item("demo_2", shown_if=rule), item("demo_3")])

    def second(first, **more):
        return item_values(made, ["demo_2"], {"demo_1": first, **more}, {}, is_settled=True)["demo_2"]

    assert (second(1), second(2), second(1, demo_2=0)) == (-96, -99, 0)


def test_an_item_that_an_answer_made_necessary_was_left_blank():
    assert values({"phq9_1": 2})["phq9_10"] == -99


def test_an_open_question_of_a_draft_is_not_missing_yet():
    assert values({"phq9_1": 2}, is_settled=False) == {"phq9_1": 2, "phq9_10": None, "phq9_99": -97}


@pytest.mark.parametrize(
    ("status", "items", "code"),
    [
        ("not_scored", [1, -92, -92], -92),
        ("not_scored", [1, -92, -99], -99),
        ("not_scored", [1, None], -99),
        ("invalid", [1], -95),
        ("external", [1], None),
        ("", [None], None),
    ],
)
def test_a_score_without_value_says_why(status, items, code):
    assert unscored(status, items) == code
