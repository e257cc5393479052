"""Statuses that change because a day has come (T13 to T16)."""

from datetime import time, timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, give_role, make_user
from trial.access.policy import Role
from trial.activities.models import ActivityGroup, Membership, Provider, Venue
from trial.locking.models import DatasetLock
from trial.operations import statuses
from trial.participants.models import Referral, Status, StatusEvent
from trial.protocol import rules as protocol_rules

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial(clock):
    return Trial().open_randomisation()


def join(trial, participant, *, starts):
    leader = give_role(make_user(), Role.ACTIVITY_LEADER, trial.site)
    group = ActivityGroup(
        site=trial.site,
        name=f"Group {participant.pk}",
        arm_number=0,
        venue=Venue(provider=Provider(name=f"P{participant.pk}").save_by(None), name=f"V{participant.pk}").save_by(
            None
        ),
        leader=leader,
        start_date=starts,
        start_time=time(10),
        duration_min=120,
        min_size=1,
        max_size=12,
    ).save_by(None)
    return Membership(participant=participant, group=group, from_date=min(starts, TODAY)).save_by(None)


def status(participant):
    return Referral.objects.get(pk=participant.referral_id).status


def test_the_first_session_day_brings_people_into_the_activity(trial):
    today, later = trial.randomised(), trial.randomised()
    join(trial, today, starts=TODAY)
    join(trial, later, starts=TODAY + timedelta(days=1))

    assert statuses.advance(at=NOW) == 1
    assert statuses.advance(at=NOW) == 0

    assert (status(today), status(later)) == (Status.IN_ACTIVITY, Status.RANDOMISED)
    event = StatusEvent.objects.filter(referral=today.referral).last()
    assert (event.transition, event.by, event.role) == ("T13", None, "system")


def test_the_end_of_the_activity_brings_people_into_follow_up(trial):
    participant = trial.randomised(at=NOW - timedelta(days=100))
    starts = TODAY - timedelta(days=99)
    join(trial, participant, starts=starts)

    assert protocol_rules.activity_ends(trial.spec, starts) < TODAY
    assert statuses.advance(at=NOW) == 1

    assert status(participant) == Status.FOLLOW_UP


def test_the_close_of_the_last_window_completes_people(trial):
    participant = trial.randomised()
    join(trial, participant, starts=TODAY)

    statuses.advance(at=NOW + timedelta(days=210))

    assert status(participant) == Status.COMPLETED


def test_people_for_whom_no_day_has_come_are_not_looked_at(trial, django_assert_max_num_queries):
    for _ in range(3):
        trial.randomised()

    with django_assert_max_num_queries(3):
        assert statuses.advance(at=NOW) == 0


def test_after_a_lock_people_stay_where_they_are(trial):
    participant = trial.randomised()
    join(trial, participant, starts=TODAY)
    DatasetLock(
        code="L001",
        kind="final",
        state="locked",
        reason="End",
        data_through=TODAY,
        asked_by=trial.coordinator,
        asked_at=NOW,
        agreed_by=trial.investigator,
        locked_at=NOW,
    ).save_by(None)

    assert statuses.advance(at=NOW) == 0
    assert status(participant) == Status.RANDOMISED
