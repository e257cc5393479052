"""Simulated trials of minimisation, each allocation drawn by the engine."""

from collections.abc import Sequence
from fractions import Fraction

from randomisation.engine.minimisation import Design, Draw, Margins, minimise, weights
from randomisation.engine.parameters import Parameters
from randomisation.simulation.allocations import Allocated, Given
from randomisation.simulation.people import Person


class MinimisedDesign:
    """Minimisation, whatever its measure of imbalance, ratio and coin."""

    def __init__(self, parameters: Parameters) -> None:
        self._design = Design.of(parameters)
        self._n_arms = len(parameters.arms)
        self._burn_in_chances = self._by_arm(_shares(self._design.rho))
        self._coins = [_shares(weights(self._design, preferred)) for preferred in range(len(self._design.rho))]
        self._known: dict[tuple[int, ...], tuple[float, ...]] = {}

    def __call__(self, people: Sequence[Person], seed: bytes) -> Allocated:
        """Allocate one person after the other, each with everybody before counted."""
        margins, given = Margins(self._design), []
        for seq, person in enumerate(people, start=1):
            members = [person.levels]
            draw = minimise(margins, members=members, seq=seq, seed=seed)
            margins.add(draw.working_arm, members)
            given.append(self._given(draw))
        return Allocated(given)

    def _given(self, draw: Draw) -> Given:
        if draw.tied is None:
            return Given(draw.arm, self._burn_in_chances, None)
        tied = tuple(draw.tied)
        chances = self._known.get(tied) or self._known.setdefault(tied, self._chances(tied))
        return Given(draw.arm, chances, draw.working_arm != draw.preferred)

    def _chances(self, tied: tuple[int, ...]) -> tuple[float, ...]:
        """The probability of each arm: which of the tied is preferred, then the coin (4.4)."""
        rho = self._design.rho
        total = sum(rho[arm] for arm in tied)
        coins = [(Fraction(rho[arm], total), self._coins[arm]) for arm in tied]
        chances = [sum((share * coin[arm] for share, coin in coins), Fraction(0)) for arm in range(len(rho))]
        return self._by_arm(chances)

    def _by_arm(self, by_working_arm: Sequence[Fraction]) -> tuple[float, ...]:
        """Added up exactly, so that a certain allocation has a chance of exactly 1."""
        chances = [Fraction(0)] * self._n_arms
        for working, chance in enumerate(by_working_arm):
            chances[self._design.arm_of(working)] += chance
        return tuple(float(chance) for chance in chances)


def _shares(coin: tuple[int, ...]) -> list[Fraction]:
    total = sum(coin)
    return [Fraction(weight, total) for weight in coin]
