"""Consent as a page (T07, BR-10 to BR-16)."""

from datetime import timedelta

import pytest

from tests.factories import NOW, TODAY, Trial
from tests.journeys.visitor import day, moment
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.models import Delegation
from trial.access.policy import Role
from trial.consent.models import Consent, DocumentUse
from trial.journey import actions
from trial.participants.models import Participant, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def referral(trial):
    return trial.informed()


def url(referral):
    return f"/people/{referral.number}/consent/"


def typed(**changes):
    return {
        "method": "paper",
        "capacity_confirmed": "yes",
        "interpreter": "no",
        **{f"statement_{number}": "yes" for number in range(1, 11)},
        **moment("signed_at", NOW - timedelta(hours=1)),
        **day("copy_given_date", TODAY),
        **changes,
    }


def test_nothing_is_chosen_in_advance(client, trial, referral):
    page = text_of(as_(client, trial.coordinator).get(url(referral)))

    assert page.count('type="radio"') > 20
    assert " checked" not in page


def test_a_consent_is_recorded_and_leads_to_the_record_under_the_study_number(client, trial, referral):
    response = as_(client, trial.coordinator).post(url(referral), typed(statement_8="no"))

    consent = Consent.objects.get()
    assert response.headers["Location"] == f"/people/{consent.participant.study_id}/"
    assert list(consent.statements.values()).count(False) == 1
    assert consent.participant.referral.status == Status.CONSENTED


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"statement_1": "no"}, "Statement 1 must be agreed to take part"),
        ({"statement_9": ""}, "Select yes or no for statement 9"),
        ({"statement_3": "maybe"}, "Select yes or no for statement 3"),
        ({"capacity_confirmed": "no"}, "capacity to be confirmed"),
        ({"capacity_confirmed": ""}, "Select yes or no for capacity to consent"),
        ({"method": "telephone_witnessed"}, "Enter the name of the witness"),
        ({"method": "econsent_remote"}, "Answer the question: How was consent given?"),
        (moment("signed_at", NOW + timedelta(hours=3)), "past"),
        (moment("signed_at", NOW - timedelta(days=9)), "before consent"),
        ({"comment": "x\x00"}, "Remove the hidden characters"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_chosen_stays(client, trial, referral, wrong, words):
    response = as_(client, trial.coordinator).post(
        url(referral), typed(**{"comment": "As agreed by telephone"} | wrong)
    )

    assert response.status_code == 200
    assert any(words in problem for problem in problems_of(response)), problems_of(response)
    assert text_of(response).count(" checked") >= 10
    assert not Participant.objects.exists()


def test_a_form_that_is_out_of_use_is_not_offered(client, trial, referral):
    use = DocumentUse.objects.get(document__kind="consent", site=trial.site)
    use.to_date = TODAY - timedelta(days=1)
    use.save_by(None, "Superseded")

    response = as_(client, trial.coordinator).get(url(referral))

    assert "No consent form is approved and in use at Tamar Vale today." in text_of(response)


def test_without_contact_and_sheet_the_page_says_what_comes_first(client, trial):
    response = as_(client, trial.coordinator).get(url(trial.refer()))

    assert "Record a contact with the person first." in text_of(response)
    assert "Give an information sheet first." in text_of(response)


def test_a_closed_referral_takes_no_consent(client, trial, referral):
    actions.close(referral=referral, target=Status.DECLINED, reasons=["TRAVEL"], by=trial.coordinator, at=NOW)

    response = as_(client, trial.coordinator).post(url(referral), typed())

    assert "This referral is closed: declined." in text_of(response)
    assert not Participant.objects.exists()


def test_a_consent_sent_twice_is_recorded_once(client, trial, referral):
    visitor = as_(client, trial.coordinator)
    visitor.post(url(referral), typed())

    again = visitor.post(url(referral), typed())

    assert again.status_code == 200
    assert any("already" in problem for problem in problems_of(again)), problems_of(again)
    assert Consent.objects.count() == Participant.objects.count() == 1
    assert Consent.objects.get().state == "valid"


def test_somebody_whose_duty_ended_is_told_so(client, trial, referral):
    duty = Delegation.objects.get(user=trial.coordinator, duty="consent")
    duty.to_date = TODAY - timedelta(days=1)
    duty.save_by(None, "Left")

    response = as_(client, trial.coordinator).post(url(referral), typed())

    assert any("does not let you take consent at Tamar Vale" in problem for problem in problems_of(response))


def test_who_may_take_consent(client, trial, referral):
    answers = answers_by_role(client, everyone(trial), url(referral))

    assert {role for role, status in answers.items() if status == 200} == {
        Role.COORDINATOR,
        Role.PRINCIPAL_INVESTIGATOR,
    }
    assert as_(client, elsewhere(Role.COORDINATOR)).post(url(referral), typed()).status_code == 404
    assert not Participant.objects.exists()
