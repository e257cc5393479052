"""Marks sent as JSON: answered key by key, under the person who made them, with the same rules as the buttons."""

import json
from uuid import uuid4

import pytest
from django.test import Client

from tests.factories import NOW, Trial, staff
from tests.trial.activities.builders import fill, make_group, make_participant, session_of
from trial.access.policy import Role
from trial.attendance import actions
from trial.attendance.models import Mark

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
    return session_of(group)


@pytest.fixture
def phone(client, group):
    client.force_login(group.leader)
    return client


def sent(session, person, status="full", **more):
    return {
        "key": str(uuid4()),
        "user": session.group.leader_id,
        "person": person.pk,
        "status": status,
        "captured_at": "2026-07-09T10:59:00+01:00",
    } | more


def post(client, session, *marks):
    body = json.dumps({"marks": list(marks)})
    return client.post(f"/register/{session.pk}/marks/", body, content_type="application/json")


def answers(response):
    return [found["result"] for found in response.json()["results"]]


def test_each_mark_is_answered_under_its_key(phone, session, people):
    marks = [sent(session, person) for person in people]

    response = post(phone, session, *marks)

    assert answers(response) == ["saved"] * 3
    assert [found["key"] for found in response.json()["results"]] == [mark["key"] for mark in marks]
    assert [found["current"] for found in response.json()["results"]] == [mark["key"] for mark in marks]
    assert Mark.objects.first().captured_at.isoformat() == "2026-07-09T09:59:00+00:00"


def test_a_queue_sent_again_after_a_time_out_is_a_duplicate(phone, session, people):
    marks = [sent(session, person) for person in people]
    post(phone, session, *marks)

    assert answers(post(phone, session, *marks)) == ["duplicate"] * 3
    assert Mark.objects.count() == 3


def test_a_change_of_mind_in_one_queue_replaces_the_mark_before_it(phone, session, people):
    first = sent(session, people[0])
    second = sent(session, people[0], "absent", replaces=first["key"])

    assert answers(post(phone, session, first, second)) == ["saved", "saved"]
    assert Mark.objects.current().get().status == "absent"


def test_a_contradiction_names_both_people_and_the_mark_that_counts(phone, trial, session, people):
    there = actions.mark(
        key=uuid4(), session=session, participant=people[0], status="absent", by=trial.coordinator,
        captured_at=NOW, at=NOW,
    )  # fmt: skip

    found = post(phone, session, sent(session, people[0])).json()["results"][0]

    assert found["result"] == "conflict"
    assert "Asha Patel marked Absent" in found["text"]
    assert found["current"] == str(there.mark.key)


def test_a_used_key_with_something_else_in_it_is_rejected(phone, session, people):
    first = sent(session, people[0])
    post(phone, session, first)

    assert answers(post(phone, session, first | {"status": "absent"})) == ["rejected"]


def test_marks_are_sent_only_under_the_user_who_made_them(phone, trial, session, people):
    other = staff(Role.ACTIVITY_LEADER, trial.site)

    response = post(phone, session, sent(session, people[0], user=other.pk), sent(session, people[1]))

    assert answers(response) == ["rejected", "saved"]
    assert "Another person made this mark" in response.json()["results"][0]["text"]


def test_somebody_who_is_not_on_the_register_is_rejected_alike_for_absent_and_not_yours(phone, trial, session):
    stranger = make_participant(trial, "Zoe")
    nobody = sent(session, stranger) | {"person": 999_999}

    response = post(phone, session, sent(session, stranger), nobody)

    texts = {found["text"] for found in response.json()["results"]}
    assert answers(response) == ["rejected", "rejected"]
    assert texts == {"This person is not on the register. Ring the coordinator."}


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "x"},
        {"status": "dancing"},
        {"status": None},
        {"minutes": -1},
        {"minutes": "many"},
        {"person": 2**70},
        {"person": "Aisha"},
        {"absence_reason": "\x00"},
        {"captured_at": "yesterday"},
        {"captured_at": "2026-07-09T10:59:00"},
        {"replaces": "\x00"},
        {"surname": "Trelawny"},
    ],
)
def test_a_mark_that_cannot_be_read_is_rejected_alone(phone, session, people, changes):
    response = post(phone, session, sent(session, people[0]) | changes, sent(session, people[1]))

    assert answers(response) == ["rejected", "saved"]


@pytest.mark.parametrize("item", [None, 3, "mark", [], {}])
def test_an_item_that_is_no_mark_is_rejected(phone, session, item):
    assert answers(post(phone, session, item)) == ["rejected"]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "{}", '{"marks": 3}', '{"marks": []}', "\xff", "[" * 100_000])
def test_a_body_of_another_shape_stores_nothing(phone, session, body):
    response = phone.post(f"/register/{session.pk}/marks/", body, content_type="application/json")

    assert response.status_code == 400
    assert "error" in response.json()


def test_more_than_fifty_marks_are_not_taken(phone, session, people):
    response = post(phone, session, *[sent(session, people[0]) for _ in range(51)])

    assert response.status_code == 400
    assert not Mark.objects.exists()


def test_a_mark_that_is_refused_says_why(phone, group, people):
    later = session_of(group, 7)

    found = post(phone, later, sent(later, people[0])).json()["results"][0]

    assert (found["result"], found["current"]) == ("rejected", None)
    assert "This session starts on 16 July 2026" in found["text"]


def test_without_a_token_against_forgery_nothing_is_taken(group, session, people):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(group.leader)

    assert post(strict, session, sent(session, people[0])).status_code == 403
    assert not Mark.objects.exists()


def test_another_leaders_session_does_not_exist(client, trial, session, people):
    client.force_login(staff(Role.ACTIVITY_LEADER, trial.site))

    assert post(client, session, sent(session, people[0])).status_code == 404


def test_it_takes_posts_only(phone, session):
    assert phone.get(f"/register/{session.pk}/marks/").status_code == 405
