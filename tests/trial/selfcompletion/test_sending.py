"""Messages with a link: by plan and once, stopped with their cause, filled in as they leave, sent and revoked by hand."""

from datetime import date, timedelta

import pytest
from django.core import mail

from tests.factories import NOW, final_lock
from tests.trial.selfcompletion.builders import AtHome, a_link, mailed_link, send_due, visit_of
from trial.journey import steps
from trial.messages.models import OutboxMessage, Task
from trial.operations import due, tick
from trial.participants import identity
from trial.participation.models import ParticipationChange
from trial.selfcompletion import sending
from trial.selfcompletion.errors import CannotSend
from trial.selfcompletion.models import SelfCompletion, SelfCompletionLink
from trial.selfcompletion.reads import hash_of, link_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
OPENED = NOW - timedelta(days=2)
"""The week 5 window opened on this day."""


def stop(trial, participant, cause="choice", **elements):
    steps.change_participation(
        participant=participant,
        effective_date=NOW.date(),
        decided_by=ParticipationChange.DecidedBy.PARTICIPANT,
        elements=elements,
        cause=cause,
        by=trial.coordinator,
        at=NOW,
    )


def kinds():
    return list(
        OutboxMessage.objects.filter(kind__startswith="questionnaire").order_by("id").values_list("kind", flat=True)
    )


def test_the_plan_writes_each_message_once(participant, clock):
    written = []
    for day in range(16):
        clock.move_to(OPENED + timedelta(days=day))
        written.append(sending.write_due(at=OPENED + timedelta(days=day)))
        assert sending.write_due(at=OPENED + timedelta(days=day)) == 0
        send_due(at=OPENED + timedelta(days=day, hours=1))

    assert [day for day, n in enumerate(written) if n] == [0, 3, 7, 14]
    assert kinds() == ["questionnaire_invitation"] + ["questionnaire_reminder"] * 3
    assert len({hash_of(one.body) for one in mail.outbox}) == 4  # each message has a link of its own


def test_after_days_without_the_job_only_the_last_message_goes(participant):
    assert sending.write_due(at=OPENED + timedelta(days=8)) == 1

    assert OutboxMessage.objects.get(kind="questionnaire_invitation").key.endswith(":7")


def test_nobody_is_written_to_at_night(participant):
    midnight = OPENED.replace(hour=0, minute=30)  # 1.30 in the morning in London

    sending.write_due(at=midnight)

    assert send_due(at=midnight) == 0
    assert OutboxMessage.objects.get(kind="questionnaire_invitation").send_after == midnight.replace(hour=8, minute=0)


def test_the_message_says_why_and_how_to_stop_and_names_neither_arm_nor_condition(participant, trial):
    tick.run(at=NOW)

    (message,) = [one for one in mail.outbox if "questions" in one.subject]
    assert message.subject == "Your next questions are ready"
    assert "Why we write: you agreed to take part" in message.body
    assert "To stop these messages" in message.body
    assert "21 July 2026" in message.body
    said = f"{message.subject} {message.body}".lower()
    secret = [arm.label.lower() for arm in trial.spec.arms] + [
        "depress",
        "mood",
        "phq",
        "carol",
        participant.study_id.lower(),
    ]
    assert [word for word in secret if word in said] == []


def test_the_link_is_stored_nowhere(participant):
    tick.run(at=NOW)

    token = mailed_link().split("/")[2]
    link = link_of(token)
    stored = OutboxMessage.objects.get(kind="questionnaire_invitation")
    assert len(token) == 32
    assert link.token_hash == hash_of(token)
    assert link.message == stored
    assert token not in stored.body
    assert AtHome(mailed_link()).open().heading == "Your questions"


def test_the_job_run_twice_sends_once(participant):
    tick.run(at=NOW)
    n_sent = len(mail.outbox)
    results = {result.job: result for result in tick.run(at=NOW)}

    assert len(mail.outbox) == n_sent
    assert results["questionnaire messages written"].n == 0
    assert not any(result.has_failed for result in results.values())


