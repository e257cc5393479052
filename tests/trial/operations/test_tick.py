"""What the system does by itself, every minute."""

import logging
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import CommandError, call_command

from tests.factories import NOW, Trial
from trial.base.models import AuditSeal
from trial.messages import actions as outbox
from trial.messages.models import OutboxMessage, Task
from trial.operations import tick
from trial.safety.actions import raise_alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial(clock):
    return Trial().open_randomisation()


def counts(results):
    return {result.job: result.n for result in results}


def test_everything_that_is_due_is_done_once(trial):
    participant = trial.randomised(at=NOW - timedelta(days=30))
    raise_alert(participant=participant, trigger="distress", severity="urgent", by=trial.coordinator, at=NOW)
    Session.objects.create(session_key="old", session_data="x", expire_date=NOW - timedelta(minutes=1))
    later = NOW + timedelta(days=2)

    first, second = counts(tick.run(at=later)), counts(tick.run(at=later))

    assert first["alerts escalated"] == 1
    assert first["questionnaire messages written"] == 1
    assert first["visits to collect"] == second["visits to collect"] == 0  # a link is on its way
    assert first["messages sent"] >= 1
    assert first["sessions deleted"] == 1
    assert first["audit entries sealed"] > 0
    repeated = {job: n for job, n in second.items() if n and job != "duties ending"}
    assert repeated == {}
    assert not Task.objects.filter(kind="visit_due").exists()


def test_nothing_to_do_is_no_fault_before_there_is_a_protocol(db, clock):
    assert set(counts(tick.run(at=NOW)).values()) == {0}


def test_a_job_that_fails_keeps_no_other_from_running(trial, settings, caplog):
    outbox.write_message(key="k", kind="x", heading="H", body="B", at=NOW, to_user=trial.clinician)
    settings.EMAIL_BACKEND = "no.such.backend"

    with caplog.at_level(logging.CRITICAL):
        results = tick.run(at=NOW)

    assert [result.job for result in results if result.has_failed] == ["messages sent"]
    assert AuditSeal.objects.exists()


def test_the_command_prints_counts_only(trial, capsys):
    outbox.write_message(key="k", kind="x", heading="Heading", body="Body", at=NOW, to_user=trial.clinician)

    call_command("tick")

    printed = capsys.readouterr().out.splitlines()
    assert "messages sent: 1" in printed
    assert all(line.rpartition(": ")[2].isdigit() for line in printed)
    assert len(mail.outbox) == 1


def test_the_command_fails_when_a_job_does(trial, settings, caplog):
    outbox.write_message(key="k", kind="x", heading="H", body="B", at=NOW, to_user=trial.clinician)
    settings.EMAIL_BACKEND = "no.such.backend"

    with caplog.at_level(logging.CRITICAL), pytest.raises(CommandError, match="Failed: messages sent"):
        call_command("tick")


def test_a_mail_server_that_is_down_is_tried_again_later(trial, settings):
    outbox.write_message(key="k", kind="x", heading="H", body="B", at=NOW, to_user=trial.clinician)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1

    tick.run(at=NOW)

    stored = OutboxMessage.objects.get()
    assert (stored.state, stored.n_attempts) == ("queued", 1)
    assert stored.send_after > NOW
