"""The outbox is emptied: each message once, retried, given up after five attempts, stopped when no longer wanted."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection

from tests.factories import NOW, Trial, make_user
from trial.base import triggers
from trial.messages import actions, sending
from trial.messages.models import OutboxMessage
from trial.participants import identity

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


class Unreachable(EmailBackend):
    """A mail server that does not answer, or refuses one address."""

    def send_messages(self, messages):
        if any("refused@" in address for message in messages for address in message.to):
            raise ConnectionRefusedError("refused@example.org cannot be reached")
        return super().send_messages(messages)


@pytest.fixture
def unreachable(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Unreachable"


def write(key="fact", at=NOW, address="asha@example.org", **more):
    return actions.write_message(
        key=key,
        kind="notice",
        heading="A notice",
        body="Text",
        at=at,
        to_user=None if "referral" in more else make_user(email=address),
        **more,
    )


def state_of(message):
    return OutboxMessage.objects.get(pk=message.pk).state


def test_a_message_is_sent_once():
    message = write()

    assert sending.send_due(at=NOW) == (1, 0)
    assert sending.send_due(at=NOW) == (0, 0)

    (sent,) = mail.outbox
    assert (sent.subject, sent.body, sent.to) == ("A notice", "Text", ["asha@example.org"])
    stored = OutboxMessage.objects.get(pk=message.pk)
    assert (stored.state, stored.sent_at, stored.n_attempts) == ("sent", NOW, 1)


def test_a_message_waits_for_its_time():
    message = write(send_after=NOW + timedelta(minutes=1))

    assert sending.send_due(at=NOW) == (0, 0)
    assert sending.send_due(at=NOW + timedelta(minutes=1)) == (1, 0)
    assert state_of(message) == "sent"


def test_a_message_that_could_not_be_sent_is_tried_again_later_and_later(unreachable):
    message = write(address="refused@example.org")
    gaps, at = [], NOW
    for _ in range(4):
        assert sending.send_due(at=at) == (0, 1)
        stored = OutboxMessage.objects.get(pk=message.pk)
        gaps.append((stored.send_after - at).total_seconds() / 60)
        assert sending.send_due(at=stored.send_after - timedelta(seconds=1)) == (0, 0)
        at = stored.send_after

    assert gaps == [10, 20, 40, 80]
    assert (stored.state, stored.n_attempts, stored.last_error) == ("queued", 4, "ConnectionRefusedError")


def test_after_five_attempts_it_has_failed(unreachable):
    message = write(address="refused@example.org")
    for _ in range(5):
        sending.send_due(at=OutboxMessage.objects.get(pk=message.pk).send_after)

    stored = OutboxMessage.objects.get(pk=message.pk)

    assert (stored.state, stored.n_attempts) == ("failed", 5)
    assert sending.send_due(at=NOW + timedelta(days=30)) == (0, 0)
    assert stored.history.count() == 6


def test_one_that_fails_does_not_stop_the_others(unreachable):
    bad = write("bad", address="refused@example.org")
    good = write("good", at=NOW + timedelta(seconds=1))

    assert sending.send_due(at=NOW + timedelta(minutes=1)) == (1, 1)
    assert (state_of(bad), state_of(good)) == ("queued", "sent")


def test_what_is_kept_of_an_error_names_nobody(unreachable):
    message = write(address="refused@example.org")

    sending.send_due(at=NOW)

    assert OutboxMessage.objects.get(pk=message.pk).last_error == "ConnectionRefusedError"


def test_a_message_that_is_no_longer_wanted_is_stopped(monkeypatch):
    unwanted, wanted = write("unwanted"), write("wanted", address="other@example.org")
    monkeypatch.setattr(sending, "may_still_go", [lambda message: message.key != "unwanted"])

    assert sending.send_due(at=NOW) == (1, 1)

    assert (state_of(unwanted), state_of(wanted)) == ("stopped", "sent")
    assert [m.to for m in mail.outbox] == [["other@example.org"]]
    assert sending.send_due(at=NOW) == (0, 0)


def test_a_participants_address_is_read_at_the_moment_of_sending():
    trial = Trial()
    referral = trial.refer(email="old@example.org")
    message = write(referral=referral)
    data = replace(identity.read(referral.person), email="new@example.org")
    identity.change(referral=referral, data=data, reason="Moved", by=trial.coordinator)

    sending.send_due(at=NOW)

    assert mail.outbox[0].to == ["new@example.org"]
    stored = OutboxMessage.objects.get(pk=message.pk)
    assert "new@example.org" not in str([*stored.history.values(), vars(stored)])


def test_without_an_address_it_is_not_sent():
    message = write(referral=Trial().refer(email=""))

    assert sending.send_due(at=NOW) == (0, 1)
    assert OutboxMessage.objects.get(pk=message.pk).last_error == "ValueError"


def test_somebody_whose_details_were_destroyed_gets_nothing_and_stops_nobody():
    referral = Trial().refer(email="old@example.org")
    person = referral.person
    for column in ("wrapped_key", "nhs_number_hash", "name_birth_hash", "birth_date_hash", "surname_hash"):
        setattr(person, column, "")
    with triggers.lifted(connection):  # stands for the disposal that two people agree
        person.save_by(None, "Disposed of")
    gone = write("gone", referral=referral)
    write("good", at=NOW + timedelta(seconds=1))

    assert sending.send_due(at=NOW + timedelta(minutes=1)) == (1, 1)

    stored = OutboxMessage.objects.get(pk=gone.pk)
    assert (stored.state, stored.last_error) == ("queued", "KeyDestroyed")
    assert [m.to for m in mail.outbox] == [["asha@example.org"]]


def test_a_heading_cannot_smuggle_in_another_recipient():
    message = actions.write_message(
        key="k", kind="notice", heading="A\nBcc: other@example.org", body="", at=NOW, to_user=make_user()
    )

    assert sending.send_due(at=NOW) == (0, 1)
    assert OutboxMessage.objects.get(pk=message.pk).last_error == "BadHeaderError"
    assert mail.outbox == []
