"""The designs and people that a simulation of the protocol compares."""

import json

import pytest

from randomisation.simulation import OWN_DESIGN
from tests.factories import Trial
from trial.allocation.designs import DesignRefused, expected_people, other_design, own_design, read_designs
from trial.protocol.versions import current

pytestmark = pytest.mark.django_db

BIG_STICK = {"method": "big_stick", "mti": 3}


@pytest.fixture
def spec(clock):
    return Trial().spec


def test_the_protocols_own_design_carries_its_restricted_parameters_under_a_plain_name(spec):
    own = own_design(current())

    assert own.label == OWN_DESIGN
    assert own.parameters.settings == {"block_sizes": [4, 6]}
    assert "4" not in repr(own)


def test_an_own_design_that_breaks_a_rule_is_refused(spec):
    version = current()
    version.restricted_sealed = ""

    with pytest.raises(DesignRefused, match="block_sizes: must be given"):
        own_design(version)


def test_other_designs_take_arms_ratio_and_factors_from_the_protocol(spec):
    found = other_design("Big stick", BIG_STICK, spec).parameters

    assert found.arms == tuple(arm.code for arm in spec.arms)
    assert [factor.code for factor in found.factors] == [factor.code for factor in spec.randomisation.factors]


def test_other_designs_may_name_their_own_factors(spec):
    assert other_design("Big stick", {**BIG_STICK, "factors": []}, spec).parameters.factors == ()


def test_a_list_takes_the_protocols_factors_without_their_weights(spec):
    factors = tuple(factor.model_copy(update={"weight": 3}) for factor in spec.randomisation.factors)
    weighted = spec.model_copy(update={"randomisation": spec.randomisation.model_copy(update={"factors": factors})})
    minimised = {"method": "minimisation", "imbalance": "range", "p": "4/5", "burn_in": 0, "overall_weight": 1}

    stick = other_design("Big stick", BIG_STICK, weighted)
    minimisation = other_design("Minimisation", {**minimised, "unequal": "biased_coin"}, weighted)

    assert {factor.weight for factor in stick.parameters.factors} == {1}
    assert {factor.weight for factor in minimisation.parameters.factors} == {3}


def test_everybody_is_equally_likely_at_every_site_and_level(spec):
    found = expected_people(spec)

    assert found.sites == [site.code for site in spec.sites]
    assert {len(set(levels.values())) for levels in found.factors.values()} == {1}


def test_a_file_names_designs_and_people(spec):
    people = expected_people(spec).as_json()
    people["factors"]["site"] = {"01": 2, "02": 1, "03": 1}
    text = json.dumps({"methods": [{"label": "Big stick", "parameters": BIG_STICK}], "people": people})

    designs, found = read_designs(text, spec)

    assert [one.label for one in designs] == ["Big stick"]
    assert float(found.factors["site"]["01"]) == 0.5


def test_a_file_without_people_expects_everybody_equally(spec):
    assert read_designs('{"methods": []}', spec) == ([], expected_people(spec))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("{", "not JSON"),
        ("[]", "must hold methods"),
        ('{"methods": {}}', "must hold methods"),
        ('{"methods": [], "seed": 1}', "must hold methods"),
        ('{"methods": [1]}', "needs a label"),
        ('{"methods": [{"label": "x"}]}', "needs a label"),
        ('{"methods": [{"label": 1, "parameters": {}}]}', "is text"),
        ('{"methods": [{"label": "x", "parameters": []}]}', "is text"),
        ('{"methods": [{"label": "x", "parameters": {"method": "big_stick", "mti": 11}}]}', "x: mti"),
        ('{"methods": [{"label": "x", "parameters": {"method": "urn"}}]}', "x: method"),
        ('{"methods": [], "people": []}', "as factors"),
        ('{"methods": [], "people": {"factors": {"site": {"01": -1}}}}', "shares of site"),
    ],
)
def test_a_file_that_says_something_else_is_refused(spec, given, text):
    with pytest.raises(DesignRefused, match=text):
        read_designs(given, spec)
