"""The register on a phone: own groups only, first names and study numbers, every button a form."""

import re
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from django.urls import reverse
from pypdf import PdfReader

from tests.factories import NOW, Trial, staff
from tests.trial.activities.builders import fill, make_group, make_participant, session_of
from trial.access.models import AccessEvent
from trial.access.policy import Role
from trial.activities import actions as activity_actions
from trial.activities.models import Session
from trial.attendance import actions, paper
from trial.attendance.models import Mark
from trial.safety.models import RiskAlert

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


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
    found = session_of(group)
    before = found.starts_at - timedelta(minutes=12)
    return activity_actions.confirm_risk_check(session=found, checked_at=before, by=group.leader, at=before)


@pytest.fixture
def leader(client, group):
    client.force_login(group.leader)
    return client


def url(session, name="register", **more):
    return reverse(f"attendance:{name}", kwargs={"session": session.pk, **more})


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def tap(client, session, person, mark="here", **changes):
    return send_tap(client, session, {"person": person.pk, "mark": mark} | changes)


def send_tap(client, session, changes):
    return client.post(url(session, "mark"), {"key": str(uuid4()), "replaces": "", "mark": "here"} | changes)


class TestTheLeadersHome:
    def test_shows_todays_sessions_what_is_next_and_registers_to_finish(self, leader, session):
        text = text_of(leader.get(reverse("attendance:home")))

        assert "Thursday morning group 10am to 12pm, Tavyside Hall Session 6 of 10. 3 people, 0 marked" in text
        assert "Registers to finish" in text
        assert "Thursday 2 July 2026, 10am to 12pm" in text
        assert "Thursday 25 June 2026" not in text
        assert "Thursday 16 July 2026, 10am to 12pm" in text

    def test_without_a_session_it_says_so(self, client, trial):
        client.force_login(staff(Role.ACTIVITY_LEADER, trial.site))

        text = text_of(client.get(reverse("attendance:home")))

        assert "You have no session today." in text
        assert "No later session is planned." in text


class TestWhoseRegister:
    PAGES = ("register", "mark", "everyone", "risk_check", "visitor", "cancel", "concern", "finish", "paper_entry")

    @pytest.mark.parametrize("name", [*PAGES, "paper", "marks"])
    def test_another_leaders_register_does_not_exist(self, client, trial, session, name):
        client.force_login(staff(Role.ACTIVITY_LEADER, trial.site, name="Jo Penrose"))

        post = name in {"mark", "everyone", "finish", "marks"}
        response = client.post(url(session, name)) if post else client.get(url(session, name))

        assert response.status_code == 404

    def test_a_co_leader_takes_the_register_too(self, client, trial, group, session):
        other = staff(Role.ACTIVITY_LEADER, trial.site)
        group.co_leader = other
        group.save_by(None, "Made for a test")
        client.force_login(other)

        assert client.get(url(session)).status_code == 200

    def test_a_coordinator_of_the_site_does_and_one_of_another_does_not(self, client, trial, session):
        from tests.factories import site

        client.force_login(trial.coordinator)
        assert client.get(url(session)).status_code == 200

        client.force_login(staff(Role.COORDINATOR, site("02")))
        assert client.get(url(session)).status_code == 404

    @pytest.mark.parametrize("role", [Role.OUTCOME_ASSESSOR, Role.PRINCIPAL_INVESTIGATOR, Role.MONITOR])
    def test_other_roles_are_refused(self, client, trial, session, role):
        client.force_login(staff(role, trial.site))

        assert client.get(url(session)).status_code == 403

    def test_a_leader_sees_no_record_and_no_sessions_of_the_site(self, leader, session):
        assert leader.get(reverse("attendance:sessions")).status_code == 403
        assert leader.get(reverse("attendance:session", args=[session.pk])).status_code == 403
        assert leader.get(reverse("activities:groups")).status_code == 403

    def test_a_session_that_does_not_exist(self, leader):
        assert leader.get("/register/999999/").status_code == 404
        assert leader.get("/register/99999999999999999999999999/").status_code == 404


