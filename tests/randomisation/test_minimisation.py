"""Minimisation: the worked examples of 4.5 and the properties of section 13, numbers 6 to 9."""

import copy
import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from randomisation.engine.ledger import Ledger
from randomisation.engine.margins import Design, Margins
from randomisation.engine.minimisation import minimise, scores, weights
from randomisation.engine.parameters import Factor, read_parameters
from randomisation.engine.source import Stream
from randomisation.schemes import SCHEMES

SEED = bytes(range(32))
IMBALANCES = ("range", "variance", "total")
FACTORS = (Factor("site", ("01", "02"), 2), Factor("age", ("u65", "65p")), Factor("gad", ("low", "mod", "high")))


def a_design(*, ratio=(1, 1), factors=FACTORS, **changes):
    """A design with the suggested parameters, with changes."""
    suggested = {"imbalance": "range", "p": "4/5", "burn_in": 0, "overall_weight": 0, "unequal": "biased_coin"}
    own = SCHEMES["minimisation"].settings({**suggested, **changes}, ratio=ratio)
    return Design.make(scheme="main", revision=1, ratio=ratio, factors=tuple(factors), settings=own)


def binary(*weights_of):
    """Factors f0, f1 … of two levels, x for the newcomer's and y for others'."""
    return tuple(Factor(f"f{n}", ("x", "y"), weight) for n, weight in enumerate(weights_of))


def worked(margins_of, *, imbalance, weights_of=None, ratio=(1, 1)):
    """Scores for a newcomer whose margins so far are those given, factor by factor."""
    factors = binary(*(weights_of or [1] * len(margins_of)))
    margins = Margins(a_design(ratio=ratio, factors=factors, imbalance=imbalance))
    for cells, counts in zip(margins.levels, margins_of, strict=True):
        cells["x"][:] = counts
    return scores(margins, [{factor.code: "x" for factor in factors}])


# --- worked examples, 4.5 --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("example", "imbalance", "expected"),
    [
        ({"margins_of": [(6, 3), (3, 4), (4, 5)]}, "range", [4, 6]),
        ({"margins_of": [(6, 3), (3, 4), (4, 5)]}, "variance", [16, 12]),
        ({"margins_of": [(6, 3), (3, 4), (4, 5)]}, "total", [13, 12]),
        ({"margins_of": [(6, 3), (3, 4), (4, 5)], "weights_of": [1, 2, 2]}, "range", [4, 10]),
        ({"margins_of": [(6, 3), (3, 4), (4, 5)], "weights_of": [1, 2, 2]}, "variance", [16, 20]),
        ({"margins_of": [(6, 3), (3, 4), (4, 5)], "weights_of": [1, 2, 2]}, "total", [20, 21]),
        ({"margins_of": [(6, 3), (5, 2), (3, 2)], "ratio": (2, 1)}, "range", [3, 6]),
        ({"margins_of": [(6, 3), (5, 2), (3, 2)], "ratio": (2, 1)}, "variance", [5, 14]),
        ({"margins_of": [(6, 3), (5, 2), (3, 2)], "ratio": (2, 1)}, "total", [14, 14]),
        (
            {"margins_of": [(4, 3, 3), (2, 4, 1), (5, 5, 6)], "weights_of": [2, 1, 1], "ratio": (1, 1, 1)},
            "range",
            [8, 7, 6],
        ),
        (
            {"margins_of": [(4, 3, 3), (2, 4, 1), (5, 5, 6)], "weights_of": [2, 1, 1], "ratio": (1, 1, 1)},
            "variance",
            [32, 32, 20],
        ),
        (
            {"margins_of": [(4, 3, 3), (2, 4, 1), (5, 5, 6)], "weights_of": [2, 1, 1], "ratio": (1, 1, 1)},
            "total",
            [15, 15, 13],
        ),
        ({"margins_of": [(3, 1), (2, 1)]}, "total", [5, 2]),
        ({"margins_of": [(3, 1), (2, 1)]}, "range", [5, 1]),
    ],
)
def test_the_worked_examples_give_their_scores(example, imbalance, expected):
    # W1, W2, W3, W4
    assert worked(**example, imbalance=imbalance) == expected


def test_a_household_adds_all_its_members_at_once():
    # W5
    margins = Margins(a_design(factors=[Factor("sex", ("f", "m")), Factor("age", ("u65", "65p"))]))
    margins.levels[0]["f"][:], margins.levels[0]["m"][:], margins.levels[1]["u65"][:] = (2, 1), (1, 2), (3, 2)

    assert scores(margins, [{"sex": "f", "age": "u65"}, {"sex": "m", "age": "u65"}]) == [5, 3]


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ((1, 1), [(4, 1), (1, 4)]),
        ((2, 1), [(9, 1), (2, 8)]),
        ((3, 2), [(13, 2), (3, 12)]),
        ((1, 1, 1), [(8, 1, 1), (1, 8, 1), (1, 1, 8)]),
        ((2, 2, 1), [(17, 2, 1), (2, 17, 1), (2, 2, 16)]),
    ],
)
def test_the_coin_has_the_weights_of_the_table(ratio, expected):
    assert [weights(a_design(ratio=ratio), arm) for arm in range(len(ratio))] == expected


