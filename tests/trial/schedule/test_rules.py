"""Windows and visit statuses, as the reference's vectors and BR-30, BR-31 have them."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trial.schedule.rules import (
    VisitStatus,
    WindowStatus,
    local_date,
    place,
    visit_status,
    window_case,
    window_status,
)

VECTORS = json.loads((Path(__file__).parent / "visit_window_vectors.json").read_text("utf-8"))
OPENS, CLOSES, NEXT = date(2026, 7, 2), date(2026, 7, 23), date(2026, 9, 24)
days = st.dates(date(2020, 1, 1), date(2035, 1, 1))
spans = st.integers(0, 400)


@pytest.mark.parametrize("case", VECTORS, ids=[case["id"] for case in VECTORS])
def test_the_reference_vectors_of_visit_windows_hold(case):
    assert window_case(case["input"]) == case["expected"]


@given(day0=days, target=spans, before=spans, after=spans, offset=st.integers(-800, 800))
def test_a_day_is_in_the_window_exactly_when_it_lies_between_both_ends(day0, target, before, after, offset):
    on = day0 + timedelta(days=target + offset)

    placed = place(on=on, day0=day0, target_day=target, days_before=before, days_after=after)

    assert placed.offset == offset
    assert placed.day == target + offset
    assert (placed.status is WindowStatus.IN_WINDOW) == (-before <= offset <= after)
    assert (placed.status is WindowStatus.EARLY) == (offset < -before)
    assert (placed.closes - placed.opens).days == before + after


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 3, 28, 23, 59, tzinfo=UTC), date(2026, 3, 28)),  # the night before clocks go forward
        (datetime(2026, 3, 29, 23, 30, tzinfo=UTC), date(2026, 3, 30)),  # summer time: half past midnight
        (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), date(2026, 10, 25)),  # still summer time
        (datetime(2026, 10, 25, 23, 30, tzinfo=UTC), date(2026, 10, 25)),  # winter time again
    ],
)
def test_day_0_is_the_local_day_of_randomisation_also_when_the_clocks_change(moment, expected):
    assert local_date(moment) == expected


@given(hour=st.integers(0, 23), n=st.integers(0, 300))
def test_day_n_is_the_calendar_date_plus_n_whatever_the_clocks_do(hour, n):
    randomised_at = datetime(2026, 3, 28, hour, 30, tzinfo=UTC)

    day0 = local_date(randomised_at)

    assert place(on=day0 + timedelta(days=n), day0=day0, target_day=n, days_before=0, days_after=0).offset == 0


def status(today, **facts):
    given = {"opens": OPENS, "closes": CLOSES, "missed_from": NEXT, "answered_on": [], "is_complete": False}
    return visit_status(today=today, **{**given, **facts})


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 7, 1), VisitStatus.NOT_DUE),
        (date(2026, 7, 2), VisitStatus.OPEN),
        (date(2026, 7, 23), VisitStatus.OPEN),
        (date(2026, 7, 24), VisitStatus.OVERDUE),
        (date(2026, 9, 23), VisitStatus.OVERDUE),
        (date(2026, 9, 24), VisitStatus.MISSED),
    ],
)
def test_a_visit_without_answers_goes_from_not_due_to_missed(today, expected):
    assert status(today) is expected


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (date(2026, 7, 1), VisitStatus.DONE_EARLY),
        (date(2026, 7, 2), VisitStatus.DONE),
        (date(2026, 7, 23), VisitStatus.DONE),
        (date(2026, 9, 23), VisitStatus.DONE_LATE),
        (date(2026, 9, 24), VisitStatus.MISSED),
    ],
)
def test_a_complete_visit_is_done_early_or_late_until_the_next_window_opens(answered, expected):
    assert status(date(2026, 12, 1), answered_on=[answered], is_complete=True) is expected


def test_a_started_visit_is_open_until_it_is_complete():
    assert status(date(2026, 7, 10), answered_on=[date(2026, 7, 9)]) is VisitStatus.OPEN


def test_some_answers_in_time_make_a_visit_done_once_the_next_window_is_open():
    assert status(NEXT, answered_on=[date(2026, 7, 9)]) is VisitStatus.DONE


def test_a_visit_whose_forms_were_all_not_done_is_missed():
    assert status(date(2026, 7, 10), is_complete=True) is VisitStatus.MISSED


def test_the_last_visit_stays_overdue():
    assert status(date(2027, 7, 10), missed_from=None) is VisitStatus.OVERDUE


def test_a_visit_is_not_expected_of_somebody_who_stopped_unless_answers_exist():
    assert status(date(2026, 7, 10), is_expected=False) is VisitStatus.NOT_EXPECTED
    assert status(date(2026, 7, 10), is_expected=False, answered_on=[date(2026, 7, 9)]) is VisitStatus.DONE


def test_a_visit_before_randomisation_stays_open_while_day_0_is_not_known():
    assert status(date(2026, 12, 1), closes=None, missed_from=None) is VisitStatus.OPEN
    assert (
        status(date(2026, 7, 9), closes=None, missed_from=None, answered_on=[OPENS], is_complete=True)
        is VisitStatus.DONE
    )


@given(today=days, offset=st.integers(-200, 400))
def test_window_status_agrees_with_the_status_of_a_complete_visit(today, offset):
    answered = OPENS + timedelta(days=offset)

    found = status(today, answered_on=[answered], is_complete=True, missed_from=None)

    expected = {
        WindowStatus.EARLY: VisitStatus.DONE_EARLY,
        WindowStatus.IN_WINDOW: VisitStatus.DONE,
        WindowStatus.LATE: VisitStatus.DONE_LATE,
    }
    assert found is expected[window_status(answered, OPENS, CLOSES)]
