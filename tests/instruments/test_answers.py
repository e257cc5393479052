import pytest

from instruments import completeness, get, required_items
from instruments.answers import FaultyAnswer, read_answer
from tests.instruments.builders import instrument

NINE = {f"phq9_{number}": 0 for number in range(1, 10)}


def test_the_difficulty_item_is_required_once_a_problem_is_reported():
    phq9 = get("phq9")

    assert required_items(phq9, NINE) == list(NINE)
    assert required_items(phq9, NINE | {"phq9_3": 1}) == [*NINE, "phq9_10"]


def test_an_answer_that_is_not_valid_makes_nothing_required():
    assert "phq9_10" not in required_items(get("phq9"), {"phq9_1": 9})


@pytest.mark.parametrize(
    ("answers", "missing_codes", "counts"),
    [
        ({}, {}, (0, 9)),
        (NINE, {}, (9, 9)),
        (NINE | {"phq9_10": 0}, {}, (10, 10)),
        (NINE | {"phq9_1": 1}, {}, (9, 10)),
        (NINE | {"phq9_1": None}, {"phq9_1": "RF"}, (8, 9)),
        (NINE | {"phq9_1": None}, {"phq9_1": "NA"}, (8, 8)),
        (NINE | {"phq9_1": 9}, {}, (8, 9)),
        (NINE | {"phq9_99": 1}, {}, (9, 9)),
    ],
)
def test_completeness_counts_valid_answers_against_expected_ones(answers, missing_codes, counts):
    assert completeness(get("phq9"), answers, missing_codes) == counts


def test_one_answer_can_be_read_alone():
    [first, *_] = instrument().items

    assert read_answer(first, 3.0) == 3
    with pytest.raises(FaultyAnswer, match="out_of_range"):
        read_answer(first, 5)
