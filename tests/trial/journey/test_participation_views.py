"""Participation changes and statuses taken back, as pages (T11, T14, T16, T18)."""

from datetime import timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, staff
from tests.journeys.visitor import day
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.policy import Role
from trial.journey import actions, reversal, steps
from trial.journey.models import EndConfirmation, Reversal
from trial.messages.actions import write_message
from trial.messages.models import OutboxMessage, Task
from trial.participants.models import Referral, Status
from trial.participation.models import ParticipationChange

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


def url(referral, page):
    return f"/people/{referral.number}/{page}/"


def status_of(record):
    return Referral.objects.get(pk=getattr(record, "referral_id", None) or record.pk).status


def typed(trial, off=(), **changes):
    elements = {f"element_{e.code}": "off" if e.code in off else "on" for e in trial.spec.participation_elements}
    given = {"cause": "choice", "decided_by": "participant", "letter": "none", "confirm": "yes"}
    return {**given, **elements, **day("effective_date", TODAY), **changes}


def test_somebody_stops_the_activity(client, trial):
    participant = trial.open_randomisation().randomised()

    response = as_(client, trial.coordinator).post(
        url(participant.referral, "participation"), typed(trial, off=["activity"])
    )

    assert response.headers["Location"] == f"/people/{participant.study_id}/"
    assert ParticipationChange.objects.get().elements == {"activity": False}
    assert status_of(participant) == Status.FOLLOW_UP


def test_what_a_change_stops_is_read_before_it_is_confirmed(client, trial):
    participant = trial.open_randomisation().randomised()
    write_message(
        key="m", kind="results", heading="Your results", body="…", at=NOW, referral=participant.referral, by=None
    )
    asked = typed(trial, off=["contact", "questionnaires_web", "questionnaires_phone_post", "records"], letter="print")
    visitor = as_(client, trial.coordinator)

    page = visitor.post(url(participant.referral, "participation"), {k: v for k, v in asked.items() if k != "confirm"})
    shown, before = text_of(page), ParticipationChange.objects.count()
    done = visitor.post(url(participant.referral, "participation"), dict(page.context["hidden"]) | {"confirm": "yes"})
    letter = visitor.post(done.headers["Location"])

    assert before == 0
    for words in ("W4: No contact or new data", "Your results", "Welcome call", "week 12, from", "need not give"):
        assert words in shown, words
    assert ParticipationChange.objects.count() == 1
    assert OutboxMessage.objects.get(key="m").state == "stopped"
    assert letter.headers["Content-Type"] == "application/pdf"
    assert letter.content.startswith(b"%PDF")


def test_a_death_is_previewed_with_care_and_no_letter_is_offered(client, trial):
    participant = trial.open_randomisation().randomised()
    visitor = as_(client, trial.coordinator)
    asked = typed(trial, cause="death", decided_by="administrative", letter="")

    page = visitor.post(url(participant.referral, "participation"), {k: v for k, v in asked.items() if k != "confirm"})
    done = visitor.post(url(participant.referral, "participation"), asked)
    change = ParticipationChange.objects.get()
    letter = visitor.get(f"{url(participant.referral, 'participation')}{change.pk}/letter/")

    assert "nothing is ever sent to the person again" in text_of(page)
    assert done.headers["Location"] == f"/people/{participant.study_id}/"
    assert "No letter is sent" in text_of(letter)


def test_a_letter_of_somebody_else_is_not_found(client, trial):
    one, other = trial.consented(), trial.consented()
    visitor = as_(client, trial.coordinator)
    visitor.post(url(one.referral, "participation"), typed(trial, off=["reminders"]))
    change = ParticipationChange.objects.get()

    assert visitor.get(f"{url(other.referral, 'participation')}{change.pk}/letter/").status_code == 404


def test_a_reason_is_offered_and_never_demanded(client, trial):
    """BR-62."""
    participant = trial.consented()
    visitor = as_(client, trial.coordinator)

    page = visitor.get(url(participant.referral, "participation"))
    visitor.post(url(participant.referral, "participation"), typed(trial, off=["reminders"]))

    assert not page.context["form"].fields["reason_code"].required
    assert ParticipationChange.objects.get().reason_code == ""


