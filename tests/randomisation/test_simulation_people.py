"""Who is expected: shares by site and factor, and people drawn from them."""

from fractions import Fraction

import pytest

from randomisation.simulation import Population, SimulationRefused
from randomisation.simulation.people import Crowd
from tests.randomisation.simulated import AGE, SITE, blocks, design

SECRET = b"p" * 32


def test_weights_become_shares():
    population = Population.of({"site": {"01": 3, "02": "1"}, "age": {"u65": Fraction(1, 3), "65p": "2/3"}})

    assert population.factors["site"] == {"01": Fraction(3, 4), "02": Fraction(1, 4)}
    assert population.factors["age"] == {"u65": Fraction(1, 3), "65p": Fraction(2, 3)}


def test_decimals_are_read_exactly():
    population = Population.of({"site": {"01": "0.7", "02": "0.3"}})

    assert population.factors["site"]["01"] == Fraction(7, 10)


def test_all_levels_of_the_designs_are_equally_likely_by_default():
    population = Population.even([blocks(4, factors=[AGE]).parameters], sites=["01", "02"])

    assert population.factors == {
        "site": {"01": Fraction(1, 2), "02": Fraction(1, 2)},
        "age": {"u65": Fraction(1, 2), "65p": Fraction(1, 2)},
    }


def test_the_sites_of_a_design_need_not_be_named_again():
    assert Population.even([blocks(4, factors=[AGE, SITE]).parameters]).sites == ["01", "02"]


def test_a_trial_without_sites_is_one_place_and_no_level():
    population = Population.even([design().parameters])

    (person,) = Crowd(population).draw(1, SECRET)

    assert population.marks == []
    assert (person.place, person.marks, person.stratum) == (0, (), "all")


def test_people_come_in_the_expected_shares():
    population = Population.of({"site": {"01": 3, "02": 1}, "age": {"u65": 1, "65p": 1}})

    people = Crowd(population).draw(4000, SECRET)

    # Four standard errors of a share of 3/4 among 4,000.
    assert sum(person.place == 0 for person in people) / 4000 == pytest.approx(0.75, abs=0.028)


def test_a_site_may_differ_from_the_others():
    population = Population.of(
        {"site": {"01": 1, "02": 1}, "age": {"u65": 1, "65p": 1}}, by_site={"02": {"age": {"65p": 1}}}
    )

    people = Crowd(population).draw(200, SECRET)

    assert {person.levels["age"] for person in people if person.levels["site"] == "01"} == {"u65", "65p"}
    assert {person.levels["age"] for person in people if person.levels["site"] == "02"} == {"65p"}


def test_people_alike_share_marks_and_stratum():
    population = Population.of({"age": {"u65": 1, "65p": 1}, "site": {"01": 1, "02": 1}})

    people = Crowd(population).draw(50, SECRET)

    assert population.marks == [("site", "01"), ("site", "02"), ("age", "u65"), ("age", "65p")]
    for person in people:
        assert [population.marks[mark] for mark in person.marks] == list(person.levels.items())
        assert person.stratum == f"site={person.levels['site']};age={person.levels['age']}"


def test_a_population_survives_json():
    population = Population.of(
        {"site": {"01": 2, "02": 1}, "age": {"u65": 1, "65p": 2}}, by_site={"01": {"age": {"u65": 1, "65p": 1}}}
    )

    assert Population.from_json(population.as_json()) == population


@pytest.mark.parametrize(
    ("factors", "text"),
    [
        ({"age": {"u65": 0.5}}, "whole numbers or fractions"),
        ({"age": {"u65": -1, "65p": 2}}, "whole numbers or fractions"),
        ({"age": {"u65": True}}, "whole numbers or fractions"),
        ({"age": {"u65": "half"}}, "whole numbers or fractions"),
        ({"age": {"u65": "1/0"}}, "whole numbers or fractions"),
        ({"age": {"u65": 0, "65p": 0}}, "At least one level of age"),
        ({"age": {}}, "At least one level of age"),
        ({"age": {"u65": "0.00000001", "65p": 1}}, "fewer digits"),
    ],
)
def test_shares_that_say_nothing_are_refused(factors, text):
    with pytest.raises(SimulationRefused, match=text):
        Population.of(factors)


@pytest.mark.parametrize(
    ("by_site", "text"),
    [
        ({"03": {"age": {"u65": 1}}}, "no site 03"),
        ({"01": {"gad": {"low": 1}}}, "gad is not a factor"),
        ({"01": {"site": {"01": 1}}}, "site is not a factor"),
        ({"01": {"age": {"old": 1}}}, "not a level of age"),
    ],
)
def test_differences_at_unknown_places_are_refused(by_site, text):
    with pytest.raises(SimulationRefused, match=text):
        Population.of({"site": {"01": 1}, "age": {"u65": 1, "65p": 1}}, by_site=by_site)


@pytest.mark.parametrize(
    "given", [{"sites": {}}, {"factors": []}, {"factors": {"age": 1}}, {"by_site": {"01": {"age": 1}}}]
)
def test_people_of_another_shape_are_refused(given):
    with pytest.raises(SimulationRefused, match="as factors, and by_site"):
        Population.from_json(given)
