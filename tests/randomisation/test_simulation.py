"""Simulated trials: the real engine, the same people for every design, and figures that can be worked by hand."""

import ast
import json
import sys
from pathlib import Path

import pytest

from randomisation import simulation
from randomisation.engine.lists import rows_for
from randomisation.engine.minimisation import Design, Margins, minimise
from randomisation.engine.source import derive_seed
from randomisation.errors import ParametersRefused
from randomisation.simulation import (
    OWN_DESIGN,
    Comparison,
    Population,
    SimulationRefused,
    simulate,
    suggestion,
    usual_candidates,
)
from randomisation.simulation.allocations import Allocated, Given
from randomisation.simulation.list_designs import ListDesign
from randomisation.simulation.measures import Tally
from randomisation.simulation.minimised import MinimisedDesign
from randomisation.simulation.people import Crowd
from tests.randomisation.simulated import AGE, FACTORS, GAD, SITE, blocks, design, minimisation, run, secrets_from

EVEN = Population.of({"site": {"01": 1, "02": 1}, "age": {"u65": 1, "65p": 1}, "gad": {"low": 1, "mod": 1, "high": 1}})
SEED = derive_seed(b"s" * 32, "")


@pytest.fixture
def people():
    return Crowd(EVEN).draw(60, b"p" * 32)


def trial(arms, *, sites=(), chances=(0.5, 0.5)):
    """A trial of persons at these sites, given these arms, and a tally of it alone."""
    codes = sites or ["01"] * len(arms)
    crowd = Crowd(EVEN)
    by_site = {person.levels["site"]: person for person in crowd.draw(50, b"p" * 32)}
    tally = Tally("Design", design().parameters, EVEN, len(arms))
    tally.add([by_site[code] for code in codes], Allocated([Given(arm, chances, None) for arm in arms]))
    return tally.result()


def test_the_simulation_needs_the_standard_library_and_the_engine_only():
    own = ("randomisation.engine", "randomisation.simulation", "randomisation.errors")

    for path in Path(simulation.__file__).parent.glob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        names += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
        assert not [n for n in names if not n.startswith(own) and n.split(".")[0] not in sys.stdlib_module_names], path


# --- the engine -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "candidate",
    [
        design(factors=FACTORS),
        blocks(4, 6, factors=FACTORS),
        blocks(6, ratio=[2, 1], factors=[SITE]),
        design(method="big_stick", mti=2, factors=[SITE]),
        design(method="big_stick", mti=2, ratio=[2, 1], factors=[AGE]),
        design(method="big_stick", mti=1, arms=["a", "b", "c"], ratio=[3, 2, 1]),
    ],
    ids=lambda candidate: candidate.parameters.method,
)
def test_people_get_the_rows_of_the_lists_that_the_engine_makes(candidate, people):
    allocated = ListDesign(candidate.parameters)(people, SEED)

    by_key = {}
    for person, given in zip(people, allocated.given, strict=True):
        key = ";".join(f"{factor.code}={person.levels[factor.code]}" for factor in candidate.parameters.factors)
        by_key.setdefault(key or "all", []).append(given.arm)
    for key, arms in by_key.items():
        rows = rows_for(candidate.parameters, SEED, purpose="list", key=key, n_rows=len(arms))
        assert arms == [row.arm for row in rows[: len(arms)]]


@pytest.mark.parametrize("unequal", ["biased_coin", "pseudo_arms"])
def test_people_are_minimised_by_the_engine_one_after_the_other(unequal, people):
    candidate = minimisation(ratio=[2, 1], unequal=unequal, burn_in=5)

    allocated = MinimisedDesign(candidate.parameters)(people, SEED)

    margins = Margins(Design.of(candidate.parameters))
    for seq, (person, given) in enumerate(zip(people, allocated.given, strict=True), start=1):
        draw = minimise(margins, members=[person.levels], seq=seq, seed=SEED)
        margins.add(draw.working_arm, [person.levels])
        assert given.arm == draw.arm
        assert given.overruled is (None if seq <= 5 else draw.working_arm != draw.preferred)
        assert sum(given.chances) == pytest.approx(1)


@pytest.mark.parametrize(("ratio", "unequal"), [([1, 1], "biased_coin"), ([2, 1], "pseudo_arms")])
def test_the_first_allocation_has_exactly_the_chances_of_the_ratio(ratio, unequal, people):
    candidate = minimisation(ratio=ratio, unequal=unequal)

    allocated = MinimisedDesign(candidate.parameters)(people, SEED)

    assert allocated.given[0].chances == tuple(share / sum(ratio) for share in ratio)


def test_the_biased_coin_has_the_chances_of_the_table_in_4_4(people):
    candidate = minimisation(ratio=[2, 1], unequal="biased_coin")

    allocated = MinimisedDesign(candidate.parameters)(people, SEED)

    assert {given.chances for given in allocated.given} <= {(0.9, 0.1), (0.2, 0.8), (2 / 3, 1 / 3)}


