"""Files of wording: read whole, or refused with each thing that is wrong."""

import pytest

import instruments
from tests.trial.assessments.wordings import MARK, as_csv, as_json, eq5d5l
from trial.assessments.wording_reading import WordingRefused, read_wording

EQ5D5L = instruments.get("eq5d5l")
MOBILITY = "eq5d5l_mobility"


def without(key, *path):
    content = eq5d5l()
    place = content["items"]
    for part in path:
        place = place[part]
    del place[key]
    return content


def with_value(value, key, *path):
    content = eq5d5l()
    place = content["items"]
    for part in path:
        place = place[part]
    place[key] = value
    return content


def test_both_kinds_of_file_say_the_same():
    assert read_wording(as_csv(eq5d5l()), EQ5D5L) == read_wording(as_json(eq5d5l()), EQ5D5L) == eq5d5l()


def test_an_item_without_labels_may_be_a_bare_text():
    content = read_wording(as_json(with_value("How well?", "eq5d5l_vas")), EQ5D5L)

    assert content["items"]["eq5d5l_vas"] == {"text": "How well?", "options": {}}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (without(MOBILITY), "eq5d5l_mobility is missing"),
        (without("text", MOBILITY), "The text of eq5d5l_mobility is missing"),
        (without("3", MOBILITY, "options"), "The label of answer 3 of eq5d5l_mobility is missing"),
        (with_value("x", "6", MOBILITY, "options"), "eq5d5l_mobility has no answer 6"),
        (with_value("x", "101", "eq5d5l_vas", "options"), "eq5d5l_vas has no answer 101"),
        (with_value(" ", "text", MOBILITY), "The text of eq5d5l_mobility is missing"),
        (with_value(7, "text", MOBILITY), "The text of eq5d5l_mobility is missing"),
        (with_value("x" * 2001, "text", MOBILITY), "must be 2,000 characters or fewer"),
        (with_value("a\x07", "1", MOBILITY, "options"), "cannot be printed"),
        (with_value([], "options", MOBILITY), "must be labels by value"),
        (with_value("x", "other", MOBILITY), "must have “text” and “options” and nothing else"),
        (with_value({"text": "x"}, "eq5d5l_walks"), "There is no item eq5d5l_walks"),
        (eq5d5l(instructions=3), "The instructions is missing"),
        (eq5d5l(version="9.9.9"), "The file is for version 9.9.9, not 1.0.0"),
        (eq5d5l(typo=1), "“typo” is not a known key"),
        ([], "must be an object"),
    ],
)
def test_what_is_wrong_is_named(content, problem):
    with pytest.raises(WordingRefused) as refused:
        read_wording(as_json(content), EQ5D5L)

    assert any(problem in one for one in refused.value.problems)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff", "not UTF-8 text"),
        (b'{"items": {}, "items": {}}', "there twice"),
        (b"{", "not JSON"),
        (b"x" * 600_000, "512 KB or smaller"),
        (b"code,text\n", "must name the columns item, value and text"),
        (b"", "must name the columns"),
        (b"item,value,text\na,b\n", "Line 2 has 2 cells instead of 3"),
        (b'item,value,text\n"a"b,,\n', "Line 2 cannot be read"),
        (f"item,value,text\n{MOBILITY},,A\n{MOBILITY},,B\n".encode(), "Line 3 says again"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(data, problem):
    with pytest.raises(WordingRefused, match=problem):
        read_wording(data, EQ5D5L)


def test_every_problem_is_told_at_once():
    content = without("text", MOBILITY)
    del content["items"]["eq5d5l_vas"]

    with pytest.raises(WordingRefused) as refused:
        read_wording(as_json(content), EQ5D5L)

    assert len(refused.value.problems) == 2
    assert MARK not in str(refused.value)
