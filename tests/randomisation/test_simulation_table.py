"""A comparison as rows of text: the same on the page and in the terminal."""

import pytest

from randomisation.simulation import Population, simulate
from randomisation.simulation.table import note, rows
from tests.randomisation.simulated import FACTORS, blocks, design, minimisation, secrets_from

PEOPLE = Population.of({factor["code"]: dict.fromkeys(factor["levels"], 1) for factor in FACTORS})


def compare(*candidates):
    return simulate(candidates, population=PEOPLE, target=30, n_trials=4, secret_source=secrets_from("table"))


def test_every_figure_of_section_11_has_its_row():
    compared = compare(blocks(4, factors=FACTORS), minimisation())

    found = dict(rows(compared))

    assert list(found) == [
        "Final imbalance, overall",
        "Final imbalance, worst site",
        "Final imbalance, site 01",
        "Final imbalance, site 02",
        "Final imbalance, worst factor level",
        "Largest imbalance at any time",
        "Guessed, knowing the site's own arms",
        "Guessed, knowing all arms",
        "Guessed, knowing all arms and the design",
        "Forced allocations",
        "Incomplete blocks",
        "Preference overruled by chance",
        "Arm sizes in the smallest stratum",
        "Probability of an arm by step, gap",
    ]
    assert found["Preference overruled by chance"][0] == "–"
    assert found["Incomplete blocks"][1] == "–"
    assert found["Guessed, knowing all arms"][0] == f"{compared.methods[0].guesses.everywhere:.1%}"


def test_rows_that_say_nothing_of_any_method_are_left_out():
    found = dict(rows(compare(design())))

    assert "Incomplete blocks" not in found
    assert "Preference overruled by chance" not in found


def test_a_probability_that_moves_is_said_to():
    changes = {"ratio": [2, 1], "overall_weight": 0}
    compared = simulate(
        [minimisation("coin", **changes), minimisation("pseudo", **changes, unequal="pseudo_arms")],
        population=PEOPLE,
        target=10,
        n_trials=150,
        secret_source=secrets_from("table"),
    )

    moves, flat = dict(rows(compared))["Probability of an arm by step, gap"]

    assert moves.startswith("moves: 0.2")
    assert flat.startswith("flat: 0.0")


@pytest.mark.parametrize(("ratio", "words"), [([1, 1], "difference between the two arms"), ([2, 1], "from its share")])
def test_the_note_says_what_imbalance_is(ratio, words):
    assert words in note(compare(design(ratio=ratio)))
