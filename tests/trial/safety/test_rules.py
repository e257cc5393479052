"""Clocks and words of alerts."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.trial.assessments.builders import study
from trial.safety import rules

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("raised_at", "contact_due", "escalates_at"),
    [
        # Thursday 9 July 2026, 11am in London
        (
            datetime(2026, 7, 9, 10, tzinfo=UTC),
            datetime(2026, 7, 9, 16, tzinfo=UTC),
            datetime(2026, 7, 9, 14, tzinfo=UTC),
        ),
        # Friday evening counts from Monday morning
        (
            datetime(2026, 7, 10, 18, tzinfo=UTC),
            datetime(2026, 7, 13, 16, tzinfo=UTC),
            datetime(2026, 7, 13, 12, tzinfo=UTC),
        ),
        # Saturday before the clocks go back on 25 October 2026: Monday has winter time
        (
            datetime(2026, 10, 24, 9, tzinfo=UTC),
            datetime(2026, 10, 26, 17, tzinfo=UTC),
            datetime(2026, 10, 26, 13, tzinfo=UTC),
        ),
    ],
)
def test_an_urgent_alert_is_due_the_same_working_day_and_escalates_after_4_working_hours(
    raised_at, contact_due, escalates_at
):
    clock = rules.alert_clock(study().spec, "urgent", raised_at)

    assert (clock.contact_due, clock.escalates_at) == (contact_due, escalates_at)


def test_a_review_is_due_by_the_end_of_the_next_working_day_and_does_not_escalate():
    clock = rules.alert_clock(study().spec, "review", datetime(2026, 7, 10, 10, tzinfo=UTC))

    assert (clock.contact_due, clock.escalates_at) == (datetime(2026, 7, 13, 16, tzinfo=UTC), None)


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=30), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=49), "2 days"),
        (timedelta(hours=-1), "less than a minute"),
    ],
)
def test_an_age_is_said_in_its_largest_whole_unit(passed, words):
    start = datetime(2026, 7, 9, tzinfo=UTC)

    assert rules.age_words(start, start + passed) == words
