"""Participation changes and statuses taken back, as pages (T11, T14, T16, T18)."""

from datetime import timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, staff
from tests.journeys.visitor import day
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.policy import Role
from trial.journey import actions, reversal
from trial.journey.models import Reversal
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
    return {"cause": "choice", "decided_by": "participant", **elements, **day("effective_date", TODAY), **changes}


def test_somebody_stops_the_activity(client, trial):
    participant = trial.open_randomisation().randomised()

    response = as_(client, trial.coordinator).post(
        url(participant.referral, "participation"), typed(trial, off=["activity"])
    )

    assert response.headers["Location"] == f"/people/{participant.study_id}/"
    assert ParticipationChange.objects.get().elements == {"activity": False}
    assert status_of(participant) == Status.FOLLOW_UP


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
    done = client.post(url(referral, "entered-in-error/approve"), {})

    assert asked.headers["Location"] == done.headers["Location"] == f"/people/{referral.number}/"
    assert "Tom Ellery asked: “Another person”" in text_of(page)
    assert status_of(referral) == Status.INFORMED


def test_an_approval_sent_twice_takes_back_one_step(client, trial, manager, referral):
    reversal.ask(referral=referral, reason="Another person", by=manager, at=NOW)
    visitor = as_(client, trial.investigator)
    visitor.post(url(referral, "entered-in-error/approve"), {})

    again = visitor.post(url(referral, "entered-in-error/approve"), {})

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

    response = as_(client, trial.investigator).post(url(referral, "entered-in-error/approve"), {})

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
    assert other.post(url(referral, "entered-in-error/approve"), {}).status_code == 404
    assert status_of(referral) == Status.DECLINED
