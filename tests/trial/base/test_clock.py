from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trial.base.clock import local_moment, parse_clock, parse_month


@pytest.mark.parametrize("typed", ["3", "03", "Mar", "March", "march", "MAR.", "Mawrth", "maw"])
def test_a_month_may_be_typed_as_number_or_word(typed):
    assert parse_month(typed) == 3


@pytest.mark.parametrize("typed", ["", "0", "13", "003", "ma", "Marsh", "٣", "-3", "1.0"])
def test_what_is_no_month_is_none(typed):
    assert parse_month(typed) is None


def test_september_is_also_sept():
    assert parse_month("Sept") == 9


@pytest.mark.parametrize(
    ("typed", "clock"),
    [
        ("2:30pm", time(14, 30)),
        ("2.30 PM", time(14, 30)),
        ("2pm", time(14)),
        ("14:30", time(14, 30)),
        ("1430", time(14, 30)),
        ("12am", time(0)),
        ("12:15pm", time(12, 15)),
        ("9:05", time(9, 5)),
        ("2:30p.m.", time(14, 30)),
        ("noon", time(12)),
        ("Midnight", time(0)),
    ],
)
def test_a_time_may_be_typed_on_either_clock(typed, clock):
    assert parse_clock(typed) == clock


@pytest.mark.parametrize("typed", ["", "9", "25:00", "13pm", "0am", "12:60", "2:3", "now", "2:30m", "٢:٣٠", "-1:30"])
def test_what_is_no_time_is_none(typed):
    assert parse_clock(typed) is None


@given(st.text(max_size=12))
def test_any_text_is_a_time_a_month_or_none(typed):
    assert isinstance(parse_clock(typed), time | None)
    assert parse_month(typed) in {None, *range(1, 13)}


def test_the_hour_that_the_clock_change_skips_is_not_a_moment():
    assert local_moment(date(2026, 3, 29), time(1, 30)) is None
    assert local_moment(date(2026, 3, 29), time(2, 0)).utcoffset().total_seconds() == 3600


def test_the_hour_that_repeats_is_taken_the_first_time():
    assert local_moment(date(2026, 10, 25), time(1, 30)).utcoffset().total_seconds() == 3600
