"""Simulating 1,000 trials of 120 people by three methods on one core, beside the draws of the engine alone.

Goal: 30 seconds.
"""

import os
from collections.abc import Callable

from benchmarks.figures import Figure

N_TRIALS, TARGET = 1000, 120
ARMS = {"arms": ["a", "b"], "ratio": [1, 1]}
FACTORS = [
    {"code": "site", "levels": ["01", "02"], "weight": 1},
    {"code": "age", "levels": ["u65", "65p"], "weight": 1},
    {"code": "gad", "levels": ["low", "mod", "high"], "weight": 1},
]


def measure() -> list[Figure]:
    """Seconds of one core: the whole report, beside the words of the streams that it cannot do without."""
    from randomisation.simulation import Population, candidate, simulate, usual_candidates

    own = candidate("Blocks", {**ARMS, "method": "permuted_blocks", "block_sizes": [4, 6], "factors": FACTORS})
    candidates = usual_candidates(own.parameters)
    people = Population.even([own.parameters])
    taken = _cpu_s(lambda: simulate(candidates, population=people, target=TARGET, n_trials=N_TRIALS))
    drawn = _cpu_s(_draw_streams)
    name = f"simulate {N_TRIALS:,} trials of {TARGET}, {len(candidates)} methods (goal 30 s)"
    return [Figure(name, taken, "one word of a stream each", drawn, "s")]


def _cpu_s(work: Callable[[], object]) -> float:
    """Time of one core in seconds: other work on the machine does not count."""
    start = os.times().user
    work()
    return os.times().user - start


def _draw_streams() -> None:
    """One word of a stream of its own for each allocation of one method."""
    from randomisation.engine.source import Stream

    for number in range(N_TRIALS * TARGET):
        Stream(bytes(32), scheme="bench", revision=1, purpose="check", key=str(number)).word()
