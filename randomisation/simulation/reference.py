"""Known shares of correct guesses of the convergence strategy, two arms 1:1 (randomisation.md section 11).

What the simulator must come to, whatever else it reports.
"""

import math
from fractions import Fraction

SIMPLE = Fraction(1, 2)


def blocks(size: int) -> Fraction:
    """Whole blocks of one even size: the only exact value for any number of complete blocks."""
    half = size // 2
    return (half + Fraction(4**half, math.comb(size, half)) / 2 - Fraction(1, 2)) / size


def big_stick(mti: int) -> Fraction:
    """Big stick with the maximum tolerated imbalance `mti`, in the long run."""
    return Fraction(1, 2) + Fraction(1, 4 * mti)


def efron(p: Fraction) -> Fraction:
    """Efron's biased coin, 1/2 < p < 1, in the long run: minimisation of the overall count only."""
    odds = p / (1 - p)
    return Fraction(1, 2) + (odds - 1) / (4 * odds)
