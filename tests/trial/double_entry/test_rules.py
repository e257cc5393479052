"""Two entries compared."""

from datetime import date

import pytest

from trial.double_entry import rules


def test_items_that_either_entry_says_something_about_are_compared_and_the_day_is_no_item():
    first = rules.fields_of({"a": 1, "b": 2}, {"c": "BL"}, date(2026, 7, 6))
    second = rules.fields_of({"a": 1, "b": 3, "d": 0}, {"c": "BL"}, date(2026, 7, 5))

    found = rules.compare(first, second)

    assert [(one.key, one.theirs, one.yours) for one in found.differences] == [
        ("b", 2, 3),
        ("completed_date", "2026-07-06", "2026-07-05"),
        ("d", None, 0),
    ]
    assert (found.n_compared, found.n_agreed) == (4, 2)


@pytest.mark.parametrize(("agreed", "compared", "rate"), [(0, 0, None), (9, 10, 0.9), (10, 10, 1.0)])
def test_agreement_is_items_agreeing_over_items_compared(agreed, compared, rate):
    assert rules.agreement(agreed, compared) == rate


def test_a_decision_may_take_either_value_or_another_answer_of_the_question():
    assert rules.choices({"first": 1, "second": "BL"}, [0, 1, 2, "BL"]) == [1, "BL", 0, 2]