class TestTheRegister:
    def test_shows_first_names_and_study_numbers_and_nothing_else_of_anybody(self, leader, session, people):
        response = leader.get(url(session))
        text = text_of(response)

        assert "Aisha GRX-01-001-7" in text
        for hidden in ("Trelawny", "1950", "01632 960123", "nature", "indoor", "PHQ", "arm"):
            assert not re.search(rf"\b{hidden}\b", response.content.decode(), re.IGNORECASE), hidden

    def test_says_which_session_and_when_the_risk_check_was_done(self, leader, session):
        text = text_of(leader.get(url(session)))

        assert "10am to 12pm, Tavyside Hall" in text
        assert "Session 6 of 10. Risk check done 9:48am" in text
        assert "Nothing to send yet 0 of 3 marked" in text

    def test_a_button_marks_and_leads_back_to_the_card(self, leader, session, people):
        response = tap(leader, session, people[0])

        assert response.status_code == 302
        assert response["Location"] == f"/register/{session.pk}/#person-{people[0].pk}"
        page = leader.get(url(session))
        assert "All sent at 11am 1 of 3 marked" in text_of(page)
        assert page.content.decode().count('aria-pressed="true"') == 1

    def test_each_card_carries_its_own_key_and_the_mark_it_replaces(self, leader, session, people):
        tap(leader, session, people[0])
        page = leader.get(url(session)).content.decode()

        keys = re.findall(r'name="key" value="([0-9a-f-]{36})"', page)
        replaces = re.findall(r'name="replaces" value="([0-9a-f-]*)"', page)
        assert len(set(keys)) == 4  # three people and "Everyone here"
        assert replaces == [str(Mark.objects.get().key), "", ""]

    def test_a_button_pressed_twice_marks_once(self, leader, session, people):
        key = str(uuid4())

        tap(leader, session, people[0], key=key)
        tap(leader, session, people[0], key=key)

        assert Mark.objects.count() == 1

    def test_a_contradiction_is_shown_on_the_card(self, leader, client, trial, session, people):
        actions.mark(
            key=uuid4(), session=session, participant=people[1], status="absent", by=trial.coordinator,
            captured_at=NOW, at=NOW,
        )  # fmt: skip

        tap(leader, session, people[1], "here")

        text = text_of(leader.get(url(session)))
        assert "1 mark needs checking. Everything else sent at 11am." in text
        assert "Asha Patel marked Absent at 11am. You marked Here at 11am. The coordinator will check." in text

    def test_everyone_here_leaves_those_who_are_marked(self, leader, session, people):
        tap(leader, session, people[0], "absent")

        leader.post(url(session, "everyone"), {"key": str(uuid4())})

        assert sorted(Mark.objects.current().values_list("status", flat=True)) == ["absent", "full", "full"]

    def test_a_finished_register_says_so(self, leader, session, people):
        leader.post(url(session, "everyone"), {"key": str(uuid4())})

        response = leader.post(url(session, "finish"), follow=True)

        assert "Register finished." in text_of(response)
        assert Session.objects.get(pk=session.pk).status == "delivered"

    def test_finishing_too_early_names_who_is_missing(self, leader, session, people):
        response = leader.post(url(session, "finish"), follow=True)

        assert f"3 people have no mark: {people[0]}, {people[1]}, {people[2]}." in text_of(response)

    def test_a_finished_session_that_is_over_asks_why_a_mark_changes(self, leader, clock, session, people):
        leader.post(url(session, "everyone"), {"key": str(uuid4())})
        leader.post(url(session, "finish"))
        clock.shift(timedelta(hours=3))
        leader.force_login(session.group.leader)

        page = leader.get(url(session))
        assert "This register is finished. To change a mark, choose More and say why." in text_of(page)
        current = Mark.objects.current().get(participant=people[0])
        data = {"key": str(uuid4()), "replaces": str(current.key), "status": "absent"}
        more = url(session, "more", number=people[0].study_id)
        assert "Say why the register changes" in text_of(leader.post(more, data))
        leader.post(more, data | {"reason": "Wrong Aisha"})
        assert Mark.objects.current().get(participant=people[0]).reason == "Wrong Aisha"

    def test_the_names_are_shown_before_the_start_but_nobody_is_marked(self, leader, group, people):
        page = text_of(leader.get(url(session_of(group, 7))))

        assert "The risk check and the register open on 16 July 2026." in page
        assert "Aisha GRX-01-001-7" in page
        assert "Everyone here" not in page

    @pytest.mark.parametrize(
        "changes",
        [
            {"key": "not-a-key"},
            {"key": ""},
            {"mark": "dancing"},
            {"replaces": "\x00"},
            {"person": "Aisha"},
            {"person": "9" * 30},
        ],
    )
    def test_a_button_that_was_tampered_with_marks_nobody(self, leader, session, people, changes):
        response = send_tap(leader, session, {"person": people[0].pk} | changes)

        assert response.status_code == 302
        assert not Mark.objects.exists()

    def test_nobody_of_another_group_is_marked(self, leader, trial, session, people):
        stranger = make_participant(trial, "Zoe")

        assert tap(leader, session, stranger).status_code == 404
        assert leader.get(url(session, "more", number=stranger.study_id)).status_code == 404
        assert not Mark.objects.exists()

    @pytest.mark.parametrize("n_people", [3, 12])
    def test_the_number_of_queries_does_not_depend_on_the_number_of_people(
        self, client, trial, django_assert_num_queries, n_people
    ):
        group = make_group(trial, name="Friday group")
        session = session_of(group)
        for person in fill(trial, group, n_people):
            actions.mark(
                key=uuid4(), session=session, participant=person, status="full", by=group.leader,
                captured_at=NOW, at=NOW,
            )  # fmt: skip
        client.force_login(group.leader)
        client.get(url(session))

        with django_assert_num_queries(12):
            client.get(url(session))


