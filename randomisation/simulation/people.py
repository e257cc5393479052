"""The people of a simulated trial: who is expected at each site, drawn one by one (randomisation.md section 11)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from randomisation.engine.parameters import NO_FACTORS_KEY, Parameters
from randomisation.engine.source import Stream, derive_seed
from randomisation.simulation.errors import SimulationRefused

SITE = "site"
ONE_SITE = NO_FACTORS_KEY
MAX_WEIGHT = 10**6

Shares = dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class Person:
    """One simulated person. People alike in everything share one object.

    Attributes:
        levels: level by factor, `site` among them.
        place: index of the site.
        marks: index of each (factor, level) carried, in the order of `Population.marks`.
        stratum: the combination of levels, as a stratum key over every factor.
    """

    levels: dict[str, str]
    place: int
    marks: tuple[int, ...]
    stratum: str


@dataclass(frozen=True)
class Population:
    """Expected shares of the levels of each factor; `site` is the first and always there.

    Attributes:
        factors: share of each level by factor. Shares of one factor add up to 1.
        by_site: the same for single factors at single sites, where they differ: site, factor, level.
    """

    factors: dict[str, Shares]
    by_site: dict[str, dict[str, Shares]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        factors: Mapping[str, Mapping[str, Any]],
        by_site: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
    ) -> "Population":
        """Read weights: whole numbers, fractions, or texts such as "1/3"; only their proportions count.

        Raises:
            SimulationRefused: a weight is no number, negative or too fine, or no level of a factor has one; a
                site, factor or level of `by_site` is not among `factors`.
        """
        shares = {code: _shares(code, levels) for code, levels in factors.items()}
        ordered = {SITE: shares.pop(SITE, {ONE_SITE: Fraction(1)}), **shares}
        at_sites = {
            site: {code: _shares_at(ordered, site, code, levels) for code, levels in own.items()}
            for site, own in (by_site or {}).items()
        }
        return cls(ordered, at_sites)

    @classmethod
    def even(cls, designs: Iterable[Parameters], sites: Iterable[str] = ()) -> "Population":
        """Every level of every factor of these designs equally likely; `sites` where no design stratifies by them."""
        factors: dict[str, dict[str, int]] = {SITE: dict.fromkeys(sites, 1)} if sites else {}
        for parameters in designs:
            for factor in parameters.factors:
                factors.setdefault(factor.code, {}).update(dict.fromkeys(factor.levels, 1))
        return cls.of(factors)

    @property
    def sites(self) -> list[str]:
        """Site codes in order."""
        return list(self.factors[SITE])

    @property
    def marks(self) -> list[tuple[str, str]]:
        """Every (factor, level); the one site of a trial without sites is no level."""
        return [
            (code, level)
            for code, levels in self.factors.items()
            if code != SITE or self.sites != [ONE_SITE]
            for level in levels
        ]

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads: shares as text, such as "1/3"."""
        return {
            "factors": {code: _texts(levels) for code, levels in self.factors.items()},
            "by_site": {
                site: {code: _texts(levels) for code, levels in own.items()} for site, own in self.by_site.items()
            },
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Population":
        """Read `as_json`, or a file of the same shape.

        Raises:
            SimulationRefused: as `of`.
        """
        factors, by_site = given.get("factors", {}), given.get("by_site", {})
        if set(given) - {"factors", "by_site"} or not _nested(factors, 2) or not _nested(by_site, 3):
            raise SimulationRefused("The people must be given as factors, and by_site where sites differ.")
        return cls.of(factors, by_site)


class Crowd:
    """Draws people from a population, each independently of the others."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._codes = list(population.factors)
        self._place = {site: index for index, site in enumerate(population.sites)}
        self._mark = {mark: index for index, mark in enumerate(population.marks)}
        self._levels = {code: list(levels) for code, levels in population.factors.items()}
        self._weights = {
            site: [
                _weights(population.by_site.get(site, {}).get(code, population.factors[code])) for code in self._codes
            ]
            for site in population.sites
        }
        self._known: dict[tuple[str, ...], Person] = {}

    def draw(self, n: int, secret: bytes) -> list[Person]:
        """`n` people in order of arrival, from a secret of their own and not the allocations'."""
        seed = derive_seed(secret, "")
        stream = Stream(seed, scheme="simulation", revision=1, purpose="check", key="people")
        return [self._person(stream) for _ in range(n)]

    def _person(self, stream: Stream) -> Person:
        first, *others = self._codes
        site = self._levels[first][stream.weighted(self._weights[self._population.sites[0]][0])]
        levels = [site]
        for code, weights in zip(others, self._weights[site][1:], strict=True):
            levels.append(self._levels[code][stream.weighted(weights)])
        key = tuple(levels)
        if key not in self._known:
            self._known[key] = self._made(dict(zip(self._codes, key, strict=True)))
        return self._known[key]

    def _made(self, levels: dict[str, str]) -> Person:
        carried = [mark for mark in levels.items() if mark in self._mark]
        return Person(
            levels=levels,
            place=self._place[levels[SITE]],
            marks=tuple(self._mark[mark] for mark in carried),
            stratum=";".join(f"{code}={level}" for code, level in carried) or NO_FACTORS_KEY,
        )


def _shares(code: str, levels: Mapping[str, Any]) -> Shares:
    weights = {level: _weight(code, value) for level, value in levels.items()}
    total = sum(weights.values())
    if not total:
        raise SimulationRefused(f"At least one level of {code} must be expected.")
    shares = {level: weight / total for level, weight in weights.items()}
    if math.lcm(*(share.denominator for share in shares.values())) > MAX_WEIGHT:
        raise SimulationRefused(f"Give the shares of {code} in fewer digits.")
    return shares


def _weight(code: str, value: Any) -> Fraction:
    try:
        weight = Fraction(value) if isinstance(value, int | str | Fraction) else None
    except (ValueError, ZeroDivisionError):
        weight = None
    if weight is None or isinstance(value, bool) or weight < 0:
        raise SimulationRefused(f'The shares of {code} must be whole numbers or fractions such as "1/3".')
    return weight


def _shares_at(factors: Mapping[str, Shares], site: str, code: str, levels: Mapping[str, Any]) -> Shares:
    if site not in factors[SITE]:
        raise SimulationRefused(f"There is no site {site} among the people expected.")
    if code == SITE or code not in factors:
        raise SimulationRefused(f"{code} is not a factor that can differ between sites.")
    if set(levels) - set(factors[code]):
        raise SimulationRefused(f"A level of {code} at site {site} is not a level of {code}.")
    return _shares(code, {level: levels.get(level, 0) for level in factors[code]})


def _weights(shares: Shares) -> tuple[int, ...]:
    common = math.lcm(*(share.denominator for share in shares.values()))
    return tuple(int(share * common) for share in shares.values())


def _texts(shares: Shares) -> dict[str, str]:
    return {level: str(share) for level, share in shares.items()}


def _nested(value: Any, depth: int) -> bool:
    return depth == 0 or (isinstance(value, dict) and all(_nested(inner, depth - 1) for inner in value.values()))
