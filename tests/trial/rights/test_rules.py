"""Due dates by calendar months, ends of keeping, the 72 hours."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trial.rights import rules


@pytest.mark.parametrize(
    ("received", "due", "extended"),
    [
        (date(2026, 7, 9), date(2026, 8, 9), date(2026, 10, 9)),
        (date(2026, 1, 31), date(2026, 2, 28), date(2026, 4, 30)),
        (date(2028, 1, 31), date(2028, 2, 29), date(2028, 4, 30)),
        (date(2026, 3, 31), date(2026, 4, 30), date(2026, 6, 30)),
        (date(2026, 11, 30), date(2026, 12, 30), date(2027, 2, 28)),
        (date(2026, 12, 31), date(2027, 1, 31), date(2027, 3, 31)),
    ],
)
def test_an_answer_is_due_after_a_calendar_month_or_three(received, due, extended):
    """ICO, right of access: the corresponding day, or the last day of a shorter month."""
    assert rules.due_date(received) == due
    assert rules.due_date(received, is_extended=True) == extended


@given(st.dates(date(2020, 1, 1), date(2060, 1, 1)), st.integers(0, 240))
def test_months_never_skip_one(day, months):
    later = rules.months_after(day, months)

    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


def test_identity_and_research_data_have_ends_of_their_own():
    kept = rules.retention(date(2027, 3, 22), identity_months=12, research_months=120)

    assert kept == rules.Retention(date(2028, 3, 22), date(2037, 3, 22))
    assert rules.retention(None, identity_months=12, research_months=120) == rules.Retention(None, None)


FRIDAY = datetime(2026, 7, 10, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "words", "is_over"),
    [(0, "72 h 0 min left", False), (71, "1 h 0 min left", False), (72, "over since 0 h 0 min", True)],
)
def test_the_72_hours_run_over_a_weekend(hours, words, is_over):
    clock = rules.breach_clock(FRIDAY, FRIDAY + timedelta(hours=hours))

    assert (clock.words, clock.is_over) == (words, is_over)
    assert clock.ends_at == datetime(2026, 7, 13, 16, 30, tzinfo=UTC)


def test_a_breach_is_warned_of_a_day_before_its_time_is_over():
    assert rules.warns_at(FRIDAY) == FRIDAY + timedelta(hours=48)