class TestMore:
    def send(self, client, session, person, **data):
        page = url(session, "more", number=person.study_id)
        return client.post(page, {"key": str(uuid4()), "replaces": ""} | data)

    def test_late_or_early_with_minutes_and_somebody_who_came_along(self, leader, session, people):
        self.send(leader, session, people[0], status="part", minutes="45", companion="yes")

        mark = Mark.objects.get()
        assert (mark.status, mark.minutes, mark.companion) == ("part", 45, True)
        assert "Here for 45 minutes. Came with somebody" in text_of(leader.get(url(session)))

    def test_told_us_with_a_reason(self, leader, session, people):
        self.send(leader, session, people[0], status="absent_told", absence_reason="UNWELL")

        assert Mark.objects.get().absence_reason == "UNWELL"
        assert "Told us they would not come" in text_of(leader.get(url(session)))

    def test_starts_from_the_mark_that_counts(self, leader, session, people):
        self.send(leader, session, people[0], status="part", minutes="45")

        page = leader.get(url(session, "more", number=people[0].study_id)).content.decode()

        assert 'value="45"' in page
        assert str(Mark.objects.get().key) in page

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({}, "Select what happened"),
            ({"status": "part"}, "Enter how many minutes they were there, between 1 and 120"),
            ({"status": "part", "minutes": "121"}, "between 1 and 120"),
            ({"status": "part", "minutes": "lots"}, "must be a number"),
            ({"status": "full", "companion": "perhaps"}, "Select yes or no"),
            ({"status": "absent", "absence_reason": "ALIENS"}, "There is a problem"),
        ],
    )
    def test_what_is_wrong_is_said_and_what_was_right_is_kept(self, leader, session, people, data, words):
        response = self.send(leader, session, people[0], **data)

        assert words in text_of(response)
        assert "<title>Error:" in response.content.decode()
        assert not Mark.objects.exists()


