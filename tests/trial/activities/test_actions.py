"""Groups made, members in and out, sessions cancelled, moved and checked."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial, staff
from tests.trial.activities.builders import FIRST, fill, join, make_group, make_participant, make_venue, session_of
from trial.access.policy import Role
from trial.activities import actions, reads
from trial.activities.models import Membership, Session
from trial.messages.models import Task
from trial.participation.models import ParticipationChange

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


def test_a_group_is_made_with_its_sessions_and_the_protocols_sizes(trial):
    group = make_group(trial)

    assert group.sessions.count() == 10
    assert (group.min_size, group.max_size, group.duration_min) == (5, 12, 120)
    assert group.sessions.get(number=1).starts_at == datetime(2026, 6, 4, 9, tzinfo=UTC)
    assert group.sessions.get(number=6).starts_at == datetime(2026, 7, 9, 9, tzinfo=UTC)


def test_a_name_that_tells_the_arm_is_refused_with_what_to_do(trial):
    with pytest.raises(actions.GroupRefused, match=r"“indoor”.* Use a day and a time"):
        make_group(trial, name="Indoor craft")


def test_two_groups_of_a_site_have_two_names(trial):
    make_group(trial)

    with pytest.raises(actions.GroupRefused, match="already has a group called"):
        make_group(trial)


def test_a_leader_must_be_one_of_the_site(trial):
    stranger = staff(Role.COORDINATOR, trial.site, name="Not A Leader")

    with pytest.raises(actions.GroupRefused, match="is not an activity leader"):
        make_group(trial, leader=stranger)


def test_leader_and_co_leader_are_two_people(trial):
    leader = staff(Role.ACTIVITY_LEADER, trial.site)
    plan = actions.GroupPlan("Friday group", 0, 1, make_venue(), leader, FIRST, time(10), co_leader=leader)

    with pytest.raises(actions.GroupRefused, match="two people"):
        actions.create_group(site=trial.site, plan=plan, by=trial.coordinator)


def test_an_arm_outside_the_protocol_is_refused(trial):
    with pytest.raises(actions.GroupRefused, match="Select one of the protocol's activities"):
        make_group(trial, arm_number=2)


class TestMembers:
    """With real allocations: the arm decides which group a person may join."""

    @pytest.fixture
    def trial(self):
        return Trial().open_randomisation()

    @pytest.fixture
    def person(self, trial):
        return trial.randomised(at=NOW)

    @pytest.fixture
    def groups(self, trial):
        """One group of each arm, starting next week."""
        starts = TODAY + timedelta(days=7)
        leader = staff(Role.ACTIVITY_LEADER, trial.site)
        names = ("Thursday morning group", "Thursday afternoon group")
        return [
            make_group(trial, name=name, arm_number=n, leader=leader, start_date=starts) for n, name in enumerate(names)
        ]

    @pytest.fixture
    def own(self, trial, person, groups):
        from trial.allocation.reads import arm_number_of

        return groups[arm_number_of(person, by=trial.coordinator, at=NOW, reason="test")]

    def add(self, trial, person, group, from_date=TODAY):
        return actions.add_member(participant=person, group=group, from_date=from_date, by=trial.coordinator, at=NOW)

    def test_a_person_joins_a_group_of_their_arm(self, trial, person, own):
        membership = self.add(trial, person, own)

        assert membership.from_date == TODAY
        assert [m.participant for m in reads.expected_members(session_of(own, 1))] == [person]
        assert reads.first_session_note(membership) == "First session: Thursday 16 July 2026."
        assert not Task.objects.open().filter(kind="choose_group").exists()

    def test_no_person_joins_a_group_of_another_arm(self, trial, person, own, groups):
        other = next(group for group in groups if group != own)

        with pytest.raises(actions.MembershipRefused, match="was not allocated to the activity"):
            self.add(trial, person, other)

        assert not Membership.objects.exists()

    def test_nobody_joins_before_randomisation(self, trial, groups):
        waiting = make_participant(trial)

        with pytest.raises(actions.MembershipRefused, match="not randomised yet"):
            self.add(trial, waiting, groups[0])

    def test_nobody_joins_from_a_day_before_randomisation(self, trial, person, own):
        with pytest.raises(actions.MembershipRefused, match="randomisation, or later"):
            self.add(trial, person, own, TODAY - timedelta(days=1))

    def test_nobody_joins_after_the_last_session(self, trial, person, own):
        with pytest.raises(actions.MembershipRefused, match="The last session of"):
            self.add(trial, person, own, TODAY + timedelta(days=300))

    def test_nobody_is_in_two_groups_on_one_day(self, trial, person, own):
        self.add(trial, person, own)

        with pytest.raises(actions.MembershipRefused, match="Move them from there"):
            self.add(trial, person, own)

    def test_a_full_group_takes_nobody(self, trial, person, own):
        fill(trial, own, 12)

        with pytest.raises(actions.MembershipRefused, match="12 of 12 places"):
            self.add(trial, person, own)

    def test_whoever_stopped_the_activity_joins_no_group(self, trial, person, own):
        ParticipationChange(
            participant=person,
            effective_date=TODAY,
            decided_by="participant",
            elements={"activity": False},
            recorded_at=NOW,
            recorded_by=trial.coordinator,
        ).save_by(trial.coordinator)

        with pytest.raises(actions.MembershipRefused, match="has stopped the activity"):
            self.add(trial, person, own)

    def test_a_first_session_later_than_the_limit_is_said(self, trial, person, own):
        for session in own.sessions.all():
            actions.move_session(
                session=session,
                starts_at=session.starts_at + timedelta(days=35),
                ends_at=session.ends_at + timedelta(days=35),
                reason="The hall is closed",
                by=trial.coordinator,
            )

        membership = self.add(trial, person, own)

        assert "14 days later than the protocol's 28 days" in reads.first_session_note(membership)

    def test_a_member_moves_to_another_group_of_the_arm(self, trial, person, own):
        second = make_group(
            trial,
            name="Monday group",
            arm_number=own.arm_number,
            leader=own.leader,
            start_date=TODAY + timedelta(days=4),
        )
        membership = self.add(trial, person, own)

        day = TODAY + timedelta(days=20)
        moved = actions.move_member(
            membership=membership,
            group=second,
            from_date=day,
            reason="Cannot do Thursdays",
            by=trial.coordinator,
            at=NOW,
        )

        membership.refresh_from_db()
        assert (membership.to_date, membership.end_reason) == (day - timedelta(days=1), "Cannot do Thursdays")
        assert (moved.group, moved.from_date) == (second, day)

    def test_a_move_that_is_refused_changes_nothing(self, trial, person, own, groups):
        other = next(group for group in groups if group != own)
        membership = self.add(trial, person, own)

        with pytest.raises(actions.MembershipRefused):
            actions.move_member(
                membership=membership,
                group=other,
                from_date=TODAY + timedelta(days=1),
                reason="Asked to",
                by=trial.coordinator,
                at=NOW,
            )

        membership.refresh_from_db()
        assert membership.to_date is None

    def test_a_move_is_after_the_day_of_joining(self, trial, person, own):
        membership = self.add(trial, person, own)

        with pytest.raises(actions.MembershipRefused, match="must be after 9 July 2026"):
            actions.move_member(
                membership=membership, group=own, from_date=TODAY, reason="x", by=trial.coordinator, at=NOW
            )

    def test_another_sites_group_takes_nobody_from_here(self, trial, person):
        elsewhere = Trial.__new__(Trial)
        elsewhere.__dict__ |= trial.__dict__
        from tests.factories import site

        elsewhere.site = site("02")
        group = make_group(elsewhere)

        with pytest.raises(actions.MembershipRefused, match="another site"):
            self.add(trial, person, group)


def test_a_membership_ends_after_a_day_with_a_reason(trial):
    group = make_group(trial)
    membership = join(group, make_participant(trial))

    ended = actions.end_membership(membership=membership, to_date=TODAY, reason="New job", by=trial.coordinator)

    assert (ended.to_date, ended.end_reason) == (TODAY, "New job")
    with pytest.raises(actions.MembershipRefused, match="left Thursday morning group on 9 July 2026"):
        actions.end_membership(membership=membership, to_date=TODAY, reason="Again", by=trial.coordinator)


@pytest.mark.parametrize(
    ("to_date", "reason", "words"),
    [(FIRST - timedelta(days=1), "New job", "the day they joined"), (TODAY, "  ", "Say why")],
)
def test_a_membership_does_not_end_before_it_began_or_without_a_reason(trial, to_date, reason, words):
    membership = join(make_group(trial), make_participant(trial))

    with pytest.raises(actions.MembershipRefused, match=words):
        actions.end_membership(membership=membership, to_date=to_date, reason=reason, by=trial.coordinator)


class TestSessions:
    def test_a_session_is_cancelled_once_for_a_reason_of_the_list(self, trial):
        session = session_of(make_group(trial))

        with pytest.raises(actions.SessionRefused, match="Select why"):
            actions.cancel_session(session=session, reason="tired", by=trial.coordinator)
        cancelled = actions.cancel_session(session=session, reason="weather", by=trial.coordinator)

        assert (cancelled.status, cancelled.cancel_reason) == ("cancelled", "weather")
        assert cancelled.history.latest().history_change_reason == "Cancelled: Weather"
        with pytest.raises(actions.SessionRefused, match="already cancelled"):
            actions.cancel_session(session=session, reason="venue", by=trial.coordinator)

    def test_a_session_moves_with_a_reason_and_the_history_keeps_the_old_time(self, trial):
        session = session_of(make_group(trial), 7)
        new = session.starts_at + timedelta(days=1)

        moved = actions.move_session(
            session=session, starts_at=new, ends_at=new + timedelta(hours=2), reason="Flood", by=trial.coordinator
        )

        assert moved.starts_at == new
        assert [row.starts_at for row in moved.history.all()] == [new, session.starts_at]

    def test_a_session_that_has_begun_is_not_moved(self, trial):
        session = session_of(make_group(trial))
        actions.confirm_risk_check(session=session, checked_at=NOW, by=trial.coordinator, at=NOW)

        with pytest.raises(actions.SessionRefused, match="has begun"):
            actions.move_session(
                session=session,
                starts_at=NOW,
                ends_at=NOW + timedelta(hours=2),
                reason="Flood",
                by=trial.coordinator,
            )

    @pytest.mark.parametrize(("hours", "reason", "words"), [(0, "Flood", "end after it starts"), (2, " ", "Say why")])
    def test_a_move_without_length_or_reason_is_refused(self, trial, hours, reason, words):
        session = session_of(make_group(trial))

        with pytest.raises(actions.SessionRefused, match=words):
            actions.move_session(
                session=session,
                starts_at=NOW,
                ends_at=NOW + timedelta(hours=hours),
                reason=reason,
                by=trial.coordinator,
            )

    def test_the_risk_check_is_confirmed_once_by_the_leader_who_is_there(self, trial):
        group = make_group(trial)
        session = session_of(group)
        before = session.starts_at - timedelta(minutes=12)

        checked = actions.confirm_risk_check(session=session, checked_at=before, by=group.leader, at=before)
        again = actions.confirm_risk_check(session=session, checked_at=NOW, by=trial.coordinator, at=NOW)

        assert (checked.risk_checked_at, checked.risk_checked_by) == (before, group.leader)
        assert checked.leader_present == group.leader
        assert again.risk_checked_at == before

    def test_a_coordinator_who_confirms_from_paper_was_not_there(self, trial):
        session = session_of(make_group(trial))

        checked = actions.confirm_risk_check(
            session=session, checked_at=session.starts_at, by=trial.coordinator, at=NOW + timedelta(days=1)
        )

        assert checked.leader_present is None

    @pytest.mark.parametrize(
        ("checked_at", "at", "words"),
        [
            (NOW - timedelta(days=1), NOW, "belongs to the day of the session"),
            (NOW + timedelta(minutes=5), NOW, "in the past"),
            (NOW + timedelta(hours=3), NOW + timedelta(hours=4), "before the end"),
        ],
    )
    def test_a_risk_check_belongs_to_the_day_and_comes_before_the_end(self, trial, checked_at, at, words):
        session = session_of(make_group(trial))

        with pytest.raises(actions.SessionRefused, match=words):
            actions.confirm_risk_check(session=session, checked_at=checked_at, by=trial.coordinator, at=at)

    def test_a_delivered_session_no_longer_changes(self, trial):
        session = session_of(make_group(trial))
        session.status = Session.Status.DELIVERED
        session.completed_at = session.risk_checked_at = NOW
        session.save_by(None, "Made for a test")

        with pytest.raises(actions.SessionRefused, match="no longer changes"):
            actions.cancel_session(session=session, reason="weather", by=trial.coordinator)


class TestConstraints:
    """What the database refuses whoever asks."""

    def refused(self, row, **changes):
        for name, value in changes.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save_by(None, "Made for a test")

    def test_sizes_in_order(self, trial):
        self.refused(make_group(trial), max_size=4)

    def test_a_name_once_per_site(self, trial):
        group = make_group(trial)
        group.pk, group._state.adding = None, True

        self.refused(group)

    def test_one_current_group(self, trial):
        group = make_group(trial)
        person = make_participant(trial)
        join(group, person)

        with pytest.raises(IntegrityError), transaction.atomic():
            join(group, person, TODAY)

    def test_a_membership_ends_after_it_starts(self, trial):
        self.refused(join(make_group(trial), make_participant(trial)), to_date=date(2026, 1, 1))

    def test_a_session_number_once(self, trial):
        self.refused(session_of(make_group(trial)), number=5)

    def test_a_session_ends_after_it_starts(self, trial):
        session = session_of(make_group(trial))

        self.refused(session, ends_at=session.starts_at)

    def test_a_cancelled_session_has_a_reason_and_another_has_none(self, trial):
        session = session_of(make_group(trial))

        self.refused(session, status="cancelled")
        self.refused(session, status="planned", cancel_reason="weather")

    def test_a_delivered_session_is_complete(self, trial):
        self.refused(session_of(make_group(trial)), status="delivered")


def test_the_activity_begins_with_the_first_session_and_lasts_the_protocols_weeks(trial):
    group = make_group(trial)
    person = make_participant(trial)
    assert not reads.activity_began(person, NOW)
    assert reads.activity_ends(person) is None

    join(group, person)

    assert reads.activity_began(person, NOW)
    assert not reads.activity_began(person, datetime(2026, 6, 4, 8, 59, tzinfo=UTC))
    assert reads.activity_ends(person) == date(2026, 8, 26)
