"""Referrers who hear nothing stop referring: messages back at consent, at the end and for safety, each logged."""

import hashlib
import io
import json

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from jsonschema import Draft202012Validator
from pypdf import PdfReader

from tests.factories import NOW, TODAY, Trial
from tests.trial.journey.test_every_transition import Path
from trial.access.models import AccessEvent
from trial.base import triggers
from trial.journey import actions as journey
from trial.journey import steps
from trial.messages import sending
from trial.messages.models import OutboxMessage, Task
from trial.participants import actions as people
from trial.participants import identity
from trial.participants.models import Referral, Status
from trial.protocol.working_time import add_working_days
from trial.referrals import actions, document
from trial.referrals.actions import Recipient
from trial.referrals.models import MessageBack, Practice

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SURGERY = Recipient("Tavyside Surgery", "L83012", "1 High Street", "tavyside@nhs.net")


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def participant(trial):
    return trial.consented(at=NOW, first_name="Zebedee", last_name="Quill", nhs_number="9990000018")


def due(participant, kind="consent", to="gp"):
    return MessageBack.objects.get(participant=participant, kind=kind, recipient=to)


def send(trial, message, how="print", to=SURGERY):
    return actions.send(message=message, to=to, how=how, by=trial.coordinator, at=NOW)


def kinds(participant):
    return list(participant.messages_back.order_by("pk").values_list("kind", "recipient", "state"))


def by_link_worker(trial, **who):
    """Consented, after a referral by a link worker."""
    made = journey.refer
    try:
        journey.refer = lambda *, data, **rest: made(
            data=people.ReferralData(
                source_type="link_worker",
                received_date=data.received_date,
                contact_basis="permission",
                referrer="Tavyside link workers",
                needs=["loneliness"],
            ),
            **rest,
        )
        return trial.consented(at=NOW, **who)
    finally:
        journey.refer = made


# -- when they are due


def test_consent_makes_a_message_to_the_gp_due(trial, participant):
    assert kinds(participant) == [("consent", "gp", "due")]
    assert due(participant).due_date == add_working_days(trial.spec, TODAY, 5)


def test_a_referrer_who_is_not_the_gp_hears_too(trial):
    assert kinds(by_link_worker(trial)) == [("consent", "gp", "due"), ("consent", "referrer", "due")]


@pytest.mark.parametrize("status", ["SCREEN_FAILED", "COMPLETED"])
def test_the_end_makes_a_message_due(clock, status):
    referral = Path(clock).at(Status(status))

    assert ("exit", "gp", "due") in kinds(referral.participant)


def test_stopping_everything_makes_a_message_due(trial, participant):
    steps.change_participation(
        participant=participant,
        effective_date=TODAY,
        decided_by="participant",
        elements={"questionnaires_web": False, "questionnaires_phone_post": False, "activity": False},
        by=trial.coordinator,
        at=NOW,
    )

    assert Referral.objects.get().status == Status.WITHDRAWN_BEFORE_RANDOMISATION
    assert ("exit", "gp", "due") in kinds(participant)


@pytest.mark.parametrize("status", ["ENDED_EARLY", "WITHDRAWN_BEFORE_RANDOMISATION"])
def test_after_a_death_no_message_is_due(clock, status):
    referral = Path(clock).at(Status(status))

    assert [kind for kind, _, _ in kinds(referral.participant)] == ["consent"]


def test_nobody_is_told_before_consent(trial):
    referral = trial.refer()
    journey.close(referral=referral, target=Status.PRESCREEN_INELIGIBLE, reasons=["E4"], by=trial.coordinator, at=NOW)

    assert not MessageBack.objects.exists()


def test_a_statement_that_was_refused_keeps_everybody_silent(trial, participant):
    message = due(participant)
    refused = json.dumps({**participant.consents.get().statements, "GP_INFORMED": False})
    with triggers.lifted(connection), connection.cursor() as cursor:  # as on a form whose statement is optional
        cursor.execute("UPDATE trial_consent SET statements = %s", [refused])

    with pytest.raises(actions.NotAgreed):
        send(trial, message)
    with pytest.raises(actions.NotAgreed):
        actions.ask_for_safety(participant=participant, text="Fell", by=trial.coordinator, at=NOW)
    assert actions.make_due(participant=participant, kind="exit", cause="x", by=None, at=NOW) == []


