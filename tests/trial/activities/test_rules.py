"""Groups, members and sessions: values in, value out."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import pairwise
from types import SimpleNamespace

import pytest

from tests.trial.activities.builders import spec_of
from trial.activities import rules


@dataclass
class Member:
    from_date: date
    to_date: date | None = None


@dataclass
class Change:
    effective_date: date
    elements: dict[str, bool] = field(default_factory=dict)


def test_a_session_keeps_its_time_on_the_clock_when_the_clocks_change():
    before = rules.session_times(date(2026, 3, 26), time(10), 120)
    after = rules.session_times(date(2026, 4, 2), time(10), 120)

    assert before == (datetime(2026, 3, 26, 10, tzinfo=UTC), datetime(2026, 3, 26, 12, tzinfo=UTC))
    assert after == (datetime(2026, 4, 2, 9, tzinfo=UTC), datetime(2026, 4, 2, 11, tzinfo=UTC))


def test_a_group_has_the_sessions_that_the_protocol_plans():
    plan = rules.plan(spec_of("greenrx_f"), date(2026, 6, 4), time(10))

    assert [meeting.number for meeting in plan] == list(range(1, 11))
    assert {(b.starts_at - a.starts_at).days for a, b in pairwise(plan)} == {7}
    assert {(meeting.ends_at - meeting.starts_at).seconds // 60 for meeting in plan} == {120}


def test_another_protocol_plans_otherwise():
    plan = rules.plan(spec_of("northbank"), date(2026, 6, 4), time(10))

    assert len(plan) == 6
    assert (plan[1].starts_at - plan[0].starts_at).days == 14


def test_a_session_on_a_bank_holiday_keeps_its_date_and_is_named():
    spec = spec_of("greenrx_f")
    days = [meeting.starts_at.date() for meeting in rules.plan(spec, date(2026, 8, 24), time(10))]

    assert rules.on_bank_holidays(spec, days) == [date(2026, 8, 31)]
    assert date(2026, 8, 31) in days


@pytest.mark.parametrize("name", ["Nature walk", "Thursday INDOORS", "indoor-craft", "Group of nature lovers"])
def test_a_name_that_tells_the_arm_is_found(name):
    assert rules.word_that_tells(name, spec_of("greenrx_f").arms)


@pytest.mark.parametrize("name", ["Thursday morning group", "Group 2", "Tuesdays at ten", "Kestrel group"])
def test_a_name_that_tells_nothing_passes(name):
    assert rules.word_that_tells(name, spec_of("greenrx_f").arms) == ""


def test_words_of_another_protocol_tell_its_arms():
    arms = spec_of("northbank").arms

    assert rules.word_that_tells("Kestrel group", arms) == "kestrel"
    assert rules.word_that_tells("Programme on Mondays", arms) == ""


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 6, 3), False),
        (date(2026, 6, 4), True),
        (date(2026, 7, 9), True),
        (date(2026, 7, 10), False),
    ],
)
def test_both_ends_of_a_membership_count(day, expected):
    assert rules.is_expected(Member(date(2026, 6, 4), date(2026, 7, 9)), [], day) is expected


def test_whoever_stopped_the_activity_is_not_expected_from_that_day():
    member = Member(date(2026, 6, 4))
    stopped = [Change(date(2026, 7, 2), {"activity": False})]

    assert rules.is_expected(member, stopped, date(2026, 7, 1))
    assert not rules.is_expected(member, stopped, date(2026, 7, 2))


def test_whoever_stopped_questionnaires_alone_is_expected():
    stopped = [Change(date(2026, 7, 2), {"questionnaires_web": False})]

    assert rules.is_expected(Member(date(2026, 6, 4)), stopped, date(2026, 7, 9))


def test_a_first_session_later_than_the_protocol_allows_is_counted_in_days():
    spec = spec_of("greenrx_f")

    assert rules.days_late(spec, date(2026, 6, 1), date(2026, 6, 29)) == 0
    assert rules.days_late(spec, date(2026, 6, 1), date(2026, 7, 2)) == 3


def test_arms_that_share_every_word_tell_nothing():
    arms = [SimpleNamespace(label="Group", code="group"), SimpleNamespace(label="group", code="group")]

    assert rules.telling_words(arms) == frozenset()
