"""Counting up simulated trials of one design: imbalance, guesses, small strata (randomisation.md section 11).

A balance is one whole number for each arm: how far the arm is below its share, times R (n·r_k - R·N_k).
"""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from randomisation.engine.parameters import Parameters
from randomisation.simulation.allocations import Allocated
from randomisation.simulation.people import ONE_SITE, Person, Population
from randomisation.simulation.results import Guesses, Imbalance, MethodResult, SmallStratum, Spread

N_SMALLEST = 3


class Tally:
    """Adds up one design over all simulated trials."""

    def __init__(self, label: str, parameters: Parameters, population: Population, target: int) -> None:
        self._label, self._parameters, self._target = label, parameters, target
        self._population, self._marks = population, population.marks
        self._ratio, self._total = parameters.ratio, sum(parameters.ratio)
        self._unit = 1 if parameters.ratio == (1, 1) else self._total
        n_arms = len(parameters.arms)
        self._steps = [[0.0] * n_arms for _ in range(target)]
        self._overall, self._site_worst, self._level_worst = Counter[int](), Counter[int](), Counter[int]()
        self._any_time = Counter[int]()
        self._sites = [Counter[int]() for _ in population.sites]
        self._strata: dict[str, list[int]] = {}
        self._without_an_arm = Counter[str]()
        self._guessed_site = self._guessed_everywhere = self._guessed_design = 0.0
        self._forced = self._preferred = self._overruled = self._blocks = self._incomplete = 0
        self._n_trials = 0

    def add(self, people: Sequence[Person], allocated: Allocated) -> None:
        """Count one simulated trial."""
        self._n_trials += 1
        self._follow(people, allocated)
        self._close(people, allocated)
        self._blocks += allocated.blocks
        self._incomplete += allocated.incomplete_blocks

    def _follow(self, people: Sequence[Person], allocated: Allocated) -> None:
        """Walk through the trial as somebody who guesses would."""
        overall, worst = [0] * len(self._ratio), 0
        sites = [[0] * len(self._ratio) for _ in self._sites]
        for person, step, given in zip(people, self._steps, allocated.given, strict=True):
            own, arm, best = sites[person.place], given.arm, max(given.chances)
            self._guessed_site += _credit(own, arm)
            self._guessed_everywhere += _credit(overall, arm)
            self._guessed_design += best
            self._forced += best == 1
            self._count_step(step, given.chances)
            if given.overruled is not None:
                self._preferred += 1
                self._overruled += given.overruled
            self._move(own, arm)
            self._move(overall, arm)
            worst = max(worst, *overall, -min(overall))
        self._overall[_size(overall)] += 1
        self._any_time[worst] += 1
        for counter, balance in zip(self._sites, sites, strict=True):
            counter[_size(balance)] += 1
        self._site_worst[max(_size(balance) for balance in sites)] += 1

    def _move(self, balance: list[int], arm: int) -> None:
        for index, share in enumerate(self._ratio):
            balance[index] += share
        balance[arm] -= self._total

    @staticmethod
    def _count_step(step: list[float], chances: Sequence[float]) -> None:
        for index, chance in enumerate(chances):
            step[index] += chance

    def _close(self, people: Sequence[Person], allocated: Allocated) -> None:
        """Count the levels and combinations of the finished trial."""
        n_arms = len(self._ratio)
        marks = [[0] * n_arms for _ in self._marks] or [[0] * n_arms]
        strata: dict[str, list[int]] = {}
        for person, given in zip(people, allocated.given, strict=True):
            strata.setdefault(person.stratum, [0] * n_arms)[given.arm] += 1
            for mark in person.marks:
                marks[mark][given.arm] += 1
        self._level_worst[max(self._distance(counts) for counts in marks)] += 1
        for key, counts in strata.items():
            before = self._strata.setdefault(key, [0] * n_arms)
            self._strata[key] = [old + new for old, new in zip(before, counts, strict=True)]
            self._without_an_arm[key] += 0 in counts

    def _distance(self, counts: Sequence[int]) -> int:
        n = sum(counts)
        return max(abs(n * share - self._total * count) for share, count in zip(self._ratio, counts, strict=True))

    def result(self) -> MethodResult:
        """What the trials counted so far say."""
        n_people = self._n_trials * self._target
        return MethodResult(
            label=self._label,
            method=self._parameters.method,
            arms=self._parameters.arms,
            ratio=self._ratio,
            imbalance=self._imbalance(),
            final=tuple((size / self._unit, number) for size, number in sorted(self._overall.items())),
            guesses=Guesses(
                self._guessed_site / n_people, self._guessed_everywhere / n_people, self._guessed_design / n_people
            ),
            forced=self._forced / n_people,
            smallest=self._smallest(),
            incomplete_blocks=self._incomplete / self._blocks if self._blocks else None,
            overruled=self._overruled / self._preferred if self._preferred else None,
            steps=self._mean_steps() if self._parameters.method == "minimisation" else (),
            n_trials=self._n_trials,
        )

    def _imbalance(self) -> Imbalance:
        codes = [code for code in self._population.sites if code != ONE_SITE]
        return Imbalance(
            overall=_spread(self._overall, self._unit),
            worst_site=_spread(self._site_worst, self._unit),
            worst_level=_spread(self._level_worst, self._unit),
            any_time=_spread(self._any_time, self._unit),
            sites={code: _spread(counter, self._unit) for code, counter in zip(codes, self._sites, strict=False)},
            from_share=_spread(self._overall, self._total),
        )

    def _smallest(self) -> tuple[SmallStratum, ...]:
        keys = sorted(self._strata, key=lambda key: (sum(self._strata[key]), key))[:N_SMALLEST]
        return tuple(
            SmallStratum(
                key=key,
                people=sum(self._strata[key]) / self._n_trials,
                arms=tuple(count / self._n_trials for count in self._strata[key]),
                without_an_arm=self._without_an_arm[key] / self._n_trials,
            )
            for key in keys
        )

    def _mean_steps(self) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(total / self._n_trials for total in step) for step in self._steps)


def _credit(balance: list[int], arm: int) -> float:
    """The chance that the convergence strategy names `arm`: the arm furthest below its share, ties at random."""
    furthest = max(balance)
    return 1 / balance.count(furthest) if balance[arm] == furthest else 0.0


def _size(balance: list[int]) -> int:
    return max(max(balance), -min(balance))


def _spread(counter: Counter[int], unit: int) -> Spread:
    sizes, n = sorted(counter), counter.total()
    rank = -(-95 * n // 100)
    p95 = next(
        size for size, seen in zip(sizes, accumulate(counter[size] for size in sizes), strict=True) if seen >= rank
    )
    mean = sum(size * number for size, number in counter.items()) / n
    return Spread(mean / unit, p95 / unit, sizes[-1] / unit)