# --- a second implementation -----------------------------------------------------------------------------


def second_minimise(design, settings, past, unit, seq):
    """4.4 word for word: people are looked up in `past`, scores are fractions divided by nothing."""
    rho, r_sum = design.rho, sum(design.rho)
    stream = Stream(SEED, scheme="main", revision=1, purpose="min", key=str(seq))
    if seq <= settings["burn_in"]:
        return None, stream.weighted(rho)
    multiple = math.lcm(*rho)
    carried = [(f.weight, f.code, level) for f in design.factors for level in {m[f.code] for m in unit}]
    if settings["overall_weight"]:
        carried.append((settings["overall_weight"], "_overall", None))
    found = []
    for k in range(len(rho)):
        score = Fraction(0)
        for weight, code, level in carried:
            m = sum(member.get(code) == level for member in unit)
            n = [sum(p.get(code) == level for p, arm in past if arm == j) for j in range(len(rho))]
            x = [Fraction((n[j] + (m if j == k else 0)) * multiple, rho[j]) for j in range(len(rho))]
            g = {
                "range": max(x) - min(x),
                "variance": len(rho) * sum(value**2 for value in x) - sum(x) ** 2,
                "total": Fraction(m * n[k] * multiple, rho[k]),
            }[settings["imbalance"]]
            score += weight * g
        found.append(score)
    tied = [k for k in range(len(rho)) if found[k] == min(found)]
    preferred = tied[stream.weighted(tuple(rho[k] for k in tied))]
    p, smallest = Fraction(settings["p"]), min(rho)
    theta = (1 - p) * Fraction(r_sum, r_sum - smallest)
    chances = [(1 - theta) * (k == preferred) + theta * Fraction(rho[k], r_sum) for k in range(len(rho))]
    whole = (r_sum - smallest) * p.denominator
    return found, stream.weighted(tuple(int(chance * whole) for chance in chances))


@st.composite
def designs(draw, ratios=((1, 1), (2, 1), (3, 2), (1, 1, 1), (2, 2, 1), (3, 2, 1))):
    """Any design, with a history of units."""
    factors = [
        Factor(f"f{n}", tuple("abc"[: draw(st.integers(2, 3))]), draw(st.integers(1, 5)))
        for n in range(draw(st.integers(0, 3)))
    ]
    own = {
        "imbalance": draw(st.sampled_from(IMBALANCES)),
        "p": draw(st.sampled_from(["4/5", "0.75", "1", "2/3", "9/10"])),
        "burn_in": draw(st.integers(0, 3)),
        "overall_weight": draw(st.integers(0, 2)),
        "unequal": draw(st.sampled_from(["biased_coin", "pseudo_arms"])),
    }
    design = a_design(ratio=draw(st.sampled_from(ratios)), factors=factors, **own)
    person = st.fixed_dictionaries({factor.code: st.sampled_from(factor.levels) for factor in factors})
    return design, own, draw(st.lists(st.lists(person, min_size=1, max_size=3), min_size=1, max_size=10))


@given(designs())
@settings(max_examples=120)
def test_a_second_program_draws_the_same_arms(designed):
    design, own, units = designed
    margins, past = Margins(design), []

    for seq, unit in enumerate(units, start=1):
        draw = minimise(margins, members=unit, seq=seq, seed=SEED)

        assert (draw.scores, draw.working_arm) == second_minimise(design, own, past, unit, seq)
        margins.add(draw.working_arm, unit)
        past += [(member, draw.working_arm) for member in unit]


# --- properties, section 13 ------------------------------------------------------------------------------


@given(designs(), st.integers(0, 5))
def test_the_weights_of_the_coin_are_never_negative_and_keep_their_sum(designed, preferred):
    # 13.6
    design = designed[0]
    coin = weights(design, preferred % len(design.rho))

    assert min(coin) >= 0
    assert sum(coin) == (sum(design.rho) - min(design.rho)) * design.p.denominator


@pytest.mark.parametrize("ratio", [(1, 1), (2, 1), (2, 2, 1), (5, 3, 2)])
def test_the_smallest_p_is_simple_randomisation(ratio):
    # 13.6
    design = a_design(ratio=ratio, p=f"{min(ratio)}/{sum(ratio)}")

    for preferred in range(len(ratio)):
        coin = weights(design, preferred)
        assert [Fraction(weight, sum(coin)) for weight in coin] == [Fraction(share, sum(ratio)) for share in ratio]


