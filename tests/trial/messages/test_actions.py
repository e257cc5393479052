"""Tasks and messages: made once for each cause, whatever happens twice (BR-62)."""

from datetime import timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, make_user
from trial.messages import actions
from trial.messages.models import OutboxMessage, Task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def referral(trial):
    return trial.refer()


def open_task(referral, key="cause", **more):
    given = {
        "kind": "welfare_call",
        "role": "coordinator",
        "site": referral.site,
        "title": "Ring the person",
        "detail": "Absent twice",
        "link": "/people/",
        "due_date": TODAY,
        "at": NOW,
    }
    return actions.open_task(key=key, referral=referral, **given | more)


def write(referral=None, key="fact", **more):
    given = {"kind": "notice", "heading": "A notice", "body": "Text", "at": NOW}
    return actions.write_message(key=key, referral=referral, **given | more)


def test_the_same_cause_makes_one_task(referral):
    first = open_task(referral)

    again = open_task(referral, detail="Absent three times", at=LATER)

    assert again == first
    assert Task.objects.get(key="cause").detail == "Absent twice"
    assert open_task(referral, key="another") != first


def test_a_task_that_was_done_stays_done(referral):
    open_task(referral)
    person = make_user()
    actions.close_task(key="cause", by=person, at=LATER)

    open_task(referral)

    task = Task.objects.get(key="cause")
    assert (task.done_at, task.done_by) == (LATER, person)


def test_a_cause_that_grows_opens_its_task_again(referral):
    open_task(referral)
    actions.close_task(key="cause", by=make_user(), at=NOW)

    actions.reopen_task(key="cause", detail="A later answer", due_date=TODAY + timedelta(days=1), at=LATER)

    task = Task.objects.open().get(key="cause")
    assert (task.detail, task.due_date, task.done_by) == ("A later answer", TODAY + timedelta(days=1), None)
    assert task.history.count() == 3


def test_closing_twice_keeps_the_first_time(referral):
    open_task(referral)
    actions.close_task(key="cause", by=None, at=NOW)

    actions.close_task(key="cause", by=make_user(), at=LATER)
    actions.close_task(key="unknown", by=None, at=LATER)

    assert Task.objects.get(key="cause").done_at == NOW


def test_all_tasks_about_a_referral_are_closed_or_those_of_some_kinds(trial, referral):
    other = trial.refer()
    open_task(referral, key="a")
    open_task(referral, key="b", kind="query")
    open_task(other, key="c")

    actions.close_tasks_of(referral=referral, by=None, at=NOW, kinds=["query"])
    assert set(_open_keys()) >= {"a", "c"}
    assert "b" not in _open_keys()
    actions.close_tasks_of(referral=referral, by=None, at=NOW)

    assert "a" not in _open_keys()
    assert "c" in _open_keys()


def _open_keys():
    return list(Task.objects.open().values_list("key", flat=True))


def test_the_same_fact_writes_one_message(referral):
    first = write(referral)

    assert write(referral, body="Other") == first
    assert OutboxMessage.objects.get().body == "Text"


def test_a_message_to_staff_holds_their_address_and_one_to_a_participant_does_not(referral):
    person = make_user(email="asha@example.org")

    to_staff, to_participant = write(to_user=person), write(referral, key="other")

    assert to_staff.address == "asha@example.org"
    assert to_participant.address == ""
    assert (to_participant.state, to_participant.send_after) == ("queued", NOW)


def test_what_waits_for_a_person_is_stopped_and_what_was_sent_stays(referral):
    waiting, sent = write(referral, key="waiting"), write(referral, key="sent")
    write(key="of another", to_user=make_user())
    sent.state = "sent"
    sent.save_by(None)

    actions.stop_messages(referral=referral, at=NOW, by=make_user())

    states = dict(OutboxMessage.objects.values_list("key", "state"))
    assert states == {"waiting": "stopped", "sent": "sent", "of another": "queued"}
    assert waiting.history.first().history_change_reason == "Stopped by a participation change"


@pytest.mark.parametrize("state", ["queued", "sent", "stopped"])
def test_only_a_message_that_failed_is_sent_again(referral, state):
    message = write(referral)
    message.state = state
    message.save_by(None)

    with pytest.raises(actions.NotFailed):
        actions.requeue(message=message, by=make_user(), at=LATER)


def test_a_failed_message_goes_back_into_the_queue_with_its_attempts_to_come(referral):
    message = write(referral)
    message.state, message.n_attempts = "failed", 5
    message.save_by(None)

    again = actions.requeue(message=message, by=make_user(), at=LATER)

    assert (again.state, again.n_attempts, again.send_after) == ("queued", 0, LATER)
