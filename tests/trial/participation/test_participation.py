"""Participation changes, what they stop, and where they lead (BR-60 to BR-62)."""

from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from tests.factories import NOW, TODAY, Trial
from trial.access.models import AccessEvent
from trial.journey import steps
from trial.messages import sending
from trial.messages.actions import write_message
from trial.messages.models import OutboxMessage, Task
from trial.participants import identity
from trial.participants.models import Participant
from trial.participation import actions, letter, reads, rules
from trial.participation.models import Element, ParticipationChange, ParticipationLetter
from trial.protocol import rules as protocol_rules

EVERYTHING_OFF = dict.fromkeys(Element.values, False)


def change(trial, participant, elements, **more):
    """A change decided by the participant today."""
    given = {"effective_date": TODAY, "decided_by": "participant", "by": trial.coordinator, "at": NOW}
    return steps.change_participation(participant=participant, elements=elements, **(given | more))


@pytest.mark.django_db
def test_stopping_the_activity_leads_to_follow_up_and_keeps_the_arm(clock):
    trial = Trial().open_randomisation()
    participant = trial.randomised()

    change(trial, participant, {"activity": False})

    participant.referral.refresh_from_db()
    assert participant.referral.status == "FOLLOW_UP"


@pytest.mark.django_db
def test_stopping_everything_ends_the_trial_for_the_person(clock):
    trial = Trial().open_randomisation()
    participant = trial.randomised()

    change(trial, participant, EVERYTHING_OFF)

    participant.referral.refresh_from_db()
    assert participant.referral.status == "ENDED_EARLY"


@pytest.mark.django_db
def test_death_stops_every_message_and_task_in_the_same_transaction(clock):
    trial = Trial().open_randomisation()
    participant = trial.randomised()
    write_message(key="m", kind="visit", heading="Your visit", body="…", at=NOW, referral=participant.referral, by=None)

    change(trial, participant, {}, cause=ParticipationChange.Cause.DEATH)

    assert OutboxMessage.objects.get(key="m").state == "stopped"
    assert not Task.objects.open().filter(kind__in=actions.CHASING, referral=participant.referral).exists()
    participant.refresh_from_db()
    assert participant.died_date == TODAY
    assert participant.referral.status == "ENDED_EARLY"


@pytest.mark.django_db
def test_a_change_that_changes_nothing_is_refused(clock):
    trial = Trial()

    with pytest.raises(actions.NothingChanges):
        change(trial, trial.consented(), {"activity": True})


@pytest.mark.django_db
@pytest.mark.parametrize("day", [TODAY + timedelta(days=1), date(2026, 6, 1)])
def test_a_day_before_consent_or_in_the_future_is_refused(clock, day):
    trial = Trial()

    with pytest.raises(actions.ChangeDateWrong):
        change(trial, trial.consented(), {"activity": False}, effective_date=day)


CHANGES = st.lists(
    st.builds(
        lambda day, elements: ParticipationChange(effective_date=day, elements=elements),
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        st.dictionaries(st.sampled_from(Element.values), st.booleans()),
    )
)


@given(CHANGES, st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_an_element_is_as_its_latest_change_left_it(changes, day):
    state = rules.elements_on(changes, day)

    for element in Element.values:
        said = [c for c in sorted(changes, key=lambda c: c.effective_date) if c.effective_date <= day]
        last = [c.elements[element] for c in said if element in c.elements]
        assert state[element] == (last[-1] if last else True)
    assert rules.stopped(changes, day) == {e for e, on in state.items() if not on}


WEB, PHONE = "questionnaires_web", "questionnaires_phone_post"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("off", "level"),
    [
        ((), None),
        (("reminders",), None),
        (("interview", "results_letter"), None),
        (("contact",), None),
        (("records",), None),
        (("activity",), "W1"),
        (("activity", "reminders"), "W1"),
        ((WEB,), "W2"),
        ((PHONE,), "W2"),
        (("activity", WEB), "W2"),
        ((WEB, PHONE), "W3"),
        (("activity", WEB, PHONE), "W3"),
        ((WEB, PHONE, "contact"), "W3"),
        ((WEB, PHONE, "records"), "W3"),
        (("contact", "records"), None),
        ((WEB, PHONE, "contact", "records"), "W4"),
        (tuple(Element.values), "W4"),
    ],
)
def test_the_level_follows_from_the_elements_that_are_off(clock, off, level):
    """BR-60: the last level of the protocol's list that applies."""
    found = protocol_rules.participation_level(Trial().spec, off)

    assert (found.code if found else None) == level


