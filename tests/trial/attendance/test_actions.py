"""Marks stored once, refused or kept aside; registers finished; contradictions decided."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial, staff
from tests.trial.activities.builders import fill, join, make_group, make_participant, session_of, spec_of
from trial.access.policy import Role
from trial.activities import actions as activity_actions
from trial.activities.models import Session
from trial.attendance import actions, overdue, whole
from trial.attendance.actions import Answer
from trial.attendance.models import Mark
from trial.base import audit
from trial.deviations.models import Deviation
from trial.journey import steps
from trial.locking.models import DatasetLock
from trial.messages.models import Task
from trial.participation.models import ParticipationChange

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def group(trial):
    return make_group(trial)


@pytest.fixture
def session(group):
    return session_of(group)


@pytest.fixture
def people(trial, group):
    return fill(trial, group, 3)


def send(session, participant, status="full", **more):
    given = {"key": uuid4(), "by": session.group.leader, "captured_at": NOW, "at": NOW} | more
    return actions.mark(session=session, participant=participant, status=status, **given)


def lock(trial):
    DatasetLock(
        code="L001",
        kind="final",
        state="locked",
        reason="Final",
        data_through=TODAY,
        asked_by=trial.coordinator,
        asked_at=NOW,
        agreed_by=trial.investigator,
        locked_at=NOW,
    ).save_by(None)


class TestOneMark:
    def test_is_stored_with_who_when_and_the_phones_clock(self, session, people):
        result = send(session, people[0], captured_at=NOW - timedelta(minutes=3))

        assert result.answer is Answer.SAVED
        assert (result.mark.status, result.mark.marked_by, result.mark.received_at) == (
            "full",
            session.group.leader,
            NOW,
        )
        assert result.mark.captured_at == NOW - timedelta(minutes=3)
        assert not result.mark.is_late
        assert audit.verify() == []

    def test_sent_again_is_a_duplicate(self, session, people):
        key = uuid4()
        first = send(session, people[0], key=key)

        again = send(session, people[0], key=key, at=NOW + timedelta(minutes=1), captured_at=NOW + timedelta(minutes=1))

        assert (again.answer, again.mark) == (Answer.DUPLICATE, first.mark)
        assert Mark.objects.count() == 1

    @pytest.mark.parametrize("what", ["status", "participant", "session", "by"])
    def test_another_mark_under_a_used_key_is_rejected(self, trial, group, session, people, what):
        key = uuid4()
        send(session, people[0], key=key)
        other = {
            "status": {"status": "absent"},
            "participant": {"participant": people[1]},
            "session": {"session": session_of(group, 5)},
            "by": {"by": trial.coordinator},
        }[what]

        given = {"session": session, "participant": people[0], "status": "full", "by": group.leader} | other
        result = actions.mark(key=key, captured_at=NOW, at=NOW, **given)

        assert result.answer is Answer.REJECTED
        assert "sent before" in result.text
        assert Mark.objects.count() == 1

    def test_a_change_of_mind_replaces_the_mark_that_was_seen(self, session, people):
        first = send(session, people[0])

        second = send(session, people[0], "absent", replaces=first.mark.key)

        assert (second.answer, second.mark.replaces) == (Answer.SAVED, first.mark)
        assert list(Mark.objects.current()) == [second.mark]

    def test_a_chain_made_without_signal_arrives_in_order(self, session, people):
        keys = [uuid4(), uuid4(), uuid4()]

        results = [
            send(session, people[0], status, key=key, replaces=before)
            for status, key, before in zip(["full", "absent", "absent_told"], keys, [None, *keys], strict=False)
        ]

        assert {result.answer for result in results} == {Answer.SAVED}
        assert Mark.objects.current().get().status == "absent_told"

    def test_a_mark_whose_forerunner_was_refused_is_stored(self, session, people):
        result = send(session, people[0], replaces=uuid4())

        assert (result.answer, result.mark.replaces) == (Answer.SAVED, None)

    def test_part_of_a_session_has_its_minutes(self, session, people):
        result = send(session, people[0], "part", minutes=45, companion=True)

        assert (result.answer, result.mark.minutes, result.mark.companion) == (Answer.SAVED, 45, True)

    def test_later_than_the_protocols_hours_it_is_flagged(self, session, people):
        result = send(session, people[0], at=session.ends_at + timedelta(hours=48, minutes=1))

        assert result.mark.is_late

    def test_a_key_that_another_session_used_in_the_same_moment_is_rejected(self, group, session, people):
        key = uuid4()
        send(session, people[0], key=key)
        new = Mark(
            key=key,
            session=session_of(group, 5),
            participant=people[0],
            status="full",
            marked_by=group.leader,
            captured_at=NOW,
            received_at=NOW,
        )

        result = actions._store(new, [], None, spec_of("greenrx_f"))  # as if the look-up had come just before

        assert result.answer is Answer.REJECTED
        assert "could not be stored" in result.text


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "more", "words"),
        [
            ("vanished", {}, "Select what happened"),
            ("part", {}, "between 1 and 120"),
            ("part", {"minutes": 0}, "between 1 and 120"),
            ("part", {"minutes": 121}, "between 1 and 120"),
            ("full", {"minutes": 30}, "Here for part only"),
            ("full", {"absence_reason": "UNWELL"}, "with an absence only"),
            ("absent", {"absence_reason": "ALIENS"}, "from the list"),
        ],
    )
    def test_a_value_that_makes_no_sense(self, session, people, status, more, words):
        result = send(session, people[0], status, **more)

        assert result.answer is Answer.REJECTED
        assert words in result.text
        assert not Mark.objects.exists()

    def test_a_reason_of_the_protocols_list_goes_with_an_absence(self, session, people):
        assert send(session, people[0], "absent", absence_reason="UNWELL").answer is Answer.SAVED

    def test_a_session_that_has_not_started(self, group, people):
        session = session_of(group, 7)

        result = send(session, people[0])

        assert result.answer is Answer.REJECTED
        assert result.text == "This session starts on 16 July 2026 at 10am. You can mark people from then."

    def test_a_session_may_be_marked_from_its_first_minute(self, session, people):
        before = send(session, people[0], at=session.starts_at - timedelta(seconds=1))
        after = send(session, people[0], at=session.starts_at)

        assert (before.answer, after.answer) == (Answer.REJECTED, Answer.SAVED)

    def test_a_cancelled_session(self, trial, session, people):
        activity_actions.cancel_session(session=session, reason="weather", by=trial.coordinator)

        assert "cancelled" in send(session, people[0]).text

    def test_a_person_outside_the_membership_dates(self, trial, group, session, people):
        later = make_participant(trial, "Zoe")
        join(group, later, TODAY + timedelta(days=1))

        assert "was not in this group on 9 July 2026" in send(session, later).text

    def test_a_person_of_another_group(self, trial, session, people):
        other = make_group(trial, name="Monday group", leader=session.group.leader)
        stranger = make_participant(trial, "Zoe")
        join(other, stranger)

        assert send(session, stranger).answer is Answer.REJECTED

    def test_a_person_who_stopped_the_activity(self, trial, session, people):
        ParticipationChange(
            participant=people[0],
            effective_date=TODAY,
            decided_by="participant",
            elements={"activity": False},
            recorded_at=NOW,
            recorded_by=trial.coordinator,
        ).save_by(None)

        assert "has stopped the activity" in send(session, people[0]).text

    def test_a_locked_dataset(self, trial, session, people):
        kept = send(session, people[0])
        lock(trial)

        again = send(session, people[0], key=kept.mark.key)
        new = send(session, people[1])

        assert again.answer is Answer.DUPLICATE
        assert new.answer is Answer.REJECTED
        assert "L001" in new.text

    def test_a_member_is_no_visitor(self, session, people):
        assert "is in this group" in send(session, people[0], "other_arm").text


class TestContradictions:
    @pytest.fixture
    def other(self, trial):
        return staff(Role.ACTIVITY_LEADER, trial.site, name="Jo Penrose")

    @pytest.fixture
    def pair(self, session, people, other):
        """Jo marked Absent; Sam, who saw no mark, marks Here."""
        first = send(session, people[0], "absent", by=other, at=NOW)
        return first, send(session, people[0], "full", at=NOW + timedelta(minutes=3))

    def test_both_marks_are_kept_and_the_first_counts(self, pair):
        first, second = pair

        assert (second.answer, second.mark.is_conflict) == (Answer.CONFLICT, True)
        assert list(Mark.objects.current()) == [first.mark]
        assert list(Mark.objects.undecided()) == [second.mark]
        assert second.text == (
            "Jo Penrose marked Absent at 11am. You marked Here at 11:03am. The coordinator will check."
        )

    def test_the_coordinator_gets_one_task_that_no_blinded_person_sees(self, session, people, pair, other):
        send(session, people[0], "excused", by=session.group.leader)

        task = Task.objects.get(kind="register_conflict")
        assert (task.title, task.role, task.reveals_arm) == ("Decide between 2 register marks", "coordinator", True)
        assert task.detail == "Thursday 9 Jul: marked Absent by Jo Penrose, marked Here by Sam Treloar"
        assert task.link == f"/sessions/{session.pk}/decide/{people[0].study_id}/"

    def test_the_same_said_twice_is_no_contradiction(self, session, people, other):
        send(session, people[0], "absent", by=other)

        again = send(session, people[0], "absent")

        assert again.answer is Answer.SAVED
        assert not Task.objects.filter(kind="register_conflict").exists()

    def test_the_coordinators_decision_is_a_new_mark_and_all_stay(self, trial, session, people, pair):
        first, second = pair

        decision = actions.resolve_conflict(
            key=uuid4(),
            chosen=second.mark,
            current=first.mark.key,
            reason="Sam saw her",
            by=trial.coordinator,
            at=NOW + timedelta(hours=1),
        )

        assert (decision.status, decision.is_decision, decision.replaces) == ("full", True, first.mark)
        assert list(Mark.objects.current()) == [decision]
        assert not Mark.objects.undecided().exists()
        assert Mark.objects.count() == 3
        assert Task.objects.get(kind="register_conflict").done_by == trial.coordinator

    def test_a_decision_sent_again_decides_once(self, trial, pair):
        first, second = pair
        given = {"key": uuid4(), "chosen": second.mark, "current": first.mark.key, "reason": "Sam saw her"}

        once = actions.resolve_conflict(by=trial.coordinator, at=NOW, **given)
        twice = actions.resolve_conflict(by=trial.coordinator, at=NOW, **given)

        assert once == twice

    def test_a_decision_on_a_page_that_is_out_of_date_is_refused(self, trial, session, people, pair, other):
        first, second = pair
        send(session, people[0], "excused", by=other, replaces=first.mark.key)

        with pytest.raises(actions.NothingToDecide, match="marked again while the page was open"):
            actions.resolve_conflict(
                key=uuid4(), chosen=second.mark, current=first.mark.key, reason="x", by=trial.coordinator, at=NOW
            )

    def test_a_decision_says_why(self, trial, pair):
        first, second = pair

        with pytest.raises(actions.NothingToDecide, match="how you know"):
            actions.resolve_conflict(
                key=uuid4(), chosen=second.mark, current=first.mark.key, reason=" ", by=trial.coordinator, at=NOW
            )

    def test_a_contradiction_after_a_decision_makes_a_new_task(self, trial, session, people, pair):
        first, _ = pair
        actions.resolve_conflict(
            key=uuid4(), chosen=first.mark, current=first.mark.key, reason="Rang her", by=trial.coordinator, at=NOW
        )

        late = send(session, people[0], "excused")

        assert late.answer is Answer.CONFLICT
        assert Task.objects.open().filter(kind="register_conflict").count() == 1


class TestFinishing:
    @pytest.fixture
    def checked(self, session):
        return activity_actions.confirm_risk_check(session=session, checked_at=NOW, by=session.group.leader, at=NOW)

    def finish(self, session, at=NOW):
        return actions.complete_session(session=session, by=session.group.leader, at=at)

    def test_everybody_has_a_status_and_the_risk_check_is_done(self, checked, people):
        for person in people:
            send(checked, person)

        done = self.finish(checked)

        assert (done.status, done.completed_at, done.is_late_entry) == ("delivered", NOW, False)
        assert done.leader_present == checked.group.leader
        assert self.finish(checked).completed_at == NOW

    def test_blank_is_not_absent(self, checked, people):
        send(checked, people[0])

        with pytest.raises(actions.RegisterIncomplete) as refused:
            self.finish(checked)

        assert str(refused.value) == (f"2 people have no mark: {people[1]}, {people[2]}. Mark them, then finish.")

    def test_one_person_without_a_mark_is_named(self, checked, people):
        for person in people[:2]:
            send(checked, person)

        with pytest.raises(actions.RegisterIncomplete, match=f"1 person has no mark: {people[2]}"):
            self.finish(checked)

    def test_without_a_risk_check_it_is_refused(self, session, people):
        for person in people:
            send(session, person)

        with pytest.raises(actions.RegisterIncomplete, match="Confirm the risk check first"):
            self.finish(session)

    def test_a_session_to_come_is_not_finished(self, group, people):
        with pytest.raises(actions.RegisterIncomplete, match="not started"):
            self.finish(session_of(group, 7))

    def test_a_cancelled_session_has_no_register(self, trial, session, people):
        activity_actions.cancel_session(session=session, reason="weather", by=trial.coordinator)

        with pytest.raises(actions.RegisterIncomplete, match="cancelled"):
            self.finish(session)

    def test_a_session_where_nobody_was_expected_is_cancelled_instead(self, checked):
        with pytest.raises(actions.RegisterIncomplete, match="Cancel it instead"):
            self.finish(checked)

    def test_finished_late_it_is_flagged(self, checked, people):
        whole.mark_everyone(key=uuid4(), session=checked, by=checked.group.leader, at=NOW)

        assert self.finish(checked, checked.ends_at + timedelta(days=3)).is_late_entry

    def test_a_leader_who_finishes_what_the_coordinator_checked_was_there(self, trial, session, people):
        activity_actions.confirm_risk_check(session=session, checked_at=NOW, by=trial.coordinator, at=NOW)
        whole.mark_everyone(key=uuid4(), session=session, by=session.group.leader, at=NOW)

        assert self.finish(session).leader_present == session.group.leader

    def test_a_finished_register_changes_with_a_reason(self, checked, people):
        first = send(checked, people[0])
        whole.mark_everyone(key=uuid4(), session=checked, by=checked.group.leader, at=NOW)
        self.finish(checked)
        after = checked.ends_at + timedelta(minutes=1)

        silent = send(checked, people[0], "absent", replaces=first.mark.key, at=after)
        said = send(checked, people[0], "absent", replaces=first.mark.key, at=after, reason="Wrong Aisha")

        assert (silent.answer, said.answer) == (Answer.CONFLICT, Answer.SAVED)

    def test_somebody_who_leaves_early_after_the_register_was_finished_needs_no_reason(self, checked, people):
        first = send(checked, people[0])
        whole.mark_everyone(key=uuid4(), session=checked, by=checked.group.leader, at=NOW)
        self.finish(checked)

        left = send(checked, people[0], "part", minutes=60, replaces=first.mark.key, at=NOW + timedelta(minutes=30))

        assert left.answer is Answer.SAVED

    def test_a_register_is_not_asked_for_before_it_is_due(self, checked, people):
        assert overdue.open_tasks(at=checked.ends_at + timedelta(hours=48)) == 5  # sessions 1 to 5

    def test_a_register_not_finished_in_time_is_asked_for_and_closed_when_it_comes(self, checked, people):
        late = checked.ends_at + timedelta(hours=49)

        n_due = overdue.open_tasks(at=late)
        overdue.open_tasks(at=late)

        task = Task.objects.get(key=overdue.task_key(checked))
        assert n_due == 6  # sessions 1 to 6
        assert (task.kind, task.reveals_arm, task.done_at) == ("register_due", True, None)
        whole.mark_everyone(key=uuid4(), session=checked, by=checked.group.leader, at=late)
        self.finish(checked, late)
        task.refresh_from_db()
        assert task.done_at == late


class TestWholeRegisters:
    def test_everyone_here_marks_those_without_a_mark_once(self, session, people):
        send(session, people[0], "absent")
        key = uuid4()

        first = whole.mark_everyone(key=key, session=session, by=session.group.leader, at=NOW)
        again = whole.mark_everyone(key=key, session=session, by=session.group.leader, at=NOW)

        assert [result.answer for result in first] == [Answer.SAVED] * 2
        assert again == []
        assert Mark.objects.get(participant=people[0]).status == "absent"

    def test_a_paper_register_says_who_kept_it_and_when(self, trial, session, people):
        results = whole.mark_from_paper(
            key=uuid4(),
            session=session,
            statuses={people[0].pk: "full", people[1].pk: "absent_told"},
            paper_by="Sam Treloar",
            captured_at=session.ends_at,
            by=trial.coordinator,
            at=NOW + timedelta(days=3),
        )

        assert [result.answer for result in results] == [Answer.SAVED] * 2
        assert {mark.paper_by for mark in Mark.objects.all()} == {"Sam Treloar"}
        assert {mark.is_late for mark in Mark.objects.all()} == {True}


class TestVisitors:
    @pytest.fixture
    def trial(self):
        return Trial().open_randomisation()

    @pytest.fixture
    def visitor(self, trial):
        return trial.randomised()

    @pytest.fixture
    def arm(self, trial, visitor):
        from trial.allocation.reads import arm_number_of

        return arm_number_of(visitor, by=trial.coordinator, at=NOW, reason="test")

    @pytest.fixture
    def session(self, trial, arm):
        """A session of the other arm."""
        return session_of(make_group(trial, arm_number=1 - arm))

    def test_attending_the_other_arm_opens_one_deviation(self, session, visitor):
        first = send(session, visitor, "other_arm")
        send(session, visitor, "other_arm", replaces=first.mark.key)

        deviation = Deviation.objects.get()
        assert (deviation.kind, deviation.participant, deviation.reveals_arm) == ("other_arm", visitor, True)
        assert deviation.occurred_date == TODAY

    def test_a_visitor_entered_by_mistake_is_taken_back(self, session, visitor):
        first = send(session, visitor, "other_arm")

        back = send(session, visitor, "absent", replaces=first.mark.key)

        assert back.answer is Answer.SAVED
        assert Mark.objects.current().get().status == "absent"

    def test_a_visitor_of_the_same_arm_is_moved_by_the_coordinator(self, trial, arm, visitor):
        own = session_of(make_group(trial, arm_number=arm))

        assert "needs to be moved" in send(own, visitor, "other_arm").text

    def test_nobody_who_is_not_randomised_is_a_visitor(self, trial, session):
        assert "cannot be added" in send(session, make_participant(trial), "other_arm").text


class TestWelfare:
    def absent(self, group, number, person, status="absent", **more):
        session = session_of(group, number)
        return send(session, person, status, at=session.starts_at + timedelta(hours=1), **more)

    def open_tasks(self):
        return Task.objects.open().filter(kind="welfare_call")

    def test_two_absences_without_contact_in_a_row_make_a_task_the_same_day(self, group, people):
        self.absent(group, 4, people[0])
        assert not self.open_tasks().exists()

        self.absent(group, 5, people[0])

        task = self.open_tasks().get()
        assert (task.title, task.role, task.reveals_arm) == ("Ring about 2 missed sessions", "coordinator", True)
        assert task.detail == "Absent without contact on 25 Jun and 2 Jul. Welfare call"
        assert task.due_date == session_of(group, 5).starts_at.date()

    def test_absences_with_word_from_the_person_make_none(self, group, people):
        for number in (4, 5, 6):
            self.absent(group, number, people[0], "absent_told")

        assert not self.open_tasks().exists()

    def test_a_cancelled_session_between_them_does_not_break_the_row(self, trial, group, people):
        self.absent(group, 4, people[0])
        activity_actions.cancel_session(session=session_of(group, 5), reason="weather", by=trial.coordinator)

        self.absent(group, 6, people[0])

        assert self.open_tasks().exists()

    def test_coming_between_them_does(self, group, people):
        self.absent(group, 4, people[0])
        self.absent(group, 5, people[0], "full")
        self.absent(group, 6, people[0])

        assert not self.open_tasks().exists()

    def test_a_register_entered_late_completes_the_row(self, group, people):
        self.absent(group, 5, people[0])

        self.absent(group, 4, people[0])

        assert self.open_tasks().exists()

    def test_a_third_absence_makes_no_second_task_while_one_is_open(self, group, people):
        for number in (4, 5, 6):
            self.absent(group, number, people[0])

        assert self.open_tasks().count() == 1

    def test_a_correction_closes_the_task_and_another_opens_it_again(self, group, people):
        self.absent(group, 4, people[0])
        second = self.absent(group, 5, people[0])

        corrected = self.absent(group, 5, people[0], "full", replaces=second.mark.key)
        assert not self.open_tasks().exists()

        self.absent(group, 5, people[0], replaces=corrected.mark.key)
        assert self.open_tasks().count() == 1

    def test_the_call_itself_closes_the_task(self, trial, group, people):
        for number in (4, 5):
            self.absent(group, number, people[0])

        steps.contact(
            referral=people[0].referral,
            contacted_at=NOW,
            channel="phone",
            outcome="two_way",
            by=trial.coordinator,
            at=NOW,
        )

        assert not self.open_tasks().exists()

    def test_nobody_rings_whoever_asked_for_no_contact(self, trial, group, people):
        ParticipationChange(
            participant=people[0],
            effective_date=TODAY - timedelta(days=30),
            decided_by="participant",
            elements={"contact": False},
            recorded_at=NOW,
            recorded_by=trial.coordinator,
        ).save_by(None)

        for number in (4, 5):
            self.absent(group, number, people[0])

        assert not self.open_tasks().exists()

    def test_another_protocol_waits_for_three(self):
        trial = Trial("northbank", site_code=spec_of("northbank").sites[0].code)
        group = make_group(trial)
        person = make_participant(trial)
        join(group, person)

        for number in (1, 2):
            self.absent(group, number, person)
        assert not self.open_tasks().exists()
        self.absent(group, 3, person)

        assert self.open_tasks().get().title == "Ring about 3 missed sessions"


class TestTheDatabase:
    """What must never be false, whoever writes."""

    def row(self, session, participant, **more):
        given = {"status": "full", "marked_by": session.group.leader, "captured_at": NOW, "received_at": NOW}
        return Mark(session=session, participant=participant, **(given | more))

    def refused(self, row):
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()

    def test_one_first_mark(self, session, people):
        self.row(session, people[0]).save()

        self.refused(self.row(session, people[0]))

    def test_a_mark_is_replaced_once(self, session, people):
        first = self.row(session, people[0])
        first.save()
        self.row(session, people[0], replaces=first).save()

        self.refused(self.row(session, people[0], replaces=first))

    def test_a_mark_replaces_one_of_the_same_person_at_the_same_session(self, group, session, people):
        first = self.row(session, people[0])
        first.save()

        self.refused(self.row(session, people[1], replaces=first))
        self.refused(self.row(session_of(group, 5), people[0], replaces=first))

    def test_a_key_once(self, session, people):
        key = uuid4()
        self.row(session, people[0], key=key).save()

        self.refused(self.row(session, people[1], key=key))

    @pytest.mark.parametrize(("status", "minutes"), [("part", None), ("part", 0), ("full", 30)])
    def test_minutes_go_with_a_part(self, session, people, status, minutes):
        self.refused(self.row(session, people[0], status=status, minutes=minutes))

    def test_a_decision_has_a_reason(self, session, people):
        self.refused(self.row(session, people[0], is_decision=True))

    def test_no_mark_is_stored_while_the_dataset_is_locked(self, trial, session, people):
        lock(trial)

        self.refused(self.row(session, people[0]))

    def test_a_mark_never_changes(self, session, people):
        row = self.row(session, people[0])
        row.save()

        with pytest.raises(IntegrityError), transaction.atomic():
            Mark.objects.filter(pk=row.pk).update(status="absent")
        with pytest.raises(IntegrityError), transaction.atomic():
            Mark.objects.filter(pk=row.pk)._raw_delete("default")


def test_a_session_that_is_locked_cannot_be_finished(trial, session, people):
    lock(trial)

    with pytest.raises(Exception, match="L001"):
        actions.complete_session(session=session, by=session.group.leader, at=NOW)
    assert Session.objects.get(pk=session.pk).status == "planned"