def test_the_form_shows_what_holds_now(client, trial):
    participant = trial.consented()
    visitor = as_(client, trial.coordinator)
    visitor.post(url(participant.referral, "participation"), typed(trial, off=["reminders"]))

    page = visitor.get(url(participant.referral, "participation"))

    fields = page.context["form"].fields
    assert (fields["element_reminders"].initial, fields["element_contact"].initial) == ("off", "on")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "Nothing would change"),
        ({"element_reminders": "off", **day("effective_date", TODAY + timedelta(days=1))}, "today or in the past"),
        ({"element_reminders": "off", **day("effective_date", TODAY - timedelta(days=30))}, "day of consent"),
        ({"cause": "moved"}, "Select what happened"),
        ({"element_reminders": "perhaps"}, "Select reminders"),
        ({"reason_code": "UNSAID"}, "Select reason"),
        ({"how_learned": "x" * 101}, "100 characters"),
    ],
)
def test_a_change_that_cannot_be_says_why(client, trial, wrong, words):
    participant = trial.consented()

    response = as_(client, trial.coordinator).post(
        url(participant.referral, "participation"), typed(trial, **{"how_learned": "By telephone"} | wrong)
    )

    assert response.status_code == 200
    assert any(words in problem for problem in problems_of(response)), problems_of(response)
    assert not ParticipationChange.objects.exists()


def test_a_change_sent_twice_is_recorded_once(client, trial):
    participant = trial.consented()
    visitor = as_(client, trial.coordinator)

    for _ in range(2):
        response = visitor.post(url(participant.referral, "participation"), typed(trial, off=["reminders"]))

    assert any("Nothing would change" in problem for problem in problems_of(response))
    assert ParticipationChange.objects.count() == 1


def test_who_may_change_participation(client, trial):
    participant = trial.consented()

    answers = answers_by_role(client, everyone(trial), url(participant.referral, "participation"))

    assert {role for role, status in answers.items() if status == 200} == {
        Role.COORDINATOR,
        Role.PRINCIPAL_INVESTIGATOR,
    }
    other = as_(client, elsewhere(Role.COORDINATOR))
    assert other.post(url(participant.referral, "participation"), typed(trial, off=["activity"])).status_code == 404


# -- entered in error


@pytest.fixture
def manager(trial):
    return staff(Role.DATA_MANAGER, name="Tom Ellery")


@pytest.fixture
def referral(trial):
    """Declined, which it should not be."""
    return actions.close(
        referral=trial.informed(), target=Status.DECLINED, reasons=["TRAVEL"], by=trial.coordinator, at=NOW
    )


def test_the_data_manager_asks_and_the_investigator_approves(client, trial, manager, referral):
    asked = as_(client, manager).post(url(referral, "entered-in-error"), {"reason": "Another person"})
    page = as_(client, trial.investigator).get(url(referral, "entered-in-error/approve"))
    done = client.post(url(referral, "entered-in-error/approve"), {"decision": "approve"})

    assert asked.headers["Location"] == done.headers["Location"] == f"/people/{referral.number}/"
    assert "Tom Ellery asked: “Another person”" in text_of(page)
    assert status_of(referral) == Status.INFORMED


def test_an_approval_sent_twice_takes_back_one_step(client, trial, manager, referral):
    reversal.ask(referral=referral, reason="Another person", by=manager, at=NOW)
    visitor = as_(client, trial.investigator)
    visitor.post(url(referral, "entered-in-error/approve"), {"decision": "approve"})

    again = visitor.post(url(referral, "entered-in-error/approve"), {"decision": "approve"})

    assert "No request waits for approval." in text_of(again)
    assert status_of(referral) == Status.INFORMED


@pytest.mark.parametrize("reason", ["", "  ", "x\x00y", "x" * 251])
def test_a_request_needs_words(client, manager, referral, reason):
    response = as_(client, manager).post(url(referral, "entered-in-error"), {"reason": reason})

    assert problems_of(response)
    assert not Reversal.objects.exists()


def test_a_status_that_moved_on_meanwhile_is_said(client, trial, manager):
    referral = trial.informed()
    reversal.ask(referral=referral, reason="Another person", by=manager, at=NOW)
    actions.close(referral=referral, target=Status.DECLINED, reasons=["TRAVEL"], by=trial.coordinator, at=NOW)

    response = as_(client, trial.investigator).post(url(referral, "entered-in-error/approve"), {"decision": "approve"})

    assert "The status has changed since." in text_of(response)
    assert status_of(referral) == Status.DECLINED


