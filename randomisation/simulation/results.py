"""What a simulation found, method beside method (randomisation.md section 11). Holds no setting of any design."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from randomisation.simulation.people import Population

STANDARD_ERRORS = 4


@dataclass(frozen=True)
class Spread:
    """Mean, 95th percentile (nearest rank) and maximum over the simulated trials, in people."""

    mean: float
    p95: float
    maximum: float


@dataclass(frozen=True)
class Imbalance:
    """Distance from the ratio at the end of the trial, in people.

    For two arms 1:1 the difference |N_A - N_B|, as in the examples of section 11; for any other ratio
    max_k |N_k - n·r_k/R|.

    Attributes:
        overall: everybody.
        worst_site: the worst site of each trial.
        worst_level: the worst level of any factor of each trial, sites counted as levels.
        any_time: the largest value overall at any time of the trial.
        sites: each site by its code.
        from_share: max_k |N_k - n·r_k/R| of everybody for every ratio: for two arms 1:1 half of `overall`.
    """

    overall: Spread
    worst_site: Spread
    worst_level: Spread
    any_time: Spread
    sites: dict[str, Spread]
    from_share: Spread


@dataclass(frozen=True)
class Guesses:
    """Share of allocations foreseen.

    Attributes:
        site: by the convergence strategy, knowing the allocations of the person's own site.
        everywhere: by the convergence strategy, knowing every allocation.
        design: by whoever knows the design, the size of the block in use, every allocation and the person's
            levels, and guesses the most probable arm: the most that can be foreseen.
    """

    site: float
    everywhere: float
    design: float


@dataclass(frozen=True)
class SmallStratum:
    """One of the smallest combinations of levels.

    Attributes:
        key: its levels.
        people: mean number of people.
        arms: mean number in each arm, in declared order.
        without_an_arm: share of trials in which it had people and at least one arm had none of them.
    """

    key: str
    people: float
    arms: tuple[float, ...]
    without_an_arm: float


@dataclass(frozen=True)
class MethodResult:
    """Everything reported of one design.

    Attributes:
        label: as the candidate was called.
        method: code of the method.
        arms: codes in declared order.
        ratio: in lowest terms.
        imbalance: see `Imbalance`.
        final: (overall imbalance at the end, number of trials), ascending.
        guesses: see `Guesses`.
        forced: share of allocations that were certain, given the design and everything before.
        smallest: up to three combinations of levels, fewest people first.
        incomplete_blocks: share of the blocks in use that were not full at the end; None without blocks.
        overruled: share of allocations after burn-in in which the random element gave another (working) arm
            than the preferred one; None where the method prefers none.
        steps: mean probability of each arm at allocation 1, 2, …, in minimisation only.
        n_trials: simulated trials.
    """

    label: str
    method: str
    arms: tuple[str, ...]
    ratio: tuple[int, ...]
    imbalance: Imbalance
    final: tuple[tuple[float, int], ...]
    guesses: Guesses
    forced: float
    smallest: tuple[SmallStratum, ...]
    incomplete_blocks: float | None
    overruled: float | None
    steps: tuple[tuple[float, ...], ...]
    n_trials: int

    @property
    def is_difference(self) -> bool:
        """Whether imbalance is the difference between two arms, not the distance from a share."""
        return self.ratio == (1, 1)

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each arm that the ratio asks for."""
        return tuple(share / sum(self.ratio) for share in self.ratio)

    @property
    def step_gap(self) -> float:
        """Largest distance of the probability of an arm at any step from its share."""
        gaps = [abs(found - share) for step in self.steps for found, share in zip(step, self.shares, strict=True)]
        return max(gaps, default=0.0)

    @property
    def step_error(self) -> float:
        """What chance alone can make of `step_gap`: four standard errors of a share of this many trials."""
        return STANDARD_ERRORS * max(sqrt(share * (1 - share) / self.n_trials) for share in self.shares)

    @property
    def is_flat(self) -> bool:
        """Whether the probability of each arm stays the same from step to step, as it must (section 11)."""
        return self.step_gap <= self.step_error


@dataclass(frozen=True)
class Comparison:
    """Several designs, each with the same simulated people, and how they were simulated."""

    target: int
    n_trials: int
    population: Population
    methods: tuple[MethodResult, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values that `from_json` reads back to an equal object."""
        return {
            "target": self.target,
            "n_trials": self.n_trials,
            "population": self.population.as_json(),
            "methods": [asdict(method) for method in self.methods],
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Comparison":
        """The comparison that `as_json` gave, also after a journey through JSON text."""
        return cls(
            target=given["target"],
            n_trials=given["n_trials"],
            population=Population.from_json(given["population"]),
            methods=tuple(_method(method) for method in given["methods"]),
        )


def _method(given: Mapping[str, Any]) -> MethodResult:
    return MethodResult(
        **{
            **given,
            "arms": tuple(given["arms"]),
            "ratio": tuple(given["ratio"]),
            "imbalance": _imbalance(given["imbalance"]),
            "final": tuple((value, number) for value, number in given["final"]),
            "guesses": Guesses(**given["guesses"]),
            "smallest": tuple(SmallStratum(**{**one, "arms": tuple(one["arms"])}) for one in given["smallest"]),
            "steps": tuple(tuple(step) for step in given["steps"]),
        }
    )


def _imbalance(given: Mapping[str, Any]) -> Imbalance:
    spreads = {name: Spread(**value) for name, value in given.items() if name != "sites"}
    return Imbalance(**spreads, sites={code: Spread(**value) for code, value in given["sites"].items()})
