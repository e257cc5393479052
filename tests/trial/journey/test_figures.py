"""Figures against the vectors of the reference (feasibility_vectors.json), and the worked values of domain.md 8."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trial.journey import figures

VECTORS = json.loads(Path(__file__).with_name("feasibility_vectors.json").read_text())["vectors"]


def _of(kind: str) -> list[Any]:
    return [pytest.param(v["input"], v["expected"], id=v["id"]) for v in VECTORS if v["kind"] == kind]


def _close(value: Any) -> Any:
    return pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize(("given_", "expected"), _of("proportion"))
def test_proportions_have_the_intervals_of_the_vectors(given_, expected):
    x, n, conf = given_["x"], given_["n"], given_.get("conf", 0.95)

    wilson, exact = figures.wilson(x, n, conf), figures.clopper_pearson(x, n, conf)

    if n == 0:
        assert wilson is None
        assert exact is None
        return
    assert x / n == _close(expected["estimate"])
    assert (wilson.low, wilson.high) == (_close(expected["wilson_low"]), _close(expected["wilson_high"]))
    assert (exact.low, exact.high) == (_close(expected["exact_low"]), _close(expected["exact_high"]))


@pytest.mark.parametrize(("given_", "expected"), _of("recruitment_rate_per_site_month"))
def test_recruitment_rates_are_those_of_the_vectors(given_, expected):
    day = date.fromisoformat
    sites = {
        name: (day(site["opened"]), day(site["closed"]) if site["closed"] else None)
        for name, site in given_["sites"].items()
    }
    cut = day(given_["data_cut"])

    estimate = figures.rate(given_["randomised"], figures.site_months(sites.values(), cut))

    assert {name: figures.site_days(*site, cut) for name, site in sites.items()} == expected["site_days"]
    assert float(estimate.total) == _close(expected["site_months"])
    assert float(estimate.value) == _close(expected["rate"])
    assert estimate.interval.low == _close(expected["low"])
    assert estimate.interval.high == _close(expected["high"])


@pytest.mark.parametrize(("given_", "expected"), _of("event_rate"))
def test_event_rates_are_those_of_the_vectors(given_, expected):
    estimate = figures.rate(given_["events"], Fraction(str(given_["exposure"])))

    assert float(estimate.value) == _close(expected["rate"])
    assert estimate.interval.low == _close(expected["low"])
    assert estimate.interval.high == _close(expected["high"])


@pytest.mark.parametrize(("given_", "expected"), _of("progression"))
def test_progression_lights_are_those_of_the_vectors(given_, expected):
    red, green = Decimal(str(given_["red_limit"])), Decimal(str(given_["green_limit"]))
    higher = given_["higher_is_better"]
    if "x" in given_:
        value = Fraction(given_["x"], given_["n"]) if given_["n"] else None
    else:
        value = Fraction(str(given_["value"]))

    found = figures.light(value, red, green, higher_is_better=higher)

    assert found == expected["light"]
    if expected.get("four_tier") and given_.get("n"):
        assert figures.amber_split(red, given_["n"]) == _close(expected["amber_split"])
        assert figures.four_tier(value, given_["n"], red, green) == expected["four_tier"]


def test_nobody_of_48_has_the_limits_of_the_reference():
    wilson, exact = figures.wilson(0, 48), figures.clopper_pearson(0, 48)

    # domain.md F1: 0/48 -> (0, 0.0741); exact (0, 0.0740)
    assert (wilson.low, round(wilson.high, 4)) == (0.0, 0.0741)
    assert (exact.low, round(exact.high, 4)) == (0.0, 0.0740)


def test_no_randomisation_in_20_site_months_still_has_an_upper_limit():
    estimate = figures.rate(0, Fraction(612) / figures.MONTH_DAYS)

    # domain.md F3: x=0 -> high 0.1835
    assert (estimate.interval.low, round(estimate.interval.high, 4)) == (0.0, 0.1835)


def test_no_exposure_has_no_rate():
    estimate = figures.rate(0, Fraction(0))

    assert estimate.value is None
    assert estimate.interval is None


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-01-12", 0), ("2026-05-07", 48), ("2026-08-31", 96), ("2027-01-01", 96), ("2025-01-01", 0)],
)
def test_a_linear_plan_runs_from_nothing_to_its_target(day, expected):
    found = figures.expected_by(96, date(2026, 1, 12), date(2026, 8, 31), date.fromisoformat(day))

    assert found == expected


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_hold_their_estimate(pair):
    count, total = pair

    for interval in (figures.wilson(count, total), figures.clopper_pearson(count, total)):
        assert 0 <= interval.low <= count / total + 1e-12
        assert count / total - 1e-12 <= interval.high <= 1


def test_nothing_of_nothing_has_no_interval():
    assert figures.wilson(0, 0) is None
    assert figures.clopper_pearson(0, 0) is None