def test_after_randomisation_nothing_is_taken_back(client, trial, manager):
    participant = trial.open_randomisation().randomised()

    response = as_(client, manager).post(url(participant.referral, "entered-in-error"), {"reason": "Another person"})

    assert problems_of(response) == ["Randomised cannot be taken back."]


def test_who_may_ask_and_who_may_approve(client, trial, manager, referral):
    reversal.ask(referral=referral, reason="Another person", by=manager, at=NOW)
    people = everyone(trial)

    asking = answers_by_role(client, people, url(referral, "entered-in-error"))
    approving = answers_by_role(client, people, url(referral, "entered-in-error/approve"))

    assert {role for role, status in asking.items() if status == 200} == {Role.DATA_MANAGER}
    assert {role for role, status in approving.items() if status == 200} == {Role.PRINCIPAL_INVESTIGATOR}
    other = as_(client, elsewhere(Role.PRINCIPAL_INVESTIGATOR))
    assert other.post(url(referral, "entered-in-error/approve"), {"decision": "approve"}).status_code == 404
    assert status_of(referral) == Status.DECLINED


def test_the_record_leads_each_of_the_two_people_to_their_page(client, trial, manager, referral):
    offered = text_of(as_(client, manager).get(f"/people/{referral.number}/"))
    reversal.ask(referral=referral, reason="Another person", by=manager, at=NOW)
    asked = text_of(as_(client, manager).get(f"/people/{referral.number}/"))
    decides = text_of(as_(client, trial.investigator).get(f"/people/{referral.number}/"))

    assert "entered-in-error/" in offered
    assert "entered-in-error/" not in asked
    assert "Decide whether “Declined” was entered in error" in asked
    assert f'href="{url(referral, "entered-in-error/approve")}"' in decides
    task = Task.objects.visible_to(trial.investigator).open().get(kind="approve_reversal")
    assert task.link == url(referral, "entered-in-error/approve")


def test_a_refused_request_leaves_the_status_and_may_be_made_again(client, trial, manager, referral):
    reversal.ask(referral=referral, reason="Another person", by=manager, at=NOW)
    visitor = as_(client, trial.investigator)
    page = url(referral, "entered-in-error/approve")

    unsaid = visitor.post(page, {"decision": "refuse"})
    visitor.post(page, {"decision": "refuse", "why": "The letter says declined"})

    assert problems_of(unsaid) == ["Enter why it stays"]
    assert status_of(referral) == Status.DECLINED
    assert not Task.objects.open().filter(kind="approve_reversal").exists()
    assert "The letter says declined" in text_of(visitor.get(f"/people/{referral.number}/"))
    reversal.ask(referral=referral, reason="It was somebody else", by=manager, at=NOW)


# -- ended early


@pytest.fixture
def ended(trial):
    participant = trial.open_randomisation().randomised()
    off = {"cause": "death", "effective_date": TODAY, "decided_by": "clinician", "elements": {}}
    steps.change_participation(participant=participant, **off, by=trial.coordinator, at=NOW)
    return participant.referral


def test_the_investigator_confirms_an_early_end_once(client, trial, ended):
    visitor = as_(client, trial.investigator)
    record = text_of(visitor.get(f"/people/{ended.number}/"))
    visitor.post(url(ended, "ended-early"), {})
    again = visitor.post(url(ended, "ended-early"), {})

    assert f'href="{url(ended, "ended-early")}"' in record
    assert EndConfirmation.objects.get().by == trial.investigator
    assert "There is no early end to confirm." in text_of(again)
    assert not Task.objects.open().filter(kind="confirm_end").exists()
    assert "Early end confirmed" in text_of(visitor.get(f"/people/{ended.number}/"))


def test_only_the_sites_investigator_confirms_and_only_an_early_end(client, trial, ended):
    asked = answers_by_role(client, everyone(trial), url(ended, "ended-early"))
    other = trial.consented().referral

    assert {role for role, status in asked.items() if status == 200} == {Role.PRINCIPAL_INVESTIGATOR}
    assert as_(client, elsewhere(Role.PRINCIPAL_INVESTIGATOR)).post(url(ended, "ended-early"), {}).status_code == 404
    page = as_(client, trial.investigator).post(url(other, "ended-early"), {})
    assert "There is no early end to confirm." in text_of(page)
    assert not EndConfirmation.objects.exists()
