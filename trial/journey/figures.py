"""Feasibility figures with their uncertainty (domain.md section 8): values in, values out, nothing rounded.

Numbers of people are exact fractions, limits exact decimals; only the ends of an interval are floating point. Figures
are descriptive: there is no test here, and no verdict.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from statistics import NormalDist

MONTH_DAYS = Fraction("30.4375")
Z_ONE_SIDED = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True)
class Interval:
    """Low and high end of a two-sided interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """`count` of `total`, with an interval. `value` and `interval` are None where the total is 0."""

    count: int
    total: Fraction
    value: Fraction | None
    interval: Interval | None


def z_of(conf: float) -> float:
    """Unrounded z of a two-sided interval."""
    return NormalDist().inv_cdf(1 - (1 - conf) / 2)


def wilson(count: int, total: int, conf: float = 0.95) -> Interval | None:
    """Wilson interval of a proportion (F1); None for 0 of 0."""
    if total == 0:
        return None
    share, z2 = count / total, z_of(conf) ** 2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = math.sqrt(z2 * (share * (1 - share) / total + z2 / (4 * total**2))) / (1 + z2 / total)
    return Interval(0.0 if count == 0 else centre - half, 1.0 if count == total else centre + half)


def clopper_pearson(count: int, total: int, conf: float = 0.95) -> Interval | None:
    """Exact interval of a proportion (F1); None for 0 of 0."""
    if total == 0:
        return None
    tail = (1 - conf) / 2
    low = 0.0 if count == 0 else _root(lambda p: 1 - _binomial_cdf(count - 1, total, p) - tail, 0.0, 1.0)
    high = 1.0 if count == total else _root(lambda p: tail - _binomial_cdf(count, total, p), 0.0, 1.0)
    return Interval(low, high)


def poisson(events: int, conf: float = 0.95) -> Interval:
    """Exact interval of a Poisson count (F3): χ²(α/2, 2x)/2 and χ²(1-α/2, 2x+2)/2, found as roots of the tails."""
    tail = (1 - conf) / 2
    top = events + 10 * math.sqrt(events + 1) + 20
    low = 0.0 if events == 0 else _root(lambda mean: 1 - _poisson_cdf(events - 1, mean) - tail, 0.0, float(events))
    return Interval(low, _root(lambda mean: tail - _poisson_cdf(events, mean), 0.0, top))


def proportion(count: int, total: int) -> Estimate:
    """A proportion with its Wilson interval."""
    value = Fraction(count, total) if total else None
    return Estimate(count, Fraction(total), value, wilson(count, total))


def rate(events: int, exposure: Fraction) -> Estimate:
    """Events for each unit of exposure, with the exact Poisson interval."""
    if exposure == 0:
        return Estimate(events, exposure, None, None)
    ends = poisson(events)
    unit = float(exposure)
    return Estimate(events, exposure, events / exposure, Interval(ends.low / unit, ends.high / unit))


def site_days(opened: date, closed: date | None, cut: date) -> int:
    """Days for which a site was open by the data cut, both ends counted; 0 where it opened later (F3)."""
    return max((min(closed or cut, cut) - opened).days + 1, 0)


def site_months(sites: Iterable[tuple[date, date | None]], cut: date) -> Fraction:
    """Site-months of (opened, closed) pairs, 30.4375 days each (F3)."""
    return sum((site_days(opened, closed, cut) for opened, closed in sites), 0) / MONTH_DAYS


class Light(StrEnum):
    """The light of a progression criterion."""

    GREEN = "GREEN"
    AMBER = "AMBER"
    RED = "RED"
    NOT_ESTIMABLE = "NOT_ESTIMABLE"


def light(value: Fraction | None, red: Decimal, green: Decimal, *, higher_is_better: bool) -> Light:
    """Place an unrounded value against its limits (F18)."""
    if value is None:
        return Light.NOT_ESTIMABLE
    red_limit, green_limit = Fraction(red), Fraction(green)
    if value <= red_limit if higher_is_better else value >= red_limit:
        return Light.RED
    return Light.GREEN if (value >= green_limit if higher_is_better else value <= green_limit) else Light.AMBER


def amber_split(red: Decimal, total: int) -> float:
    """Ac: an amber value at or above it is nearer green (F18). `total` is not 0."""
    limit = float(red)
    return limit + Z_ONE_SIDED * math.sqrt(limit * (1 - limit) / total)


def four_tier(value: Fraction, total: int, red: Decimal, green: Decimal) -> str:
    """GREEN, AMBER_GREEN, AMBER_RED or RED, for a proportion with higher better (F18)."""
    three = light(value, red, green, higher_is_better=True)
    if three is not Light.AMBER:
        return three.value
    split = amber_split(red, total)
    return "AMBER_GREEN" if split < green and float(value) >= split else "AMBER_RED"


def expected_by(target: int, starts: date, ends: date, day: date) -> int:
    """People a linear plan expects by a day, halves rounded up."""
    share = Fraction((day - starts).days, max((ends - starts).days, 1))
    return math.floor(target * min(max(share, Fraction(0)), Fraction(1)) + Fraction(1, 2))


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero between `low` and `high`, to the last bit."""
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _poisson_cdf(events: int, mean: float) -> float:
    """P(X <= events) for a mean above 0."""
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1))


def _binomial_cdf(count: int, total: int, share: float) -> float:
    """P(X <= count) for a share between 0 and 1."""
    whole = math.lgamma(total + 1)
    return math.fsum(
        math.exp(
            whole
            - math.lgamma(k + 1)
            - math.lgamma(total - k + 1)
            + k * math.log(share)
            + (total - k) * math.log1p(-share)
        )
        for k in range(count + 1)
    )
