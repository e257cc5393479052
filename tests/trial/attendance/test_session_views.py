"""Sessions of a site as tables: filters, CSV, cancelling, moving and deciding."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from tests.factories import NOW, Trial, site, staff
from tests.trial.activities.builders import fill, join, make_group, make_participant, session_of
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.activities import actions as activity_actions
from trial.activities.models import Session
from trial.attendance import actions, reads
from trial.attendance.models import Mark

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
LIST = "/sessions/"


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def group(trial):
    return make_group(trial)


@pytest.fixture
def people(trial, group):
    return fill(trial, group, 3)


@pytest.fixture
def session(group, people):
    return session_of(group)


@pytest.fixture
def coordinator(client, trial):
    client.force_login(trial.coordinator)
    return client


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def mark(session, person, status="full", **more):
    given = {"key": uuid4(), "by": session.group.leader, "captured_at": NOW, "at": NOW} | more
    return actions.mark(session=session, participant=person, status=status, **given).mark


class TestTheList:
    def test_shows_what_is_to_come_with_expected_and_marked(self, coordinator, session, people):
        mark(session, people[0])

        text = text_of(coordinator.get(LIST))

        assert "9 Jul 2026, 10am" in text
        assert "Thursday morning group , session 6" in text
        assert "1 to 5 of 5 sessions" in text
        assert "2 Jul 2026" not in text

    def test_shows_what_is_past_newest_first(self, coordinator, session):
        text = text_of(coordinator.get(LIST, {"when": "past"}))

        assert text.index("2 Jul 2026") < text.index("4 Jun 2026")
        assert "9 Jul 2026, 10am" not in text

    @pytest.mark.parametrize(
        ("filters", "n_rows"),
        [
            ({"state": "cancelled"}, 1),
            ({"state": "unfinished", "when": "past"}, 5),
            ({"state": "unfinished"}, 0),
            ({"state": "nonsense"}, 10),
            ({"group": "x"}, 10),
            ({"group": "²"}, 10),
            ({"group": "9" * 40}, 10),
            ({"page": "99"}, 10),
        ],
    )
    def test_filters_by_group_and_state(self, coordinator, trial, session, filters, n_rows):
        make_group(trial, name="Friday group", leader=session.group.leader)
        activity_actions.cancel_session(session=session, reason="weather", by=trial.coordinator)
        if filters.get("when"):
            filters |= {"group": str(session.group_id)}

        page = coordinator.get(LIST, filters).content.decode()

        assert page.count('scope="row"') == n_rows

    def test_without_sessions_it_says_what_will_appear(self, coordinator):
        assert "Sessions appear here when a group is made" in text_of(coordinator.get(LIST))

    def test_contradictions_are_counted(self, coordinator, trial, session, people):
        mark(session, people[0])
        mark(session, people[0], "absent", by=trial.coordinator)

        assert "1 mark to decide" in text_of(coordinator.get(LIST))
        assert reads.n_open_conflicts() == 1

    def test_shows_no_session_of_another_site(self, client, session):
        client.force_login(staff(Role.COORDINATOR, site("02")))

        assert "Thursday morning group" not in text_of(client.get(LIST))
        assert client.get(f"/sessions/{session.pk}/").status_code == 404

    @pytest.mark.parametrize("role", [Role.OUTCOME_ASSESSOR, Role.DATA_MANAGER, Role.TRIAL_STATISTICIAN])
    def test_opens_to_no_blinded_role(self, client, trial, session, role):
        client.force_login(staff(role, trial.site))

        for address in (LIST, f"/sessions/{session.pk}/", "/groups/", f"/groups/{session.group_id}/"):
            response = client.get(address)
            assert response.status_code == 403
            assert "Thursday" not in response.content.decode()

    def test_csv_holds_the_filtered_rows_and_runs_no_formula(self, coordinator, trial, session, people):
        mark(session, people[0])
        group = session.group
        group.name = "=HYPERLINK(1)"
        group.save_by(None, "Made for a test")

        response = coordinator.get(LIST, {"format": "csv"})

        lines = response.content.decode("utf-8-sig").splitlines()
        assert lines[0] == "Date,Start,Site,Group,Session,Of,Expected,Marked,Status"
        assert lines[1] == "9 Jul 2026,10am,Tamar Vale,'=HYPERLINK(1),6,10,3,1,Planned"
        assert len(lines) == 6
        assert AccessEvent.objects.filter(kind="exported", record="Sessions").count() == 1

    @pytest.mark.parametrize(("n_groups", "n_people"), [(1, 1), (4, 6)])
    def test_the_number_of_queries_does_not_depend_on_the_rows(
        self, coordinator, trial, django_assert_num_queries, n_groups, n_people
    ):
        leader = staff(Role.ACTIVITY_LEADER, trial.site)
        for number in range(n_groups):
            group = make_group(trial, name=f"Group {number}", leader=leader)
            for person in fill(trial, group, n_people):
                mark(session_of(group), person)
        coordinator.get(LIST)

        with django_assert_num_queries(14):
            coordinator.get(LIST)
        with django_assert_num_queries(14):
            coordinator.get(LIST, {"when": "past"})


class TestOneSession:
    def test_shows_its_register_as_a_table(self, coordinator, trial, session, people):
        mark(session, people[0], "part", minutes=45)
        mark(session, people[1], "absent_told", paper_by="Sam", at=NOW)

        text = text_of(coordinator.get(f"/sessions/{session.pk}/"))

        assert "Thursday 9 July 2026, 10am to 12pm, Tavyside Hall." in text
        assert "Register: 2 of 3 marked" in text
        assert "Here for 45 minutes" in text
        assert "Told us they would not come" in text
        assert "Not marked" in text
        assert "Recorded on paper by Sam" in text
        assert "Aisha" not in text

    def test_a_coordinator_moves_it(self, coordinator, session):
        data = {"starts_at_0": "10", "starts_at_1": "7", "starts_at_2": "2026", "starts_at_3": "2pm", "reason": "Flood"}

        response = coordinator.post(f"/sessions/{session.pk}/move/", data, follow=True)

        moved = Session.objects.get(pk=session.pk)
        assert "moved to 10 July 2026 at 2pm" in text_of(response)
        assert moved.ends_at - moved.starts_at == timedelta(hours=2)

    def test_a_move_without_reason_or_to_no_day_is_not_made(self, coordinator, session):
        data = {"starts_at_0": "31", "starts_at_1": "6", "starts_at_2": "2026", "starts_at_3": "2pm"}

        text = text_of(coordinator.post(f"/sessions/{session.pk}/move/", data))

        assert "New start must be a real date" in text
        assert "Answer the question: Why is the session moved?" in text

    def test_a_coordinator_cancels_it(self, coordinator, session):
        response = coordinator.post(f"/sessions/{session.pk}/cancel/", {"reason": "venue"}, follow=True)

        assert "Cancelled: venue not available" in text_of(response)
        again = coordinator.post(f"/sessions/{session.pk}/cancel/", {"reason": "venue"})
        assert "already cancelled" in text_of(again)

    def test_an_investigator_looks_but_does_not_change(self, client, trial, session):
        client.force_login(trial.investigator)

        page = text_of(client.get(f"/sessions/{session.pk}/"))

        assert "Register: 0 of 3 marked" in page
        assert "Open register" not in page
        assert client.get(f"/sessions/{session.pk}/move/").status_code == 403


class TestDeciding:
    @pytest.fixture
    def pair(self, trial, session, people):
        return mark(session, people[0]), mark(session, people[0], "absent", by=trial.coordinator)

    def page(self, session, person):
        return f"/sessions/{session.pk}/decide/{person}/"

    def test_shows_both_marks_and_stores_the_decision(self, coordinator, session, people, pair):
        first, second = pair

        text = text_of(coordinator.get(self.page(session, people[0])))
        data = {"key": uuid4(), "current": first.key, "chosen": second.key, "reason": "Rang her"}
        response = coordinator.post(self.page(session, people[0]), data, follow=True)

        assert "Here: marked by Sam Treloar at 11am on 9 Jul 2026" in text
        assert "Absent: marked by Asha Patel at 11am on 9 Jul 2026" in text
        assert "All the marks are kept" in text_of(response)
        assert Mark.objects.current().get().status == "absent"
        later = coordinator.get(self.page(session, people[0]), follow=True)
        assert "Nothing is left to decide" in text_of(later)

    def test_without_a_choice_or_a_reason_it_asks(self, coordinator, session, people, pair):
        text = text_of(coordinator.post(self.page(session, people[0]), {"key": uuid4(), "current": pair[0].key}))

        assert "Select which mark is right" in text
        assert "Say how you know which mark is right" in text

    def test_somebody_without_marks_and_somebody_unknown_answer_alike(self, coordinator, session, people):
        assert coordinator.get(self.page(session, people[1])).status_code == 404
        assert coordinator.get(self.page(session, "GRX-01-999-0")).status_code == 404


def test_offered_sessions_are_those_delivered_to_a_member_who_takes_part(trial, group, session, people):
    late = make_participant(trial, "Zoe")
    join(group, late, session_of(group, 6).starts_at.date())
    never = make_participant(trial, "Yan")
    for number in (5, 6):
        held = session_of(group, number)
        for person in people if number == 5 else [*people, late]:
            mark(held, person, "full" if person != people[2] else "absent", at=held.starts_at)
        activity_actions.confirm_risk_check(session=held, checked_at=held.starts_at, by=group.leader, at=held.starts_at)
        actions.complete_session(session=held, by=group.leader, at=held.starts_at + timedelta(minutes=5))

    found = reads.offered_to([*people, late, never])

    assert [(held.number, said.status) for held, said in found[people[0].pk]] == [(5, "full"), (6, "full")]
    assert [said.status for _, said in found[people[2].pk]] == ["absent", "absent"]
    assert [held.number for held, _ in found[late.pk]] == [6]
    assert found[never.pk] == []
    assert reads.n_unfinished_registers(NOW) == 4


def test_todays_sessions_for_a_home_page(trial, group, session, people):
    mark(session, people[0])

    (row,) = reads.sessions_on(trial.coordinator, NOW.date(), NOW)

    assert (row.session.number, row.n_planned, row.n_expected, row.n_marked, row.code) == (6, 10, 3, 1, "in_progress")
    assert reads.sessions_on(staff(Role.DATA_MANAGER), NOW.date(), NOW) == []


def test_visits_to_the_other_arm_count_in_delivered_sessions_only(trial, session, people):
    row = Mark(
        session=session, participant=make_participant(trial, "Zoe"), status="other_arm", marked_by=trial.coordinator,
        captured_at=NOW, received_at=NOW,
    )  # fmt: skip
    row.save()

    assert reads.other_arm_visits([row.participant]) == {}
    assert reverse("attendance:session", args=[session.pk]) == f"/sessions/{session.pk}/"