def test_a_certain_allocation_has_a_chance_of_one_and_goes_where_it_says(people):
    designs = [
        ListDesign(blocks(2, factors=[SITE]).parameters),
        ListDesign(design(method="big_stick", mti=1, ratio=[2, 1]).parameters),
        MinimisedDesign(minimisation(p="1/1").parameters),
        MinimisedDesign(minimisation(p="1/1", ratio=[6, 1], unequal="pseudo_arms").parameters),
    ]

    for allocate in designs:
        certain = [given for given in allocate(people, SEED).given if 1 in given.chances]
        assert certain
        assert all(given.chances[given.arm] == 1 for given in certain)


def test_every_second_row_of_blocks_of_two_is_forced():
    found = run(blocks(2), n_trials=5, factors=[])["Blocks"]

    assert found.forced == 0.5
    assert found.guesses.design == 0.75


def test_blocks_not_full_at_the_end_are_counted(people):
    allocated = ListDesign(blocks(4, factors=FACTORS).parameters)(people, SEED)

    sizes = {}
    for person in people:
        sizes[person.stratum] = sizes.get(person.stratum, 0) + 1
    assert allocated.blocks == sum(-(-size // 4) for size in sizes.values())
    assert allocated.incomplete_blocks == sum(size % 4 != 0 for size in sizes.values())


# --- what is counted ------------------------------------------------------------------------------------------------


def test_imbalance_of_two_equal_arms_is_their_difference():
    found = trial([0, 0, 1, 0]).imbalance

    assert (found.overall.mean, found.overall.p95, found.overall.maximum) == (2, 2, 2)
    assert found.from_share.mean == 1
    assert found.any_time.mean == 2


def test_the_worst_site_and_the_largest_imbalance_on_the_way_are_reported():
    found = trial([0, 0, 0, 1, 1, 1], sites=["01", "01", "01", "02", "02", "02"]).imbalance

    assert found.overall.mean == 0
    assert found.any_time.mean == 3
    assert {code: spread.mean for code, spread in found.sites.items()} == {"01": 3, "02": 3}
    assert found.worst_site.mean == found.worst_level.mean == 3


def test_the_guesser_names_the_arm_with_fewest_and_ties_count_half():
    found = trial([0, 1, 1, 0]).guesses

    # tie 1/2, then right, tie 1/2, right
    assert found.everywhere == found.site == 0.75


def test_the_view_of_a_site_knows_its_own_allocations_only():
    found = trial([0, 1], sites=["01", "02"]).guesses

    assert found.site == 0.5
    assert found.everywhere == 0.75


def test_imbalance_of_other_ratios_is_the_distance_from_the_share():
    tally = Tally("Design", design(ratio=[2, 1]).parameters, EVEN, 3)
    person = Crowd(EVEN).draw(1, b"p" * 32)[0]

    tally.add([person] * 3, Allocated([Given(0, (2 / 3, 1 / 3), None)] * 3))

    found = tally.result()
    assert found.imbalance.overall.mean == found.imbalance.from_share.mean == 1
    assert not found.is_difference


def test_the_95th_percentile_is_the_nearest_rank():
    tally = Tally("Design", design().parameters, EVEN, 2)
    person = Crowd(EVEN).draw(1, b"p" * 32)[0]

    for number in range(20):
        arms = [0, 0] if number >= 18 else [0, 1]
        tally.add([person] * 2, Allocated([Given(arm, (0.5, 0.5), None) for arm in arms]))

    found = tally.result().imbalance.overall
    assert (found.mean, found.p95, found.maximum) == (0.2, 2, 2)


def test_the_smallest_strata_show_their_arms_and_how_often_one_is_missing():
    rare = Population.of({"site": {"01": 1, "02": 1}, "age": {"u65": 9, "65p": 1}})

    found = simulate([design()], population=rare, target=40, n_trials=50, secret_source=secrets_from("rare"))

    smallest = found.methods[0].smallest
    assert {one.key for one in smallest[:2]} == {"site=01;age=65p", "site=02;age=65p"}
    assert smallest[0].people == pytest.approx(sum(smallest[0].arms))
    assert 0 < smallest[0].without_an_arm < 1


def test_the_random_element_overrules_one_in_five_with_p_four_fifths():
    found = run(minimisation(), n_trials=60)["Minimisation"]

    assert found.overruled == pytest.approx(0.2, abs=0.03)
    assert found.forced == 0


def test_steps_and_overruling_are_told_of_minimisation_only():
    found = run(blocks(4), minimisation(), n_trials=2)

    assert (found["Blocks"].steps, found["Blocks"].overruled) == ((), None)
    assert found["Blocks"].is_flat
    assert len(found["Minimisation"].steps) == 60
    assert found["Minimisation"].incomplete_blocks is None


def test_a_burn_in_of_the_whole_trial_prefers_no_arm():
    found = run(minimisation(burn_in=60), n_trials=2)["Minimisation"]

    assert found.overruled is None
    assert set(found.steps) == {(0.5, 0.5)}


# --- the comparison -------------------------------------------------------------------------------------------------


def test_every_design_meets_the_same_people():
    found = run(design("one"), design("two"), n_trials=20)

    assert [one.people for one in found["one"].smallest] == [one.people for one in found["two"].smallest]
    assert found["one"].final != found["two"].final


def test_a_comparison_survives_json():
    compared = simulate([blocks(4), minimisation()], population=EVEN, target=30, n_trials=3)

    text = json.dumps(compared.as_json())

    assert Comparison.from_json(json.loads(text)) == compared


def test_a_comparison_holds_no_setting_of_a_design():
    compared = simulate([blocks(4, 6, label=OWN_DESIGN)], population=EVEN, target=30, n_trials=3)

    assert not {"block_sizes", "p", "mti", "settings"} & set(compared.as_json()["methods"][0])
    assert "[4, 6]" not in repr(compared)


def test_trials_draw_secrets_of_their_own():
    one, two = (simulate([design()], population=EVEN, target=50, n_trials=20) for _ in range(2))

    assert one != two


def test_the_same_secrets_give_the_same_figures():
    one, two = (
        simulate([minimisation()], population=EVEN, target=30, n_trials=3, secret_source=secrets_from("x"))
        for _ in range(2)
    )

    assert one == two


def test_progress_is_told_after_each_trial():
    told = []

    run(design(), n_trials=3, progress=lambda done, total: told.append((done, total)))

    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"n_trials": 0}, "Simulate 1 to 100,000 trials"),
        ({"n_trials": 100_001}, "Simulate 1 to 100,000 trials"),
        ({"target": 0}, "1 to 10,000 people"),
        ({"target": 10_001}, "1 to 10,000 people"),
        ({"candidates": []}, "Compare 1 to 8 designs"),
        ({"candidates": [design()] * 2}, "name of its own"),
        ({"population": Population.of({})}, "how many people to expect at each level of site"),
        ({"population": Population.of({"age": {"u65": 1}})}, "how many people to expect at each level of site"),
        ({"population": Population.of({"site": {"01": 1, "03": 1}})}, "no level 03 of site"),
    ],
)
def test_nonsense_is_refused(changes, text):
    request = {"candidates": [blocks(4, factors=[SITE])], "population": EVEN, "target": 10, "n_trials": 1}

    with pytest.raises(SimulationRefused, match=text):
        simulate(**{**request, **changes})