# -- what they say


def test_the_document_has_the_blocks_of_the_standard_and_fits_its_schema(trial):
    participant = by_link_worker(trial, first_name="Zebedee", last_name="Quill")
    message = send(trial, due(participant, to="referrer"))

    found = actions.content_of(message)

    schema = json.loads(document.SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert not list(Draft202012Validator(schema).iter_errors(found))
    assert set(found) == {"format", "message", "person", "needs_and_concerns", "support_offered", "outcomes"}
    assert found["needs_and_concerns"]["needs"] == ["Loneliness, or few people around"]
    assert found["support_offered"]["contacts"][0]["channel"] == "Telephone"
    assert found["message"]["study"]["letter_version"].startswith("Message to the referrer 1.0")
    assert found["outcomes"]["status"] == "Takes part"


def test_a_document_that_the_schema_does_not_accept_is_an_error_of_the_program(participant):
    with pytest.raises(document.NotAsTheSchemaSays):
        document.build(due(participant), to=Recipient(""), letter=None, on=TODAY)


def test_two_people_who_differ_only_by_their_arm_have_the_same_message(clock):
    """No arm, group, venue or session stands in it."""
    trial = Trial().open_randomisation()
    texts = set()
    for _ in range(6):
        participant = trial.randomised()
        (made,) = actions.make_due(participant=participant, kind="exit", cause="x", by=None, at=NOW)
        found = document.build(made, to=SURGERY, letter=None, on=TODAY)
        del found["person"]
        text = document.canonical(found)
        texts.add(text)
        assert not any(arm.label in text for arm in trial.spec.arms)

    assert len(texts) == 1


def test_the_letter_says_the_same_and_prints_the_hash(trial, participant):
    message = send(trial, due(participant))

    found = actions.content_of(message)
    text = PdfReader(io.BytesIO(document.pdf(found, sha256=message.sha256))).pages[0].extract_text()

    for part in ("Zebedee Quill", "999 000 0018", "Tavyside Surgery", "Needs and concerns", "Support offered"):
        assert part in text
    assert message.sha256[:16] in text
    assert "?" not in text, "every letter and line break is printed"
    assert document.pdf(found, sha256="x") == document.pdf(found, sha256="x")


def test_the_approved_letter_follows_where_its_file_is_held(trial, participant):
    found = actions.content_of(send(trial, due(participant)))
    approved = document.pdf(found, sha256="")

    assert len(PdfReader(io.BytesIO(document.pdf(found, sha256="", approved=approved))).pages) == 2


# -- sending


def test_a_sending_is_logged_sealed_and_final(trial, participant):
    message = send(trial, due(participant))

    assert (message.state, message.settled_by, message.settled_at) == ("sent", trial.coordinator, NOW)
    content = document.canonical(actions.content_of(message))
    assert hashlib.sha256(content.encode()).hexdigest() == message.sha256
    assert "1 High Street" in identity.open_text(participant.referral.person, message.sent_to_sealed)
    stored = repr(list(MessageBack.objects.values())) + repr(list(MessageBack.history.values()))
    assert "Zebedee" not in stored
    assert "High Street" not in stored
    with pytest.raises(actions.AlreadySettled):
        send(trial, message)
    message.how = "email"
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        message.save_by(None, "Try")


def test_an_e_mail_leaves_with_its_words_and_the_outbox_never_held_them(trial, participant):
    send(trial, due(participant), how="email")
    written = OutboxMessage.objects.get(kind="message_back")
    assert "Zebedee" not in written.heading + written.body + repr(list(OutboxMessage.history.values()))

    sending.send_due(at=NOW)

    (sent,) = mail.outbox
    assert sent.to == ["tavyside@nhs.net"]
    assert "Zebedee Quill" in sent.body
    assert "Zebedee" not in sent.subject


@pytest.mark.parametrize("email", ["surgery@example.org", "x@nhs.net.example.org", "x@notnhs.net", ""])
def test_an_e_mail_goes_to_a_secure_domain_only(trial, participant, email):
    with pytest.raises(actions.NotSecure, match=r"nhs\.net"):
        send(trial, due(participant), how="email", to=Recipient("Tavyside", email=email))

    assert due(participant).state == "due"
    assert not OutboxMessage.objects.filter(kind="message_back").exists()


def test_the_address_of_a_practice_is_known_the_next_time(trial, participant):
    send(trial, due(participant))
    other = trial.consented(at=NOW)

    assert Practice.objects.count() == 1
    assert actions.suggested(due(other)) == SURGERY


def test_a_message_that_is_not_sent_says_why(trial, participant):
    message = actions.leave_out(message=due(participant), why="Has no GP", by=trial.coordinator, at=NOW)

    assert (message.state, message.why_not) == ("not_sent", "Has no GP")
    with pytest.raises(actions.AlreadySettled):
        send(trial, message)


# -- for safety


def test_a_safety_message_is_due_today_as_an_urgent_task(trial, participant):
    (made,) = actions.ask_for_safety(
        participant=participant, text="Feels worse since Monday", by=trial.coordinator, at=NOW
    )

    task = Task.objects.get(kind="message_back")
    assert (made.due_date, task.is_urgent, task.done_at) == (TODAY, True, None)
    assert "worse" not in task.title + task.detail
    assert actions.content_of(send(trial, made))["outcomes"]["text"] == "Feels worse since Monday"
    assert Task.objects.get(kind="message_back").done_at == NOW


@pytest.mark.parametrize("words", ["Is in the Nature group", "left INDOOR today"])
def test_a_safety_message_that_names_an_arm_is_refused(trial, participant, words):
    with pytest.raises(actions.NamesAnArm):
        actions.ask_for_safety(participant=participant, text=words, by=trial.coordinator, at=NOW)


# -- on the pages


def test_the_worklist_names_nobody_and_a_message_is_shown_logged_and_sent(client, trial, participant):
    client.force_login(trial.coordinator)
    message = due(participant)
    listed = client.get("/messages-back/").content.decode()
    shown = client.get(f"/messages-back/{message.pk}/").content.decode()

    answer = client.post(
        f"/messages-back/{message.pk}/",
        {"name": "Tavyside Surgery", "address": "1 High Street", "how": "print", "do": "send"},
        follow=True,
    )

    assert participant.study_id in listed
    assert "Zebedee" not in listed
    assert "Zebedee Quill" in shown
    assert "Logged as sent" in answer.content.decode()
    assert client.get(f"/messages-back/{message.pk}/letter.pdf").content.startswith(b"%PDF")
    raw = client.get(f"/messages-back/{message.pk}/message.json").content
    assert hashlib.sha256(raw).hexdigest() == due(participant).sha256
    assert AccessEvent.objects.filter(kind="identity_viewed", record=participant.study_id).count() == 3


def test_what_is_wrong_with_a_sending_is_said_and_kept(client, trial, participant):
    client.force_login(trial.coordinator)
    where = f"/messages-back/{due(participant).pk}/"

    missing = client.post(where, {"name": "Tavyside", "address": "2 Low Street", "how": "email", "do": "send"})
    without = client.post(where, {"why": "", "do": "leave_out"})

    assert "Enter the secure e-mail address" in missing.content.decode()
    assert "2 Low Street" in missing.content.decode()
    assert "Enter why it is not sent" in without.content.decode()
    assert due(participant).state == "due"


def test_a_safety_message_is_written_on_its_page(client, trial, participant):
    client.force_login(trial.coordinator)
    where = f"/people/{participant.study_id}/message-for-safety/"

    wrong = client.post(where, {"text": "She is in the indoor group"})
    right = client.post(where, {"text": "Fell on the stairs"})

    assert "Leave out which group" in wrong.content.decode()
    assert right.headers["Location"] == f"/messages-back/{due(participant, 'safety').pk}/"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"state": "sent"}, "sent_message_back_is_logged"),
        ({"state": "not_sent", "settled_at": NOW}, "message_not_sent_says_why"),
        ({"kind": "exit"}, "stays about its person"),
    ],
)
def test_the_database_refuses_what_must_never_be(participant, changes, match):
    message = due(participant)
    for name, value in changes.items():
        setattr(message, name, value)

    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        message.save_by(None, "Try")