class TestEmergencyContact:
    def test_is_shown_when_asked_for_and_logged(self, leader, session, people):
        response = leader.post(url(session, "emergency", number=people[0].study_id))

        assert "Emergency contact of Aisha" in text_of(response)
        assert "Trelawny" not in response.content.decode()
        assert AccessEvent.objects.filter(kind="identity_viewed").count() == 1

    def test_of_somebody_else_it_does_not_exist(self, leader, trial, session):
        stranger = make_participant(trial, "Zoe")

        assert leader.post(url(session, "emergency", number=stranger.study_id)).status_code == 404
        assert not AccessEvent.objects.filter(kind="identity_viewed").exists()


class TestRiskCheck:
    @pytest.fixture
    def unchecked(self, group, people):
        return session_of(group)

    def test_comes_first(self, leader, unchecked):
        text = text_of(leader.get(url(unchecked)))

        assert "Risk check first" in text
        assert "Everyone here" not in text

    def test_yes_confirms_it(self, leader, unchecked):
        leader.post(url(unchecked, "risk_check"), {"safe": "yes"})

        assert Session.objects.get(pk=unchecked.pk).risk_checked_at == NOW

    def test_a_group_below_its_minimum_is_told_before_its_first_session(self, leader, group, people):
        first = text_of(leader.get(url(session_of(group, 1))))

        assert "This group needs 5 members to start and has fewer." in first
        assert "needs 5 members" not in text_of(leader.get(url(session_of(group, 2))))

    def test_no_leads_to_cancelling(self, leader, unchecked):
        response = leader.post(url(unchecked, "risk_check"), {"safe": "no"})

        assert response["Location"] == url(unchecked, "cancel")
        assert Session.objects.get(pk=unchecked.pk).risk_checked_at is None

    def test_without_an_answer_it_asks(self, leader, unchecked):
        assert "Select yes or no" in text_of(leader.post(url(unchecked, "risk_check")))

    def test_of_a_session_that_is_over_it_asks_for_the_time(self, client, clock, trial, unchecked):
        clock.shift(timedelta(days=1))
        client.force_login(trial.coordinator)

        missing = client.post(url(unchecked, "risk_check"), {"safe": "yes"})
        wrong = client.post(url(unchecked, "risk_check"), {"safe": "yes", "clock": "3pm"})
        client.post(url(unchecked, "risk_check"), {"safe": "yes", "clock": "9:50am"})

        assert "Enter the time of the risk check" in text_of(missing)
        assert "before the end of the session" in text_of(wrong)
        assert Session.objects.get(pk=unchecked.pk).risk_checked_at == unchecked.starts_at - timedelta(minutes=10)


class TestOtherButtons:
    def test_a_leader_cancels_a_session(self, leader, session):
        response = leader.post(url(session, "cancel"), {"reason": "weather"}, follow=True)

        assert "This session is cancelled: weather. Nobody counts as absent." in text_of(response)
        assert "already cancelled" in text_of(leader.post(url(session, "cancel"), {"reason": "weather"}))

    def test_a_cancellation_needs_a_reason(self, leader, session):
        assert "Select why the session is cancelled" in text_of(leader.post(url(session, "cancel")))

    def test_a_concern_goes_to_the_duty_clinician_once(self, leader, session, people):
        data = {"person": people[0].pk, "text": "She spoke of not wanting to go on"}

        page = text_of(leader.get(url(session, "concern")))
        leader.post(url(session, "concern"), data)
        response = leader.post(url(session, "concern"), data, follow=True)

        assert "01632 960999" in page
        assert "999" in page
        assert RiskAlert.objects.get().trigger == "leader"
        assert "Concern sent." in text_of(response)
        assert "not wanting" not in response.content.decode()

    def test_a_concern_is_about_somebody_and_says_something(self, leader, trial, session, people):
        stranger = make_participant(trial, "Zoe")

        response = leader.post(url(session, "concern"), {"person": stranger.pk, "text": ""})

        assert "Select the person" in text_of(response)
        assert "Say what happened" in text_of(response)
        assert not RiskAlert.objects.exists()

    def test_a_visitor_who_does_not_exist_at_the_site(self, leader, session):
        data = {"key": str(uuid4()), "study_id": "grx-01-999-0"}

        assert "no participant GRX-01-999-0 at this site" in text_of(leader.post(url(session, "visitor"), data))

    def test_a_visitor_is_a_card_without_a_name_that_can_be_taken_back(self, leader, trial, session):
        visitor = make_participant(trial, "Zoe")
        key = uuid4()
        Mark(
            key=key, session=session, participant=visitor, status="other_arm", marked_by=session.group.leader,
            captured_at=NOW, received_at=NOW,
        ).save()  # fmt: skip

        before = text_of(leader.get(url(session)))
        tap(leader, session, visitor, "absent", replaces=str(key))

        assert f"Visitor {visitor}" in before
        assert "Zoe" not in before
        assert str(visitor) not in text_of(leader.get(url(session)))

    def test_a_member_is_no_visitor(self, leader, session, people):
        data = {"key": str(uuid4()), "study_id": str(people[0])}

        assert "is in this group" in text_of(leader.post(url(session, "visitor"), data))


