"""The administrator's home and the messages (ux.md section 3)."""

import pytest

from tests.factories import NOW, Trial, make_user, staff
from trial.access.policy import Role
from trial.base import audit
from trial.messages import actions as outbox
from trial.messages.models import OutboxMessage

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial(clock):
    return Trial()


@pytest.fixture
def page(trial, client):
    client.force_login(staff(Role.ADMINISTRATOR))
    return client


def failed(trial, **more):
    message = outbox.write_message(
        key="k", kind="risk_alert", heading="Heading", body="Body", at=NOW, to_user=trial.clinician, **more
    )
    message.state, message.n_attempts, message.last_error = OutboxMessage.State.FAILED, 5, "ConnectionRefusedError"
    return message.save_by(None, "Not sent")


def test_the_home_says_how_the_system_is_doing(page, trial):
    make_user("No Role")
    audit.seal(at=NOW)

    shown = page.get("/settings/").content.decode()

    assert "Invite a person" in shown
    assert "1 active account without a role" in shown
    assert "Tamar Vale" in shown
    assert "GREENRXF" in shown or trial.version.study_code in shown
    assert "Audit trail last sealed" in shown


def test_the_home_opens_before_there_is_a_protocol(client, clock):
    client.force_login(staff(Role.ADMINISTRATOR))

    shown = client.get("/settings/").content.decode()

    assert "None is loaded" in shown
    assert "Run manage.py tick every minute" in shown


def test_the_home_shows_no_participant(page, trial):
    participant = trial.consented(first_name="Zebedee", last_name="Quill")

    shown = page.get("/settings/").content.decode() + page.get("/settings/messages/").content.decode()

    assert participant.study_id not in shown
    assert participant.referral.screening_number not in shown
    assert "Zebedee" not in shown


def test_messages_are_listed_without_their_text_or_participant(page, trial):
    referral = trial.refer()
    failed(trial, referral=referral)

    shown = page.get("/settings/messages/").content.decode()

    assert "Risk alert" in shown
    assert "ConnectionRefusedError" in shown
    assert "Body" not in shown
    assert referral.screening_number not in shown


@pytest.mark.parametrize("state", ["queued", "sent", "stopped", "failed", "nonsense"])
def test_messages_of_each_state_have_a_page(page, state):
    assert page.get("/settings/messages/", {"state": state}).status_code == 200


def test_a_message_that_failed_is_sent_again_once(page, trial):
    message = failed(trial)

    page.post(f"/settings/messages/{message.pk}/again/")
    second = page.post(f"/settings/messages/{message.pk}/again/", follow=True)

    stored = OutboxMessage.objects.get()
    assert (stored.state, stored.n_attempts) == ("queued", 0)
    assert "Only one that failed is sent again" in second.content.decode()


def test_a_message_that_is_not_there_is_not_found(page):
    assert page.post("/settings/messages/99/again/").status_code == 404
    assert page.get("/settings/messages/99/again/").status_code == 405
