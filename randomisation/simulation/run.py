"""Simulating whole trials before go-live (randomisation.md section 11)."""

import secrets
from collections.abc import Callable, Sequence

from randomisation.engine.parameters import Parameters
from randomisation.engine.source import SECRET_BYTES, derive_seed
from randomisation.simulation.allocations import Allocator
from randomisation.simulation.candidates import MINIMISATION, Candidate
from randomisation.simulation.errors import SimulationRefused
from randomisation.simulation.list_designs import ListDesign
from randomisation.simulation.measures import Tally
from randomisation.simulation.minimised import MinimisedDesign
from randomisation.simulation.people import Crowd, Population
from randomisation.simulation.results import Comparison

DEFAULT_TRIALS = 1000
MAX_TRIALS = 100_000
MAX_TARGET = 10_000
MAX_CANDIDATES = 8

Progress = Callable[[int, int], None]
SecretSource = Callable[[], bytes]


def simulate(
    candidates: Sequence[Candidate],
    *,
    population: Population,
    target: int,
    n_trials: int = DEFAULT_TRIALS,
    progress: Progress | None = None,
    secret_source: SecretSource | None = None,
) -> Comparison:
    """Allocate `n_trials` trials of `target` people by each design, through the engine that allocates live.

    Every design meets the same simulated people, in the same order, each trial with a secret of its own.

    Args:
        progress: told (trials done, `n_trials`) after each trial.
        secret_source: 32 bytes at each call, for tests that must repeat; the operating system's otherwise.

    Raises:
        SimulationRefused: a number out of bounds, a name given twice, or people without a factor of a design.
    """
    _check(candidates, population=population, target=target, n_trials=n_trials)
    draw = secret_source or (lambda: secrets.token_bytes(SECRET_BYTES))
    crowd = Crowd(population)
    running: list[tuple[Allocator, Tally]] = [
        (_allocator(one.parameters), Tally(one.label, one.parameters, population, target)) for one in candidates
    ]
    for number in range(1, n_trials + 1):
        people = crowd.draw(target, draw())
        for allocate, tally in running:
            tally.add(people, allocate(people, derive_seed(draw(), "")))
        if progress is not None:
            progress(number, n_trials)
    return Comparison(target, n_trials, population, tuple(tally.result() for _allocate, tally in running))


def _allocator(parameters: Parameters) -> Allocator:
    return MinimisedDesign(parameters) if parameters.method == MINIMISATION else ListDesign(parameters)


def _check(candidates: Sequence[Candidate], *, population: Population, target: int, n_trials: int) -> None:
    if not 1 <= n_trials <= MAX_TRIALS:
        raise SimulationRefused(f"Simulate 1 to {MAX_TRIALS:,} trials.")
    if not 1 <= target <= MAX_TARGET:
        raise SimulationRefused(f"A simulated trial has 1 to {MAX_TARGET:,} people.")
    if not 1 <= len(candidates) <= MAX_CANDIDATES:
        raise SimulationRefused(f"Compare 1 to {MAX_CANDIDATES} designs at a time.")
    if len({one.label for one in candidates}) < len(candidates):
        raise SimulationRefused("Give each design a name of its own.")
    for one in candidates:
        _check_people(one, population)


def _check_people(one: Candidate, population: Population) -> None:
    """Every level the people may have must be a level of the design."""
    expected = {code for code, _level in population.marks}
    for factor in one.parameters.factors:
        if factor.code not in expected:
            raise SimulationRefused(f"Say how many people to expect at each level of {factor.code}.")
        if unknown := set(population.factors[factor.code]) - set(factor.levels):
            names = ", ".join(sorted(unknown))
            raise SimulationRefused(
                f"{one.label} has no level {names} of {factor.code}, and people are expected there."
            )
