"""Every row is tested against the model while the canonical file is written."""

import pytest

from exports.checks import ModelBroken
from exports.validation import checked
from tests.exports.small import EVENTS, MODEL, PEOPLE, ROWS


def with_cell(name: str, value: object) -> list[object]:
    row = list(ROWS["participants"][0])
    row[PEOPLE.position(name)] = value
    return row


def test_rows_that_fit_pass_unchanged():
    assert list(checked(MODEL, PEOPLE, ROWS["participants"])) == ROWS["participants"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", 17),
        ("age", "44"),
        ("age", -91),
        ("mean_score", "3.5"),
        ("mean_score", 3),
        ("mean_score_miss", -98),
        ("born", "1980-02-30"),
        ("born", "13/04/1980"),
        ("seen_at", "2026-04-13 10:05"),
        ("note", "x" * 41),
        ("note", "two\nlines"),
        ("sex", 3),
        ("sex", -99),
        ("arm", "unknown"),
        ("subjid", "=cmd"),
    ],
)
def test_a_cell_that_does_not_fit_stops_the_file_and_is_named(name, value):
    with pytest.raises(ModelBroken, match="participants"):
        list(checked(MODEL, PEOPLE, [with_cell(name, value)]))


@pytest.mark.parametrize(
    "rows",
    [
        [["A", 1, 5, 0], ["A", 1, 5, 0]],
        [["A", 2, 5, 0], ["A", 1, 5, 0]],
        [["B", 1, 5, 0], ["A", 1, 5, 0]],
        [["A", None, 5, 0]],
        [["A", 1, 5]],
    ],
)
def test_keys_are_there_once_and_in_order(rows):
    with pytest.raises(ModelBroken, match="repeats a key, is out of order or has gaps"):
        list(checked(MODEL, EVENTS, rows))
