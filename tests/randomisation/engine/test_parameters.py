import json

import pytest

from randomisation.engine.parameters import (
    Factor,
    design_warnings,
    normalise,
    read_parameters,
    reduce_ratio,
    stratum_key,
    stratum_keys,
)
from randomisation.errors import ParametersRefused

SITE = {"code": "site", "levels": ["01", "02"], "weight": 1}
AGE = {"code": "age", "levels": ["u65", "65p"], "weight": 1}


def given(**changes):
    """Parameters of a small scheme, with changes; a change to None leaves the key out."""
    whole = {
        "algorithm": "trial-randomisation/1",
        "scheme": "main",
        "revision": 1,
        "arms": ["nature", "indoor"],
        "ratio": [1, 1],
        "method": "permuted_blocks",
        "block_sizes": [4, 6],
        "factors": [SITE, AGE],
        "contribution_source": "none",
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def factors_of(n_levels, n_factors):
    levels = [f"l{n}" for n in range(n_levels)]
    return [{"code": f"f{n}", "levels": levels, "weight": 1} for n in range(n_factors)]


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("algorithm", "trial-randomisation/2", "trial-randomisation/1"),
        ("scheme", "Main", "lower-case letters"),
        ("scheme", 7, "text"),
        ("revision", 0, "1 or more"),
        ("revision", "1", "whole number"),
        ("revision", True, "whole number"),
        ("arms", ["nature"], "2 to 10"),
        ("arms", [f"a{n}" for n in range(11)], "2 to 10"),
        ("arms", ["nature", "nature"], "repeat"),
        ("arms", ["nature", "Indoor"], "lower-case letters"),
        ("arms", ["nature", "-indoor"], "lower-case letters"),
        ("arms", ["nature", "x" * 33], "1 to 32"),
        ("arms", "nature", "list"),
        ("arms", ["nature", 2], "text"),
        ("ratio", [1], "each arm"),
        ("ratio", [1, 0], "positive"),
        ("ratio", [1, 1.5], "positive"),
        ("ratio", [True, 1], "positive"),
        ("ratio", [], "positive"),
        ("ratio", [30, 31], "60 or less"),
        ("ratio", "1:1", "list"),
        ("method", "minimization", "one of"),
        ("method", None, "one of"),
        ("block_sizes", [], "1 to 6 sizes"),
        ("block_sizes", [2, 4, 6, 8, 10, 12, 14], "1 to 6 sizes"),
        ("block_sizes", [3], "multiples"),
        ("block_sizes", [0], "multiples"),
        ("block_sizes", [-2], "multiples"),
        ("block_sizes", [62], "60 or less"),
        ("block_sizes", 4, "whole numbers"),
        ("block_sizes", [4.0], "whole numbers"),
        ("block_sizes", None, "must be given"),
        ("backup_block_sizes", [5], "multiples"),
        ("factors", [SITE, SITE], "of their own"),
        ("factors", [{**SITE, "weight": 2}], "weight 1"),
        ("factors", [{**SITE, "weight": True}], "weight 1"),
        ("factors", [{"code": "site", "levels": ["01", "02"]}], "code, levels and weight"),
        ("factors", ["site"], "code, levels and weight"),
        ("factors", [{**SITE, "levels": ["01"]}], "2 or more levels"),
        ("factors", [{**SITE, "levels": ["01", "01"]}], "repeat"),
        ("factors", [{**SITE, "levels": ["01", "a;b"]}], "lower-case letters"),
        ("factors", [{**SITE, "code": "Site"}], "lower-case letters"),
        ("factors", factors_of(8, 3), "500 strata"),
        ("factors", None, "must be given"),
        ("contribution_source", "", "none"),
        ("contribution_source", 1, "text"),
        ("target", 96, "not a parameter"),
        ("mti", 3, "not a parameter"),
    ],
)
def test_read_parameters_refuses_and_names_the_rule(field, value, rule):
    with pytest.raises(ParametersRefused, match=rule) as refused:
        read_parameters(given(**{field: value}))

    assert refused.value.field == field


