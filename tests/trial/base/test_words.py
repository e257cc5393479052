from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from trial.base import words


def test_dates_are_written_out_and_shortened():
    day = date(2026, 11, 2)

    assert words.long_date(day) == "2 November 2026"
    assert words.short_date(day) == "2 Nov 2026"
    assert words.day_and_month(day) == "2 Nov"


@pytest.mark.parametrize(
    ("clock", "written"),
    [
        (time(14, 30), "2:30pm"),
        (time(9), "9am"),
        (time(0), "12am"),
        (time(12), "12pm"),
        (time(0, 5), "12:05am"),
        (time(23, 59), "11:59pm"),
    ],
)
def test_times_are_on_the_twelve_hour_clock(clock, written):
    assert words.clock_time(clock) == written


def test_moments_are_told_in_uk_time_on_both_sides_of_the_clock_change():
    summer, winter = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    assert words.date_and_time(summer) == "25 October 2026 at 1:30am"
    assert words.short_date_and_time(winter) == "25 Oct 2026, 1:30am"
    assert words.local_day(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == date(2026, 7, 1)


def test_identifiers_are_grouped_to_be_read_aloud():
    assert words.in_groups("9990000018") == "999 000 0018"
    assert words.in_groups("999 000 0018") == "999 000 0018"
    assert words.in_groups("7c1e90b42da6") == "7c1e 90b4 2da6"


@pytest.mark.parametrize(
    ("share", "places", "written"),
    [(0.754, 1, "75.4%"), (Decimal("0.7545"), 1, "75.5%"), (1, 0, "100%"), (0, 1, "0.0%"), (0.125, 0, "13%")],
)
def test_shares_are_rounded_as_people_do(share, places, written):
    assert words.percent(share, places) == written


def test_a_sentence_goes_on_in_lower_case_unless_it_starts_with_an_abbreviation():
    assert words.lower_first("Date of consent") == "date of consent"
    assert words.lower_first("GP practice") == "GP practice"
    assert words.lower_first("") == ""