@pytest.mark.parametrize(
    "reason",
    ["reminders off", "online off", "contact off", "death", "lock", "revoked", "bounced", "no address", "closed"],
)
def test_what_stops_messages(trial, participant, reason, clock):
    sending.write_due(at=NOW)
    at = NOW + timedelta(days=1)  # the reminder of day 3
    visit = visit_of(participant)
    stops = {
        "reminders off": lambda: stop(trial, participant, reminders=False),
        "online off": lambda: stop(trial, participant, questionnaires_web=False),
        "contact off": lambda: stop(trial, participant, contact=False),
        "death": lambda: stop(trial, participant, cause="death"),
        "lock": final_lock,
        "revoked": lambda: (send_due(), mail.outbox.clear(), sending.revoke(visit=visit, by=trial.coordinator, at=NOW)),
        "bounced": lambda: sending.record_bounce(visit=visit, by=trial.coordinator, at=NOW),
        "no address": lambda: (
            sending.stop_waiting(visit=visit, by=None, why="Test"),
            identity.store(
                person=participant.referral.person,
                data=identity.IdentityData(first_name="Carol", birth_date=date(1971, 3, 14)),
                by=None,
                reason="No e-mail",
            ),
        ),
        "closed": lambda: None,
    }
    stops[reason]()
    if reason == "closed":
        at = NOW + timedelta(days=20)
    clock.move_to(at)

    assert sending.write_due(at=at) == 0
    send_due(at=at)
    assert [one for one in mail.outbox if "questions" in one.subject] == []


def test_a_message_that_fails_for_good_ends_the_plan_and_somebody_rings(participant):
    sending.write_due(at=NOW)
    message = OutboxMessage.objects.get(kind="questionnaire_invitation")
    message.state = OutboxMessage.State.FAILED
    message.save_by(None, "Not sent")

    sending.write_due(at=NOW)
    due.visit_tasks(at=NOW)

    assert SelfCompletion.objects.get().bounced_at == NOW
    assert Task.objects.open().get(kind="visit_due").title == "Ring for week 5 questionnaires"


def test_a_link_that_cannot_be_sent_leaves_no_link_behind(participant, settings):
    sending.write_due(at=NOW)
    settings.EMAIL_BACKEND = "tests.trial.messages.test_sending.Unreachable"
    identity.store(
        person=participant.referral.person,
        data=identity.IdentityData(birth_date=date(1971, 3, 14), email="refused@example.org"),
        by=None,
        reason="New address",
    )

    assert send_due() == 0

    assert not SelfCompletionLink.objects.exists()


def test_once_a_link_is_on_its_way_nobody_need_send_until_the_call(participant):
    sending.write_due(at=NOW)
    due.visit_tasks(at=NOW)
    n_now = Task.objects.open().filter(kind="visit_due").count()
    due.visit_tasks(at=NOW + timedelta(days=9))

    assert n_now == 0
    assert Task.objects.open().get(kind="visit_due").title == "Ring for week 5 questionnaires"
    assert Task.objects.get(kind="visit_due").due_date == date(2026, 7, 18)  # 3 days before the window closes


# -- by hand


def test_a_coordinator_sends_a_link_that_opens_a_locked_one_again(trial, participant):
    mine = sending.self_completion_of(visit_of(participant), None)
    mine.n_failed, mine.last_failed_at, mine.bounced_at = 10, NOW, NOW
    mine.save_by(None, "Locked")

    sending.send(visit=visit_of(participant), by=trial.coordinator, at=NOW)
    sending.send(visit=visit_of(participant), by=trial.coordinator, at=NOW)

    assert send_due() == 1
    assert AtHome(mailed_link()).begin().url == "/questions/1/1/"


def test_a_revoked_link_opens_nothing(trial, participant):
    home = AtHome(a_link(participant)).begin()

    assert sending.revoke(visit=visit_of(participant), by=trial.coordinator, at=NOW) == 1
    assert sending.revoke(visit=visit_of(participant), by=trial.coordinator, at=NOW) == 0

    assert home.answer(3).response.status_code == 410
    assert home.open().response.status_code == 410


@pytest.mark.parametrize(("code", "text"), [("V0", "No questionnaire of this visit"), ("V3", "not open yet")])
def test_what_cannot_be_sent(trial, participant, code, text):
    visit = visit_of(participant, code)
    if code == "V0":
        visit.closes_date = None

    with pytest.raises(CannotSend, match=text):
        sending.send(visit=visit, by=trial.coordinator, at=NOW)

    assert not SelfCompletion.objects.exists()