def test_simple_randomisation_has_no_block_sizes():
    with pytest.raises(ParametersRefused, match="not a parameter"):
        read_parameters(given(method="simple"))


def test_read_parameters_puts_ratio_and_sizes_in_canonical_form():
    parameters = read_parameters(given(ratio=[4, 2], block_sizes=[9, 3, 9], backup_block_sizes=[6, 3]))

    canonical = json.loads(parameters.canonical())
    assert canonical["ratio"] == [2, 1]
    assert canonical["block_sizes"] == [3, 9]
    assert canonical["backup_block_sizes"] == [3, 6]


def test_the_same_parameters_written_differently_have_the_same_canonical_bytes():
    plain = read_parameters(given())
    other = read_parameters(given(ratio=[3, 3], block_sizes=[6, 4, 4]))

    assert plain.canonical() == other.canonical()


def test_canonical_parameters_name_no_emergency_sizes_when_there_are_none():
    assert b"backup" not in read_parameters(given()).canonical()


def test_public_parameters_keep_sizes_back():
    parameters = read_parameters(given(backup_block_sizes=[4]))

    assert not any("block" in key for key in parameters.public())
    assert repr(parameters) == "<Parameters>"


def test_500_strata_are_allowed():
    factors = [*factors_of(5, 3), {"code": "g", "levels": list("abcd"), "weight": 1}]

    assert len(stratum_keys(read_parameters(given(factors=factors)).factors)) == 500


def test_a_ratio_is_reduced_by_its_greatest_common_divisor():
    assert reduce_ratio((30, 20, 10)) == (3, 2, 1)
    assert reduce_ratio((60, 60)) == (1, 1)


def test_stratum_keys_follow_the_declared_order():
    factors = (Factor("site", ("02", "01")), Factor("age", ("u65", "65p")))

    assert stratum_keys(factors) == [
        "site=02;age=u65",
        "site=02;age=65p",
        "site=01;age=u65",
        "site=01;age=65p",
    ]
    assert stratum_key(factors, {"age": "65p", "site": "01"}) == "site=01;age=65p"


def test_without_factors_the_only_stratum_is_all():
    assert stratum_keys(()) == ["all"]
    assert stratum_key((), {}) == "all"


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, []),
        ({"backup_block_sizes": [4]}, ["site=01", "site=02"]),
        ({"backup_block_sizes": [4], "factors": [AGE]}, ["all"]),
    ],
)
def test_emergency_lists_are_one_a_site(changes, keys):
    assert read_parameters(given(**changes)).backup_keys() == keys


def test_normalise_leaves_the_input_as_it_was():
    whole = given(ratio=[2, 2])

    normalise(whole)

    assert whole["ratio"] == [2, 2]


# --- warnings ------------------------------------------------------------------------------------------


def test_a_sound_design_gives_no_warning():
    assert design_warnings(read_parameters(given()), target=96, masked=False) == []


@pytest.mark.parametrize(
    ("changes", "target", "masked", "words"),
    [
        ({"block_sizes": [4]}, 96, False, "One fixed block size"),
        ({"block_sizes": [2, 4]}, 96, False, "easily foreseen"),
        ({}, 19, False, "so many strata"),
        ({"method": "simple", "block_sizes": None}, 96, False, "unequal size"),
    ],
)
def test_design_warnings_name_the_weakness(changes, target, masked, words):
    (warning,) = design_warnings(read_parameters(given(**changes)), target=target, masked=masked)

    assert words in warning


def test_the_smallest_block_is_no_weakness_in_a_masked_trial():
    assert design_warnings(read_parameters(given(block_sizes=[2, 4])), target=96, masked=True) == []


def test_a_mean_block_that_just_fits_a_stratum_gives_no_warning():
    assert design_warnings(read_parameters(given()), target=20, masked=False) == []
