"""Answers are possible, repeatable, correlated over time, and better at follow-up in both arms."""

from statistics import correlation, mean

import pytest

import instruments
from trial.demo import answers

PEOPLE = range(400)


def score(person: int, visit: str, instrument: str, code: str, arm: int | None = None) -> int | None:
    found = answers.traits("test", person, visit, arm)
    filled = answers.filled(instrument, answers.source("test", person, visit, instrument), found)
    return instruments.score(instruments.get(instrument), filled.answers).scores[code].value


@pytest.mark.parametrize("instrument", sorted(answers.ANSWERS))
@pytest.mark.parametrize("visit", ["V1", "V3"])
def test_a_form_has_no_error_and_every_required_item_has_an_answer_or_a_reason(instrument, visit):
    definition = instruments.get(instrument)

    for person in range(120):
        found = answers.traits("test", person, visit, person % 2)
        filled = answers.filled(instrument, answers.source("test", person, visit, instrument), found)
        result = instruments.score(definition, filled.answers)
        required = set(instruments.required_items(definition, filled.answers))
        assert result.errors == ()
        assert result.alerts == ()
        assert required <= filled.answers.keys() | filled.missing.keys()
        assert filled.answers.keys().isdisjoint(filled.missing)


def test_the_same_seed_person_visit_and_arm_give_the_same_answers():
    first = answers.filled("wemwbs", answers.source("a", 1, "V3"), answers.traits("a", 1, "V3", 0))
    again = answers.filled("wemwbs", answers.source("a", 1, "V3"), answers.traits("a", 1, "V3", 0))
    other = answers.filled("wemwbs", answers.source("b", 1, "V3"), answers.traits("b", 1, "V3", 0))

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("instrument", "code", "better"),
    [("wemwbs", "wemwbs_total", 1), ("phq9", "phq9_total", -1), ("gad7", "gad7_total", -1)],
)
def test_both_arms_improve_the_first_a_little_more_and_follow_up_goes_with_baseline(instrument, code, better):
    before = {person: score(person, "V1", instrument, code) for person in PEOPLE}
    after = {person: score(person, "V3", instrument, code, person % 2) for person in PEOPLE}

    both = [person for person in PEOPLE if before[person] is not None and after[person] is not None]
    gains = [better * mean(after[p] - before[p] for p in both if p % 2 == arm) for arm in (0, 1)]
    assert gains[0] > gains[1] > 0
    assert 0.45 < correlation([before[p] for p in both], [after[p] for p in both]) < 0.68


def test_some_items_of_wemwbs_stay_without_an_answer():
    totals = [score(person, "V3", "wemwbs", "wemwbs_total", 0) for person in PEOPLE]

    assert 0.88 < sum(total is not None for total in totals) / len(totals) < 0.99


def test_answers_spread_over_items_add_up_to_their_total():
    items = instruments.get("wemwbs").items

    for total in (14, 15, 41, 69, 70):
        given = answers.spread(answers.source(total), total, items)
        assert sum(given.values()) == total
        assert all(value in item.allowed for item, value in zip(items, given.values(), strict=True))