# --- which designs --------------------------------------------------------------------------------------------------


def test_the_usual_comparison_is_the_own_design_minimisation_and_simple():
    own = blocks(4, 6, factors=[SITE, GAD])

    found = usual_candidates(own.parameters)

    assert [one.label for one in found] == [OWN_DESIGN, "Minimisation, range, p 4/5", "Simple"]
    assert found[0].parameters is own.parameters
    assert [factor.code for factor in found[1].parameters.factors] == ["site", "gad"]
    assert found[1].parameters.settings["unequal"] == "biased_coin"


def test_minimisation_of_an_unequal_ratio_uses_pseudo_arms():
    found = usual_candidates(blocks(3, ratio=[2, 1], factors=[SITE]).parameters)

    assert found[1].parameters.settings["unequal"] == "pseudo_arms"


@pytest.mark.parametrize("own", [minimisation(), blocks(4)], ids=["minimisation", "no factors"])
def test_minimisation_is_not_added_to_itself_nor_without_factors(own):
    assert [one.label for one in usual_candidates(own.parameters)] == [OWN_DESIGN, "Simple"]


def test_minimisation_is_suggested_for_few_people_and_two_factors():
    assert "minimisation" in suggestion(blocks(4, factors=[SITE, GAD]).parameters, 149)


@pytest.mark.parametrize(
    ("own", "target"),
    [(blocks(4, factors=[SITE, GAD]), 150), (blocks(4, factors=[SITE]), 60), (minimisation(), 60)],
    ids=["many people", "one factor", "already chosen"],
)
def test_minimisation_is_not_suggested_otherwise(own, target):
    assert suggestion(own.parameters, target) is None


def test_a_design_without_a_name_is_refused():
    with pytest.raises(SimulationRefused, match="needs a name"):
        design(" ")


def test_an_imported_list_is_refused():
    with pytest.raises(SimulationRefused, match="imported list"):
        design(method="import")


def test_a_parameter_outside_its_rule_is_refused_by_its_name():
    with pytest.raises(ParametersRefused, match="mti"):
        design(method="big_stick", mti=11)
