"""Exact numbers: whole numbers and fractions in, one rounding at the end, never binary floating point."""

from decimal import Decimal
from fractions import Fraction

Number = int | Decimal
"""A number of a definition or a reported value: prints as it was written."""

Exact = int | Fraction
"""A number that is calculated with."""


def exact(number: Number) -> Exact:
    """The same number, ready for exact arithmetic."""
    return number if isinstance(number, int) else Fraction(number)


def round_half_up(value: Exact, places: int) -> Number:
    """Round to `places` decimals; a half goes up (2.5 gives 3, -2.5 gives -2).

    Returns a whole number at 0 places and a decimal above.
    """
    if not places and isinstance(value, int):
        return value
    scaled = (2 * value.numerator * 10**places + value.denominator) // (2 * value.denominator)
    return Decimal(f"{scaled}E-{places}") if places else scaled
