from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.exact import exact, round_half_up


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        (Fraction(5, 2), 0, 3),
        (Fraction(-5, 2), 0, -2),
        (Fraction(9, 4), 0, 2),
        (Fraction(63, 8), 4, Decimal("7.8750")),
        (Fraction(13, 3), 2, Decimal("4.33")),
        (Fraction(1005, 1000), 2, Decimal("1.01")),
        (7, 0, 7),
        (7, 2, Decimal("7.00")),
    ],
)
def test_a_half_is_rounded_up(value, places, rounded):
    result = round_half_up(value, places)

    assert result == rounded
    assert type(result) is type(rounded)
    assert str(result) == str(rounded)


@given(st.fractions(), st.integers(0, 6))
def test_rounding_moves_a_value_by_at_most_half_a_step(value, places):
    moved = exact(round_half_up(value, places)) - value

    assert -Fraction(1, 2 * 10**places) < moved <= Fraction(1, 2 * 10**places)


def test_a_decimal_becomes_an_exact_fraction():
    assert exact(Decimal("0.1")) == Fraction(1, 10)
    assert exact(3) == 3
