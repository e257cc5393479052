"""Minimisation with a biased coin, in whole numbers (randomisation.md 4.4)."""

from dataclasses import dataclass

from randomisation.engine.margins import Design, Margins, Members
from randomisation.engine.source import Stream

__all__ = ["BURN_IN", "MINIMISE", "PURPOSE", "Design", "Draw", "Margins", "Members", "minimise", "scores", "weights"]

PURPOSE = "min"
BURN_IN = "burn_in"
MINIMISE = "minimise"


@dataclass(frozen=True, slots=True, repr=False)
class Draw:
    """One allocation and how it came about. As secret as its arm, so its repr is constant."""

    step: str
    """`burn_in` or `minimise`."""
    scores: list[int] | None
    """By working arm, lower is better; None in the burn-in, as the next two."""
    tied: list[int] | None
    """The working arms with the lowest score, ascending."""
    preferred: int | None
    working_arm: int
    arm: int
    words: int
    """How many words of the stream were used."""

    def __repr__(self) -> str:
        return "<Draw>"


def minimise(margins: Margins, *, members: Members, seq: int, seed: bytes) -> Draw:
    """Draw the arm of allocation number `seq`. Counts nobody: see `Margins.add`.

    The draw depends on seed, number, margins and members only, so repeating it cannot change it (2.1).
    """
    design = margins.design
    stream = Stream(seed, scheme=design.scheme, revision=design.revision, purpose=PURPOSE, key=str(seq))
    if seq <= design.burn_in:
        working_arm = stream.weighted(design.rho)
        return Draw(BURN_IN, None, None, None, working_arm, design.arm_of(working_arm), stream.words_used)
    found = scores(margins, members)
    lowest = min(found)
    tied = [arm for arm, score in enumerate(found) if score == lowest]
    preferred = tied[stream.weighted(tuple(design.rho[arm] for arm in tied))]
    working_arm = stream.weighted(weights(design, preferred))
    return Draw(MINIMISE, found, tied, preferred, working_arm, design.arm_of(working_arm), stream.words_used)


def scores(margins: Margins, members: Members) -> list[int]:
    """The imbalance that each working arm would leave behind, by working arm; lower is better."""
    design = margins.design
    imbalance = _IMBALANCES[design.imbalance]
    totals = [0] * len(design.rho)
    for weight, n_members, counts in _margins_of(margins, members):
        adjusted = [count * scale for count, scale in zip(counts, design.scale, strict=True)]
        for arm, left in enumerate(imbalance(adjusted, n_members, design.scale)):
            totals[arm] += weight * left
    return totals


def weights(design: Design, preferred: int) -> tuple[int, ...]:
    """How the biased coin weighs each working arm when `preferred` has the lowest score (Han and colleagues)."""
    a_complement = design.p.denominator - design.p.numerator
    ratio_sum = sum(design.rho)
    coin = [share * a_complement for share in design.rho]
    coin_sum = (ratio_sum - min(design.rho)) * design.p.denominator
    coin[preferred] = coin_sum - (ratio_sum - design.rho[preferred]) * a_complement
    return tuple(coin)


def _margins_of(margins: Margins, members: Members) -> list[tuple[int, int, list[int]]]:
    """Weight, members of the unit, and people so far by working arm: for each level that the unit carries."""
    found = []
    if margins.design.overall_weight:
        found.append((margins.design.overall_weight, len(members), margins.overall))
    for factor, cells in zip(margins.design.factors, margins.levels, strict=True):
        carried = [member[factor.code] for member in members]
        for level in dict.fromkeys(carried):
            found.append((factor.weight, carried.count(level), cells[level]))
    return found


def _range(adjusted: list[int], n_members: int, scale: tuple[int, ...]) -> list[int]:
    lowest, second = sorted(adjusted)[:2]
    highest = max(adjusted)
    found = []
    for now, each in zip(adjusted, scale, strict=True):
        after = now + n_members * each
        lowest_of_others = second if now == lowest else lowest
        found.append(max(highest, after) - min(lowest_of_others, after))
    return found


def _variance(adjusted: list[int], n_members: int, scale: tuple[int, ...]) -> list[int]:
    n_arms, total = len(adjusted), sum(adjusted)
    squares = sum(now * now for now in adjusted)
    found = []
    for now, each in zip(adjusted, scale, strict=True):
        more = n_members * each
        found.append(n_arms * (squares + more * (2 * now + more)) - (total + more) ** 2)
    return found


def _total(adjusted: list[int], n_members: int, scale: tuple[int, ...]) -> list[int]:
    return [n_members * now for now in adjusted]


_IMBALANCES = {"range": _range, "variance": _variance, "total": _total}
