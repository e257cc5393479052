"""Eligibility answered and signed (T08, T09, R-19)."""

import pytest

from tests.factories import PASSWORD, TODAY, Trial
from tests.journeys.visitor import day
from tests.trial.journey.steps_by_page import answers_by_role, as_, elsewhere, everyone, problems_of, text_of
from trial.access.models import AccessEvent, Delegation, Signature
from trial.access.policy import Role
from trial.participants.models import Referral, Status
from trial.screening import actions as screening
from trial.screening.models import Eligibility

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def participant(trial):
    participant = trial.consented()
    trial.screened(participant)
    return participant


def url(participant):
    return f"/people/{participant.study_id}/screening/"


def signed():
    return Signature.objects.filter(meaning__contains="eligible")


def typed(trial, **changes):
    judged = [c for c in trial.spec.criteria if c.rule.type == "judgement"]
    met = {f"answer_{c.code}": "yes" if c.kind == "inclusion" else "no" for c in judged}
    met |= {f"evidence_{c.code}": "Asked" for c in judged}
    return {**met, "evidence_I3": "Asked on the telephone", **day("assessed_date", TODAY), **changes}


def test_criteria_that_data_decide_are_shown_and_not_asked(client, trial, participant):
    page = as_(client, trial.coordinator).get(url(participant))

    asked = {name.removeprefix("answer_") for name in page.context["form"].fields if name.startswith("answer_")}
    assert asked.isdisjoint({"I1", "I2", "E1"})
    assert "Score 8 at V0" in text_of(page)


def test_answers_are_saved_and_shown_again(client, trial, participant):
    visitor = as_(client, trial.coordinator)
    visitor.post(url(participant), typed(trial))

    page = visitor.get(url(participant))

    stored = Eligibility.objects.get()
    assert (stored.outcome, stored.answers["I3"]["answer"]) == ("met", "yes")
    assert screening.judged_of(stored)["I3"] == ("yes", "Asked on the telephone")
    assert "Asked on the telephone" not in repr(list(Eligibility.history.values())), "evidence is sealed"
    assert "Asked on the telephone" in text_of(page)
    assert "sign/" not in text_of(page), "the coordinator does not sign"


@pytest.mark.parametrize(
    "wrong",
    [
        {"evidence_I3": ""},
        {"answer_I3": ""},
        {"answer_I3": "perhaps"},
        {"evidence_I3": "\x00"},
        {"assessed_date_0": "40"},
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(client, trial, participant, wrong):
    response = as_(client, trial.coordinator).post(url(participant), typed(trial, evidence_I4="Spoke clearly") | wrong)

    assert response.status_code == 200
    assert problems_of(response)
    assert "Spoke clearly" in text_of(response)
    assert not Eligibility.objects.exists()


def test_the_answer_to_a_criterion_that_data_decide_cannot_be_sent(client, trial, participant):
    as_(client, trial.coordinator).post(url(participant), typed(trial, answer_I2="no", answer_I1="no", answer_E1="yes"))

    assert Eligibility.objects.get().outcome == "met"


def sign(client, trial, participant, secret=PASSWORD, by=None):
    return as_(client, by or trial.investigator).post(f"{url(participant)}sign/", {"secret": secret})


def test_the_investigator_signs_with_the_password(client, trial, participant):
    trial.assess(participant)

    response = sign(client, trial, participant)

    assert response.headers["Location"] == f"/people/{participant.study_id}/"
    assert Referral.objects.get(pk=participant.referral_id).status == Status.ELIGIBLE
    assert signed().get().printed_name == "Dr Helen Okafor"


def test_a_wrong_password_keeps_the_page_and_signs_nothing(client, trial, participant):
    trial.assess(participant)

    response = sign(client, trial, participant, secret="not-my-password")

    assert response.status_code == 200
    assert "Enter your own password" in text_of(response)
    assert "not-my-password" not in text_of(response)
    assert AccessEvent.objects.filter(kind="signing_failed").count() == 1
    assert not signed().exists()


def test_after_five_wrong_passwords_signing_is_closed(client, trial, participant):
    trial.assess(participant)
    for _ in range(5):
        sign(client, trial, participant, secret="not-my-password")

    response = sign(client, trial, participant)

    assert "Wait 15 minutes" in text_of(response)
    assert not signed().exists()


def test_what_is_not_met_leads_back_to_the_criteria(client, trial, participant):
    for prepare in (lambda: None, lambda: trial.assess(participant, I3="no")):
        prepare()
        assert sign(client, trial, participant).headers["Location"] == url(participant)

    assert not signed().exists()


def test_a_second_signature_is_not_given(client, trial, participant):
    trial.assess(participant)
    sign(client, trial, participant)

    again = sign(client, trial, participant)

    assert again.status_code == 302
    assert signed().count() == 1


def test_signed_answers_no_longer_change(client, trial, participant):
    trial.assess(participant)
    sign(client, trial, participant)

    response = as_(client, trial.coordinator).post(url(participant), typed(trial, answer_I3="no"))

    assert response.status_code == 200
    assert "no longer changes" in text_of(response)
    assert Eligibility.objects.get().outcome == "met"


def test_an_investigator_without_the_duty_is_told_so(client, trial, participant):
    trial.assess(participant)
    duty = Delegation.objects.get(user=trial.investigator, duty="eligibility")
    duty.to_date = duty.from_date
    duty.save_by(None, "Ended")

    assert "delegation log" in text_of(sign(client, trial, participant))


def test_who_may_answer_and_who_may_sign(client, trial, participant):
    trial.assess(participant)
    people = everyone(trial)

    answering = answers_by_role(client, people, url(participant))
    signing = answers_by_role(client, people, f"{url(participant)}sign/")

    assert {r for r, status in answering.items() if status == 200} == {Role.COORDINATOR, Role.PRINCIPAL_INVESTIGATOR}
    assert {r for r, status in signing.items() if status == 200} == {Role.PRINCIPAL_INVESTIGATOR}
    assert sign(client, trial, participant, by=elsewhere(Role.PRINCIPAL_INVESTIGATOR)).status_code == 404