@pytest.mark.django_db
def test_stopping_online_questionnaires_cancels_their_messages_and_no_others(clock):
    trial = Trial().open_randomisation()
    referral = trial.randomised().referral
    kinds = actions.MESSAGES_OF[Element.QUESTIONNAIRES_WEB]
    for kind in (*kinds, "results"):
        write_message(key=kind, kind=kind, heading="About the study", body="…", at=NOW, referral=referral)

    change(trial, referral.participant, {WEB: False})

    states = dict(OutboxMessage.objects.filter(key__in=[*kinds, "results"]).values_list("key", "state"))
    assert states == dict.fromkeys(kinds, "stopped") | {"results": "queued"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("elements", "cause", "goes"),
    [
        ({"activity": False}, "choice", True),
        ({"contact": False}, "choice", False),
        ({}, "death", False),
        ({}, "loss_of_capacity", False),
    ],
)
def test_no_message_written_later_leaves_for_somebody_who_is_not_to_be_written_to(clock, elements, cause, goes):
    """Whatever wrote it: the last question is asked as the message leaves."""
    trial = Trial().open_randomisation()
    participant = trial.randomised()
    change(trial, participant, elements, cause=cause)
    message = write_message(
        key="late", kind="results", heading="Results", body="…", at=NOW, referral=participant.referral
    )

    sending.send_due(at=NOW)

    message.refresh_from_db()
    assert message.state == ("sent" if goes else "stopped")
    assert ("Results" in [one.subject for one in mail.outbox]) is goes


@pytest.mark.django_db
def test_messages_to_staff_about_the_person_still_go(clock):
    trial = Trial().open_randomisation()
    participant = trial.randomised()
    change(trial, participant, {}, cause="death")
    message = write_message(
        key="staff",
        kind="x",
        heading="For you",
        body="…",
        at=NOW,
        referral=participant.referral,
        to_user=trial.clinician,
    )

    assert reads.may_still_go(message)


@pytest.mark.django_db
def test_the_letter_goes_once_and_says_what_stops_and_what_goes_on(clock):
    trial = Trial().open_randomisation()
    participant = trial.randomised()
    made = change(trial, participant, {"activity": False, "reminders": False})

    letter.send(change=made, by=trial.coordinator, at=NOW)
    letter.send(change=made, by=trial.coordinator, at=NOW)
    sending.send_due(at=NOW)

    (sent,) = [one for one in mail.outbox if one.subject == "How you take part in the study"]
    assert "What stops\n\n• Activity group\n• Reminders" in sent.body
    assert "What goes on\n\n• Questionnaires by web" in sent.body
    assert ParticipationLetter.objects.get().how == "email"


@pytest.mark.django_db
def test_the_printed_letter_holds_the_address_and_is_logged(clock):
    trial = Trial()
    participant = trial.consented(address="1 Church Lane", postcode="PL19 0AA")
    made = change(trial, participant, {"reminders": False})

    content = letter.printed(change=made, by=trial.coordinator, at=NOW)

    text = text_of_pdf(content)
    assert "1 Church Lane" in text
    assert "Reminders" in text
    assert ParticipationLetter.objects.get().how == "print"
    assert AccessEvent.objects.filter(kind="identity_viewed", detail="Letter about participation").count() == 1


def text_of_pdf(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)


@pytest.mark.django_db
@pytest.mark.parametrize("cause", ["death", "loss_of_capacity"])
def test_no_letter_is_made_after_a_death_or_a_loss_of_capacity(clock, cause):
    trial = Trial().open_randomisation()
    participant = trial.randomised()
    earlier = change(trial, participant, {"reminders": False})
    made = change(trial, participant, {}, cause=cause)

    for one in (earlier, made):
        with pytest.raises(letter.NoLetter):
            letter.send(change=one, by=trial.coordinator, at=NOW)
        with pytest.raises(letter.NoLetter):
            letter.printed(change=one, by=trial.coordinator, at=NOW)
        row = ParticipationLetter(change=one, how="print", sha256="0" * 64, by=trial.coordinator, role="x", at=NOW)
        with pytest.raises(IntegrityError, match="sent a letter"), transaction.atomic():
            row.save()


@pytest.mark.django_db
def test_somebody_who_asked_for_no_contact_is_not_mailed_and_may_have_a_printed_letter(clock):
    trial = Trial()
    made = change(trial, trial.consented(), {"contact": False})

    with pytest.raises(letter.NoLetter):
        letter.send(change=made, by=trial.coordinator, at=NOW)

    assert letter.printed(change=made, by=trial.coordinator, at=NOW).startswith(b"%PDF")


@pytest.mark.django_db
def test_how_it_was_learned_is_stored_sealed(clock):
    trial = Trial()
    made = change(trial, trial.consented(), {"contact": False}, how_learned="Her son Peter rang")

    person = Participant.objects.get().referral.person
    assert "Peter" not in made.how_learned_sealed
    assert identity.open_text(person, made.how_learned_sealed) == "Her son Peter rang"