@given(designs())
def test_p_of_one_always_gives_the_preferred_arm(designed):
    # 13.6
    design, own, units = designed
    certain = a_design(
        ratio=tuple(Counter(design.arms_of_working).values()) if own["unequal"] == "pseudo_arms" else design.rho,
        factors=design.factors,
        **{**own, "p": "1", "burn_in": 0},
    )
    margins = Margins(certain)

    for seq, unit in enumerate(units, start=1):
        draw = minimise(margins, members=unit, seq=seq, seed=SEED)
        assert draw.working_arm == draw.preferred
        margins.add(draw.working_arm, unit)


def test_the_preferred_arm_is_given_with_probability_p():
    # 13.7: 4 standard errors of p over 10,000 untied allocations
    margins = Margins(a_design())
    margins.add(0, [{"site": "01", "age": "u65", "gad": "low"}])
    unit = [{"site": "01", "age": "u65", "gad": "low"}]

    n_preferred = sum(minimise(margins, members=unit, seq=seq, seed=SEED).arm == 1 for seq in range(1, 10_001))

    assert abs(n_preferred - 8000) < 4 * (10_000 * 0.8 * 0.2) ** 0.5


counts = st.lists(st.integers(0, 12), min_size=16, max_size=16)
unit_of_two = st.lists(
    st.fixed_dictionaries({f.code: st.sampled_from(f.levels) for f in FACTORS}), min_size=1, max_size=2
)


def tied(found):
    return [arm for arm, score in enumerate(found) if score == min(found)]


@given(counts, unit_of_two)
def test_variance_and_total_prefer_the_same_arms(cells, unit):
    # 13.8, two arms 1:1
    by_imbalance = [
        scores(Margins.from_counts(a_design(imbalance=imbalance, overall_weight=3), cells), unit)
        for imbalance in ("variance", "total")
    ]

    assert tied(by_imbalance[0]) == tied(by_imbalance[1])


@given(counts, unit_of_two, st.sampled_from(IMBALANCES), st.permutations(range(3)))
def test_scores_do_not_depend_on_the_order_of_factors(cells, unit, imbalance, order):
    # 13.8
    margins = Margins.from_counts(a_design(imbalance=imbalance, overall_weight=1), cells)
    other = Margins(a_design(imbalance=imbalance, overall_weight=1, factors=[FACTORS[place] for place in order]))
    other.overall = margins.overall
    other.levels = [margins.levels[place] for place in order]

    assert scores(other, unit) == scores(margins, unit)


@given(counts, unit_of_two, st.sampled_from(IMBALANCES))
def test_doubling_every_weight_leaves_the_tied_arms(cells, unit, imbalance):
    # 13.8
    doubled = [Factor(f.code, f.levels, 2 * f.weight) for f in FACTORS]
    once = a_design(imbalance=imbalance, overall_weight=1)
    twice = a_design(imbalance=imbalance, overall_weight=2, factors=doubled)

    found = [scores(Margins.from_counts(design, cells), unit) for design in (once, twice)]

    assert tied(found[0]) == tied(found[1])


@given(counts, unit_of_two, st.sampled_from(IMBALANCES))
def test_swapping_the_counts_of_the_arms_swaps_their_scores(cells, unit, imbalance):
    # 13.8
    swapped = [count for pair in zip(cells[1::2], cells[::2], strict=True) for count in pair]
    design = a_design(imbalance=imbalance, overall_weight=1)

    there = scores(Margins.from_counts(design, cells), unit)
    back = scores(Margins.from_counts(design, swapped), unit)

    assert there == back[::-1]


@pytest.mark.parametrize("imbalance", IMBALANCES)
@pytest.mark.parametrize("ratio", [(2, 1), (3, 2), (2, 2, 1)])
def test_with_pseudo_arms_the_first_person_has_exactly_the_ratio(imbalance, ratio):
    # 13.9: all pseudo-arms tie, so each is preferred alike and the coin is the same around each
    design = a_design(ratio=ratio, unequal="pseudo_arms", imbalance=imbalance, overall_weight=1)
    draw = minimise(Margins(design), members=[{"site": "01", "age": "u65", "gad": "low"}], seq=1, seed=SEED)

    chance = dict.fromkeys(range(len(ratio)), Fraction(0))
    for preferred in draw.tied:
        coin = weights(design, preferred)
        for working_arm, weight in enumerate(coin):
            chance[design.arm_of(working_arm)] += Fraction(weight, sum(coin) * len(draw.tied))

    assert list(chance.values()) == [Fraction(share, sum(ratio)) for share in ratio]


