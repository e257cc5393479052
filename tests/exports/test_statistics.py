"""Counts of the codebook."""

from dataclasses import replace

from exports.model import Type
from exports.statistics import summarise
from tests.exports.small import PEOPLE, ROWS, variable


def test_codes_missing_codes_and_ranges_are_counted():
    found = summarise(PEOPLE, ROWS["participants"])

    age, sex, mean = found.columns["age"], found.columns["sex"], found.columns["mean_score"]
    assert found.n_rows == 3
    assert (age.n_valid, age.missing, age.least, age.median, age.greatest) == (1, {-92: 1, -99: 1}, 44, 44, 44)
    assert (sex.frequencies, sex.missing) == ({1: 1, 2: 1}, {-92: 1})
    assert (mean.least, mean.median, mean.greatest, mean.n_blank) == (0, 1.75, 3.5, 1)
    assert "note" not in found.columns


def test_a_median_between_two_values_is_their_mean():
    table = replace(PEOPLE, key=("n",), variables=(variable("n", Type.INTEGER),))

    found = summarise(table, [[1], [2], [2], [7]])

    assert found.columns["n"].median == 2


def test_an_empty_column_has_no_range():
    found = summarise(PEOPLE, [])

    assert found.columns["age"].least is None
