"""The demonstration's calendar: whole weeks, weekdays, two waves at each site."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from trial.demo.calendar import Calendar, meeting_day, weeks_to_shift
from trial.demo.setting import protocol_data
from trial.protocol.reading import read


def calendar_on(day: date) -> Calendar:
    _, spec = read(json.dumps(protocol_data(day)).encode())
    return Calendar(spec, datetime(day.year, day.month, day.day, 12, tzinfo=UTC))


@pytest.mark.parametrize("today", [date(2026, 11, 22), date(2027, 1, 4), date(2028, 2, 29)])
def test_recruitment_ended_seventeen_weeks_ago_or_up_to_six_days_before(today):
    ends = date(2026, 8, 31)

    moved = ends + timedelta(weeks=weeks_to_shift(ends, today))

    assert 17 * 7 <= (today - moved).days <= 17 * 7 + 6
    assert moved.weekday() == ends.weekday()


def test_the_moved_protocol_leaves_places_to_randomise():
    data = protocol_data(date(2026, 11, 22))

    assert data["recruitment"]["target"] == sum(site["target"] for site in data["sites"]) == 102


@pytest.mark.parametrize(
    ("today", "meets"), [(date(2026, 7, 9), date(2026, 7, 9)), (date(2026, 11, 22), date(2026, 11, 20))]
)
def test_a_group_meets_today_or_on_the_friday_before(today, meets):
    assert meeting_day(today) == meets


@pytest.mark.parametrize("offset", range(7))
def test_the_groups_of_a_site_meet_on_four_weekdays_and_one_of_them_today(offset):
    calendar = calendar_on(date(2026, 11, 16) + timedelta(days=offset))

    for site in ("01", "02", "03"):
        starts = [start for wave in calendar.waves(site) for start in wave.starts]
        assert len({start.weekday() for start in starts}) == 4
        assert all(start.weekday() < 5 for start in starts)
    assert calendar.waves("01")[1].starts[0] == meeting_day(calendar.today) - timedelta(weeks=4)


def test_working_days_leave_out_weekends_and_bank_holidays():
    calendar = calendar_on(date(2026, 11, 22))

    assert calendar.working(date(2026, 4, 6)) == date(2026, 4, 2)  # Easter Monday
    assert calendar.next_working(date(2026, 4, 3)) == date(2026, 4, 7)
