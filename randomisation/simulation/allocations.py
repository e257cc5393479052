"""One simulated trial of one design, with what could be foreseen at each allocation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from randomisation.simulation.people import Person


class Given(NamedTuple):
    """One allocation.

    Attributes:
        arm: index of the arm.
        chances: probability of each arm just before, for whoever knows the design, the size of the block in
            use, everything allocated so far and the person's levels. A chance of 1 is a forced allocation.
        overruled: whether the random element gave another (working) arm than the preferred one; None where
            none was preferred.
    """

    arm: int
    chances: tuple[float, ...]
    overruled: bool | None


@dataclass(frozen=True, slots=True)
class Allocated:
    """A whole simulated trial: its allocations in order, and its blocks in use and not full at the end."""

    given: list[Given]
    blocks: int = 0
    incomplete_blocks: int = 0


Allocator = Callable[[Sequence[Person], bytes], Allocated]
"""People in order of arrival and the seed of the trial, to their allocations."""