class TestPaper:
    def test_the_sheet_has_names_and_numbers_and_who_printed_it(self, leader, session, people):
        response = leader.get(reverse("attendance:paper", args=[session.pk]))

        pages = PdfReader(BytesIO(response.content)).pages
        text = pages[0].extract_text()
        assert response["Content-Type"] == "application/pdf"
        for words in (
            "Aisha",
            str(people[0]),
            "Thursday 9 July 2026",
            "Page 1 of 1",
            "Printed 9 July 2026 by Sam Treloar",
        ):
            assert words in text
        for hidden in ("Trelawny", "nature", "indoor"):
            assert hidden not in text.lower()
        assert AccessEvent.objects.filter(kind="exported").count() == 1

    def test_a_long_register_goes_on_with_its_heading(self, group, session):
        session.n_planned = 10
        people = [(f"Ŵyn <b>{n}</b> Łukasz Ж", f"GRX-01-{n:03}-0") for n in range(40)]

        pages = PdfReader(BytesIO(paper.draw(session, people, "Sam Treloar", NOW))).pages

        assert len(pages) == 2
        for number, page in enumerate(pages, start=1):
            assert f"Page {number} of 2" in page.extract_text()
            assert "Study number" in page.extract_text()
        assert "Wyn <b>0</b>" in pages[0].extract_text()

    def test_letters_that_the_font_lacks_lose_their_accent(self):
        assert paper.printable("Éilis Ŵyn Ж") == "Éilis Wyn ?"

    def test_a_paper_register_is_entered_by_the_coordinator(self, client, clock, trial, session, people):
        clock.shift(timedelta(days=1))
        client.force_login(trial.coordinator)
        data = {
            "key": str(uuid4()),
            "paper_by": "Sam Treloar",
            "captured_at_0": "9",
            "captured_at_1": "7",
            "captured_at_2": "2026",
            "captured_at_3": "12:05pm",
            f"person_{people[0].pk}": "full",
            f"person_{people[1].pk}": "absent_told",
        }

        response = client.post(url(session, "paper_entry"), data)
        again = client.post(url(session, "paper_entry"), data)

        assert response.status_code == 302
        assert again.status_code in (200, 302)
        assert sorted(Mark.objects.values_list("status", "paper_by")) == [
            ("absent_told", "Sam Treloar"),
            ("full", "Sam Treloar"),
        ]

    def test_a_paper_register_says_who_kept_it(self, leader, session, people):
        response = leader.post(url(session, "paper_entry"), {"key": str(uuid4())})

        assert "Enter who recorded the register on paper" in text_of(response)


def test_a_signed_out_leader_comes_back_to_the_register(client, session):
    response = client.get(url(session))

    assert response.status_code == 302
    assert response["Location"].endswith(f"?next=/register/{session.pk}/")
