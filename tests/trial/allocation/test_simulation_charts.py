"""Charts of a simulation: accessible without colour, and drawn to the figures."""

from xml.etree import ElementTree

import pytest

from randomisation.simulation import Population, simulate
from tests.randomisation.simulated import FACTORS, blocks, design, minimisation, secrets_from
from trial.allocation.simulation_charts import BOTTOM, TOP, WIDTH, charts, imbalance_chart, step_chart

PEOPLE = Population.of({factor["code"]: dict.fromkeys(factor["levels"], 1) for factor in FACTORS})
SVG = "{http://www.w3.org/2000/svg}"


def compare(*candidates, target=40, n_trials=30):
    return simulate(
        candidates, population=PEOPLE, target=target, n_trials=n_trials, secret_source=secrets_from("charts")
    )


def drawn(svg):
    return ElementTree.fromstring(svg)  # noqa: S314 - our own drawing


@pytest.fixture(scope="module")
def unequal():
    changes = {"ratio": [2, 1], "arms": ["nature", "indoor-group"], "overall_weight": 0}
    return compare(minimisation("coin", **changes), minimisation("pseudo", **changes, unequal="pseudo_arms"))


def test_every_design_has_its_charts_in_order():
    found = charts(compare(design("Simple"), blocks(4, 6, label="Blocks")))

    assert [one.label for one in found] == ["Simple", "Blocks"]
    assert [one.steps for one in found] == [None, None]


def test_each_chart_says_in_words_what_it_shows(unequal):
    for one in charts(unequal):
        for svg in (one.imbalance, one.guesses, one.steps):
            root = drawn(svg)
            assert root.get("role") == "img"
            assert root.find(f"{SVG}title").text.endswith(one.label)
            assert any(character.isdigit() for character in root.find(f"{SVG}desc").text)


def test_charts_carry_no_style_that_the_security_policy_would_drop(unequal):
    for one in charts(unequal):
        assert "style=" not in one.imbalance + one.guesses + one.steps


def test_bars_share_one_scale_and_hold_every_trial():
    found = charts(compare(design("Simple"), blocks(4, label="Blocks")))

    heights = [[float(bar.get("height")) for bar in drawn(one.imbalance).iter(f"{SVG}rect")] for one in found]
    tops = [[text.text for text in drawn(one.imbalance).iter(f"{SVG}text") if "%" in text.text][-1] for one in found]
    assert len(set(tops)) == 1
    top = float(tops[0].rstrip("%")) / 100
    assert [sum(bars) / (BOTTOM - TOP) * top for bars in heights] == pytest.approx([1, 1], abs=0.01)


def test_a_wide_distribution_is_drawn_in_few_bars():
    (found,) = compare(design("Simple", ratio=[2, 1]), target=900, n_trials=60).methods

    bars = list(drawn(imbalance_chart(found)).iter(f"{SVG}rect"))

    assert len(bars) <= 17
    assert all(float(bar.get("x")) + float(bar.get("width")) <= WIDTH for bar in bars)


def test_a_trial_that_always_ends_level_is_one_bar():
    (found,) = compare(blocks(2, label="Blocks"), n_trials=3).methods

    (bar,) = drawn(imbalance_chart(found)).iter(f"{SVG}rect")

    assert float(bar.get("height")) == BOTTOM - TOP


def test_guesses_are_written_beside_the_line_of_whoever_knows_nothing():
    (found,) = charts(compare(blocks(2, label="Blocks")))

    texts = [text.text for text in drawn(found.guesses).iter(f"{SVG}text")]
    assert {"Own site’s arms", "All arms", "Arms and design", "75%"} <= set(texts)
    assert any("knowing nothing, 50%" in text for text in texts)


def test_lines_of_arms_are_named_and_told_apart_without_colour(unequal):
    coin, _pseudo = charts(unequal)

    root = drawn(coin.steps)
    lines = [path for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]
    assert len({path.get("stroke-dasharray") for path in lines}) == 2
    assert {"nature", "indoor-…"} <= {text.text for text in root.iter(f"{SVG}text")}


def test_the_step_chart_says_whether_the_probability_moves():
    changes = {"ratio": [2, 1], "overall_weight": 0}
    compared = compare(
        minimisation("coin", **changes), minimisation("pseudo", **changes, unequal="pseudo_arms"), n_trials=150
    )

    coin, pseudo = (drawn(one.steps).find(f"{SVG}desc").text for one in charts(compared))

    assert "moves, which can be exploited" in coin
    assert "stays the same" in pseudo


def test_a_trial_of_one_person_has_one_step():
    (found,) = compare(minimisation(ratio=[2, 1]), target=1, n_trials=2).methods

    assert "Allocation number" in step_chart(found)


def test_a_name_is_never_read_as_markup():
    (found,) = charts(compare(design("<b>1 & 2</b>"), n_trials=2))

    assert "<b>" not in found.imbalance
    assert drawn(found.imbalance).find(f"{SVG}title").text.endswith("<b>1 & 2</b>")
