import json

import pytest

from randomisation.engine.parameters import (
    Factor,
    design_warnings,
    needs_reason,
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


# --- the other methods -----------------------------------------------------------------------------------

OWN = {
    "imbalance": "range",
    "p": "4/5",
    "burn_in": 0,
    "overall_weight": 1,
    "unequal": "pseudo_arms",
}


def minimised(**changes):
    return given(method="minimisation", block_sizes=None, **{**OWN, **changes})


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("imbalance", "entropy", "one of range, variance, total"),
        ("imbalance", ["range"], "one of"),
        ("unequal", "real", "one of biased_coin, pseudo_arms"),
        ("p", 0.8, "text"),
        ("p", 1, "text"),
        ("p", "0.4", "smallest share"),
        ("p", "6/5", "smallest share"),
        ("p", "-4/5", "written like"),
        ("p", " 4/5", "written like"),
        ("p", "8e-1", "written like"),
        ("p", "4/5/6", "written like"),
        ("p", "٤/5", "written like"),
        ("p", "", "written like"),
        ("p", "4/0", "must be a number"),
        ("p", "0." + "8" * 20, "smaller denominator"),
        ("p", "0." + "8" * 5000, "must be a number"),
        ("burn_in", -1, "0 or more"),
        ("burn_in", "0", "whole number"),
        ("overall_weight", 101, "0 to 100"),
        ("overall_weight", -1, "0 to 100"),
        ("overall_weight", None, "must be given"),
        ("factors", [{**SITE, "weight": 0}], "1 to 100"),
        ("factors", [{**SITE, "weight": 101}], "1 to 100"),
        ("factors", [{**SITE, "weight": 1.0}], "1 to 100"),
        ("block_sizes", [4], "not a parameter"),
    ],
)
def test_minimisation_refuses_and_names_the_rule(field, value, rule):
    with pytest.raises(ParametersRefused, match=rule) as refused:
        read_parameters(minimised(**{field: value}) if field != "block_sizes" else {**minimised(), field: value})

    assert refused.value.field == field


@pytest.mark.parametrize(("written", "lowest"), [("0.8", "4/5"), ("8/10", "4/5"), ("1", "1/1"), ("1.0", "1/1")])
def test_p_is_kept_in_lowest_terms(written, lowest):
    assert json.loads(read_parameters(minimised(p=written)).canonical())["p"] == lowest


@pytest.mark.parametrize(("unequal", "smallest"), [("biased_coin", "1/5"), ("pseudo_arms", "0.2")])
def test_the_smallest_p_is_the_smallest_share_of_a_working_arm(unequal, smallest):
    read_parameters(minimised(ratio=[4, 1], unequal=unequal, p=smallest))

    with pytest.raises(ParametersRefused, match="smallest share"):
        read_parameters(minimised(ratio=[4, 1], unequal=unequal, p="0.19"))


def test_pseudo_arms_allow_a_smaller_p_than_the_arms():
    assert read_parameters(minimised(ratio=[3, 2], p="1/5")).settings["p"] == "1/5"

    with pytest.raises(ParametersRefused, match="smallest share"):
        read_parameters(minimised(ratio=[3, 2], p="1/5", unequal="biased_coin"))


def test_only_p_of_one_needs_a_reason():
    assert needs_reason(read_parameters(minimised(p="1.0")))
    assert not needs_reason(read_parameters(minimised(p="99/100")))
    assert not needs_reason(read_parameters(given()))


def test_minimisation_has_no_limit_to_its_strata():
    assert len(read_parameters(minimised(factors=factors_of(8, 4))).factors) == 4


def test_weights_are_public_and_the_parameters_of_the_method_are_not():
    parameters = read_parameters(minimised(factors=[{**SITE, "weight": 3}]))

    public = parameters.public()
    assert public["factors"] == [{**SITE, "weight": 3}]
    assert not set(OWN) & set(public)


@pytest.mark.parametrize("digest", ["0" * 63, "0" * 65, "G" * 64, "A" * 64, 0, None])
def test_the_digest_of_an_imported_file_is_64_lower_case_digits(digest):
    with pytest.raises(ParametersRefused) as refused:
        read_parameters(given(method="import", block_sizes=None, file_sha256=digest))

    assert refused.value.field == "file_sha256"


def test_canonical_parameters_hold_the_keys_of_their_method_and_no_others():
    common = {"algorithm", "scheme", "revision", "arms", "ratio", "method", "factors", "contribution_source"}
    own = {
        "simple": {},
        "permuted_blocks": {"block_sizes": [4]},
        "big_stick": {"mti": 3},
        "minimisation": OWN,
        "import": {"file_sha256": "0" * 64},
    }

    for method, settings in own.items():
        parameters = read_parameters({**given(method=method, block_sizes=None), **settings})
        assert set(json.loads(parameters.canonical())) == common | set(settings)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (minimised(p="1"), "can be foreseen"),
        (minimised(ratio=[2, 1], unequal="biased_coin"), "use pseudo-arms"),
        (minimised(factors=[], overall_weight=0), "nothing to balance"),
        (given(method="big_stick", block_sizes=None, mti=1), "smallest possible blocks"),
    ],
)
def test_warnings_of_the_other_methods(parameters, words):
    (warning,) = design_warnings(read_parameters(parameters), target=96, masked=False)

    assert words in warning


def test_sound_designs_of_the_other_methods_give_no_warning():
    sound = [
        minimised(),
        given(method="big_stick", block_sizes=None, mti=3),
        given(method="import", block_sizes=None, file_sha256="0" * 64),
    ]

    assert [design_warnings(read_parameters(one), target=96, masked=False) for one in sound] == [[], [], []]


def test_simple_randomisation_is_sound_in_a_large_trial():
    parameters = read_parameters(given(method="simple", block_sizes=None))

    assert design_warnings(parameters, target=200, masked=False) == []


# --- added levels ----------------------------------------------------------------------------------------


def test_an_added_level_makes_strata_and_leaves_the_commitment():
    declared = read_parameters(given(backup_block_sizes=[4]))
    before = declared.canonical()

    extended = declared.with_levels({"site": ["03"]})

    assert stratum_keys(extended.factors)[-2:] == ["site=03;age=u65", "site=03;age=65p"]
    assert extended.backup_keys() == ["site=01", "site=02", "site=03"]
    assert declared.canonical() == before


@pytest.mark.parametrize(
    ("added", "rule"),
    [
        ({"site": ["02"]}, "repeat"),
        ({"site": ["03", "03"]}, "repeat"),
        ({"site": ["a b"]}, "lower-case"),
        ({"sex": ["f"]}, "declared before"),
        ({"site": [f"s{n}" for n in range(249)]}, "500 strata"),
    ],
)
def test_a_level_that_cannot_be_added_is_refused(added, rule):
    with pytest.raises(ParametersRefused, match=rule):
        read_parameters(given()).with_levels(added)
