"""The funnel of the demonstration, planned before anything happens."""

from collections import Counter
from datetime import date

import pytest

from tests.trial.demo.test_calendar import calendar_on
from trial.demo.plan import CAST, ENDINGS, Part, counts, plans
from trial.participants.models import Status

CALENDAR = calendar_on(date(2026, 11, 22))


def test_the_whole_story_has_the_funnel_of_the_reference():
    """domain.md F2: contact 214/260, not pre-screened out 183, consent 138, eligible 108, randomised 96."""
    drawn = Counter(plan.ending for plan in plans(CALENDAR, "seed", 96))

    assert drawn == Counter(ENDINGS)
    assert drawn.total() == 260
    assert 260 - drawn[Status.REFERRED] - drawn[Status.NOT_CONTACTABLE] == 214
    assert 214 - drawn[Status.PRESCREEN_INELIGIBLE] == 183


@pytest.mark.parametrize("n", [6, 24])
def test_a_small_story_still_has_every_ending(n):
    assert set(counts(n)) == set(ENDINGS)
    assert min(counts(n).values()) >= 1


def test_every_part_is_played_by_somebody_else():
    for n in (24, 96):
        cast = Counter(plan.part for plan in plans(CALENDAR, "seed", n) if plan.part)

        assert set(cast) == set(Part) == set(CAST)
    assert cast == Counter({part: len(places) for part, places in CAST.items()})


def test_nobody_reaches_a_status_today_or_before_their_site_opened():
    for plan in plans(CALENDAR, "seed", 96):
        assert CALENDAR.opens(plan.site) < plan.last_day < CALENDAR.today


def test_the_same_seed_plans_the_same_people():
    assert plans(CALENDAR, "seed", 24) == plans(CALENDAR, "seed", 24)
    assert plans(CALENDAR, "seed", 24) != plans(CALENDAR, "other", 24)
