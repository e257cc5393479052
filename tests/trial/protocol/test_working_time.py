"""Working days and hours, in the calendar of GREENRX-F: Monday to Friday, 9am to 5pm."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trial.protocol import working_time
from trial.protocol.working_time import LONDON

THURSDAY_BEFORE_EASTER = date(2026, 4, 2)
"""3 April is Good Friday, 6 April Easter Monday."""


def local(*parts):
    return datetime(*parts, tzinfo=LONDON)


@pytest.mark.parametrize(
    ("start", "n_days", "expected"),
    [
        (date(2026, 7, 9), 0, date(2026, 7, 9)),
        (date(2026, 7, 9), 3, date(2026, 7, 14)),
        (date(2026, 7, 11), 0, date(2026, 7, 13)),
        (date(2026, 7, 11), 1, date(2026, 7, 14)),
        (THURSDAY_BEFORE_EASTER, 1, date(2026, 4, 7)),
        (THURSDAY_BEFORE_EASTER, 5, date(2026, 4, 13)),
    ],
)
def test_working_days_leave_out_weekends_and_bank_holidays(greenrx, start, n_days, expected):
    assert working_time.add_working_days(greenrx, start, n_days) == expected


@given(st.dates(date(2025, 1, 1), date(2028, 12, 31)), st.integers(0, 30))
def test_working_days_added_are_working_days_counted(greenrx, day, n_days):
    start = working_time.add_working_days(greenrx, day, 0)

    end = working_time.add_working_days(greenrx, start, n_days)

    assert working_time.is_working_day(greenrx, end)
    assert working_time.working_days_between(greenrx, start, end) == n_days


def test_no_working_days_lie_between_a_day_and_an_earlier_one(greenrx):
    assert working_time.working_days_between(greenrx, date(2026, 7, 9), date(2026, 7, 1)) == 0


@pytest.mark.parametrize(
    ("raised", "due"),
    [
        (local(2026, 7, 9, 10, 0), local(2026, 7, 9, 14, 0)),
        (local(2026, 7, 9, 13, 0), local(2026, 7, 9, 17, 0)),
        (local(2026, 7, 9, 15, 30), local(2026, 7, 10, 11, 30)),
        (local(2026, 7, 9, 7, 0), local(2026, 7, 9, 13, 0)),
        (local(2026, 7, 10, 17, 0), local(2026, 7, 13, 13, 0)),
        (local(2026, 7, 11, 12, 0), local(2026, 7, 13, 13, 0)),
        (local(2026, 4, 2, 16, 0), local(2026, 4, 7, 12, 0)),
        (datetime(2026, 7, 9, 9, 0, tzinfo=UTC), local(2026, 7, 9, 14, 0)),
    ],
)
def test_an_alert_escalates_after_four_working_hours(greenrx, raised, due):
    assert working_time.escalation_due(greenrx, raised) == due


def test_working_hours_have_the_same_length_when_the_clocks_change(greenrx):
    friday = local(2026, 3, 27, 15, 0)

    due = working_time.add_working_hours(greenrx, friday, 4)

    assert due == local(2026, 3, 30, 11, 0)
    assert due - friday.astimezone(UTC) == timedelta(days=2, hours=19)


@pytest.mark.parametrize(
    ("raised", "due"),
    [
        (local(2026, 7, 9, 16, 59), local(2026, 7, 9, 17, 0)),
        (local(2026, 7, 9, 17, 0), local(2026, 7, 10, 17, 0)),
        (local(2026, 7, 11, 3, 0), local(2026, 7, 13, 17, 0)),
        (local(2026, 7, 9, 3, 0), local(2026, 7, 9, 17, 0)),
    ],
)
def test_first_contact_is_due_on_the_same_working_day(greenrx, raised, due):
    assert working_time.first_contact_due(greenrx, raised) == due


def test_a_protocol_may_allow_another_day_for_the_first_contact(northbank):
    assert working_time.first_contact_due(northbank, local(2026, 7, 10, 11, 0)) == local(2026, 7, 13, 16, 0)