def test_one_factor_of_everybody_is_efrons_biased_coin():
    design = a_design(factors=(), overall_weight=1, p="2/3")
    margins = Margins(design)
    margins.add(0, [{}])

    assert scores(margins, [{}]) == [2, 0]
    assert weights(design, 1) == (1, 2)


# --- margins ---------------------------------------------------------------------------------------------


PERSON = {"site": "01", "age": "u65", "gad": "low"}


@given(counts)
def test_counts_go_out_and_come_back(cells):
    assert Margins.from_counts(a_design(), cells).counts() == cells


@pytest.mark.parametrize("cells", [[], [0] * 15, [0] * 17, [-1] + [0] * 15, [0.0] * 16])
def test_counts_of_another_design_are_refused(cells):
    with pytest.raises(ValueError, match="counts"):
        Margins.from_counts(a_design(), cells)


def test_counts_begin_with_the_overall_ones_and_follow_declared_order():
    margins = Margins(a_design())

    margins.add(1, [PERSON, {**PERSON, "gad": "high"}])

    assert margins.counts() == [0, 2, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1]


def test_nobody_can_be_removed_who_was_not_counted():
    margins = Margins(a_design())
    margins.add(1, [PERSON])
    before = margins.counts()

    with pytest.raises(ValueError, match="not counted"):
        margins.remove(0, [PERSON])
    with pytest.raises(ValueError, match="not counted"):
        margins.remove(1, [{**PERSON, "gad": "high"}])

    assert margins.counts() == before


def test_levels_and_factors_the_design_lacks_are_passed_over():
    margins = Margins(a_design())

    margins.add(0, [{"site": "09", "sex": "f", "age": "u65"}])

    assert margins.overall == [1, 0]
    assert [sum(map(sum, cells.values())) for cells in margins.levels] == [0, 1, 0]


def test_where_only_the_arm_is_known_the_pseudo_arm_with_fewest_people_counts():
    margins = Margins(a_design(ratio=(2, 1), unequal="pseudo_arms"))

    placed = [margins.place(0, [PERSON, PERSON]), margins.place(0, [PERSON]), margins.place(0, [PERSON])]

    assert placed == [0, 1, 1]
    assert margins.place(1, [PERSON]) == 2


def test_without_pseudo_arms_it_is_the_arm_itself():
    assert Margins(a_design(ratio=(2, 1))).place(1, [PERSON]) == 1


def test_working_arms_know_their_arm():
    design = a_design(ratio=(2, 1), unequal="pseudo_arms")

    assert [design.arm_of(working) for working in range(3)] == [0, 0, 1]
    assert design.working_arms_of(0) == [0, 1]


def test_a_draw_changes_no_margin_and_repeats_itself():
    margins = Margins(a_design())
    margins.add(0, [PERSON])
    before = copy.deepcopy(margins.counts())

    first, again = (minimise(margins, members=[PERSON], seq=5, seed=SEED) for _ in range(2))

    assert first == again
    assert margins.counts() == before


def test_a_level_added_later_counts_those_who_had_it_before():
    ledger = Ledger(a_design())
    ledger.place(1, 0, [{**PERSON, "site": "03"}])
    ledger.place(2, None, [PERSON])

    ledger.extend(a_design().with_level("site", "03"))

    assert ledger.margins.levels[0]["03"] == [1, 0]
    assert ledger.margins.overall == [1, 0]


def test_an_excluded_unit_stays_excluded_when_it_is_corrected():
    ledger = Ledger(a_design())
    ledger.count(1, 0, [PERSON])

    ledger.exclude(1)
    ledger.exclude(1)
    ledger.correct(1, [{**PERSON, "site": "02"}])

    assert set(ledger.margins.counts()) == {0}


def test_nothing_secret_shows_in_a_repr():
    margins = Margins(a_design())
    draw = minimise(margins, members=[PERSON], seq=1, seed=SEED)

    assert [repr(x) for x in (margins, margins.design, draw, Ledger(a_design()))] == [
        "<Margins>",
        "<Design>",
        "<Draw>",
        "<Ledger>",
    ]


def test_the_design_of_checked_parameters_is_the_same():
    parameters = read_parameters(
        {
            "algorithm": "trial-randomisation/1",
            "scheme": "main",
            "revision": 1,
            "arms": ["nature", "indoor"],
            "ratio": [2, 2],
            "method": "minimisation",
            "imbalance": "range",
            "p": "0.8",
            "burn_in": 0,
            "overall_weight": 0,
            "unequal": "biased_coin",
            "factors": [{"code": f.code, "levels": list(f.levels), "weight": f.weight} for f in FACTORS],
            "contribution_source": "none",
        }
    )

    assert Design.of(parameters) == a_design()
