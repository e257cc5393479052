"""The whole journey under a protocol that differs in everything: no code knows GREENRX-F (issue 2, point 6)."""

from datetime import date, timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, answers_with_total, proof
from trial.allocation.reads import show_arm
from trial.assessments.expected import expected_forms_of
from trial.consent.actions import documents_on
from trial.journey import actions as journey
from trial.journey import steps
from trial.journey.actions import MoveRefused
from trial.messages.models import Task
from trial.participants.models import Referral, Status
from trial.screening.actions import NotEveryCriterionMet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)


@pytest.fixture
def trial():
    return Trial("northbank", site_code="17")


def status_of(participant):
    return Referral.objects.get(pk=participant.referral_id).status


def test_from_referral_to_a_follow_up_form(trial, clock):
    trial.open_randomisation()
    referral = trial.refer(at=NOW - 10 * DAY)
    assert (referral.screening_number, referral.status) == ("S-17-0001", Status.REFERRED)
    # First contact within 3 working days of Monday 29 June.
    assert Task.objects.get(kind="first_contact").due_date == date(2026, 7, 2)

    participant = trial.consented(at=NOW - 5 * DAY)
    assert participant.study_id == "NBK-17-001-9"  # Luhn over 17001
    assert list(participant.visits.values_list("code", flat=True)) == ["CALL", "START"]

    participant = trial.eligible(participant, total=11)
    assert participant.eligibility.strata == {"worry": "moderate"}
    assert set(participant.eligibility.answers) == {"A", "B", "C", "X", "Y"}
    expected = {
        f.instrument for f in expected_forms_of(participant, on=TODAY) if f.visit_code == "START" and f.required
    }
    assert expected == {"demographics", "who5"}, "the GAD-7 of four days ago is not asked again"

    participant = trial.baseline_done(participant)
    assert status_of(participant) == Status.BASELINE_DONE
    participant = trial.randomised(participant)

    assert (status_of(participant), participant.randomised_date) == (Status.RANDOMISED, TODAY)
    windows = participant.visits.order_by("number").values_list("code", "opens_date", "target_date", "closes_date")
    assert list(windows) == [
        ("CALL", TODAY - 21 * DAY, TODAY, TODAY),
        ("START", TODAY - 7 * DAY, TODAY, TODAY),
        ("M1", TODAY + 25 * DAY, TODAY + 30 * DAY, TODAY + 35 * DAY),
        ("M2", TODAY + 56 * DAY, TODAY + 61 * DAY, TODAY + 71 * DAY),
        ("M4", TODAY + 108 * DAY, TODAY + 122 * DAY, TODAY + 150 * DAY),
    ]
    arm = show_arm(participant=participant, by=trial.coordinator, at=NOW)
    assert arm.code in {"kestrel", "osprey", "merlin"}

    clock.shift(30 * DAY)
    form = trial.save_form(participant, "M1", "who5", answers_with_total("who5", 15), at=NOW + 30 * DAY)

    assert form.status == "complete"
    assert form.scores["who5_percent"]["value"] == 60
    states = {
        f.instrument: f.is_complete for f in expected_forms_of(participant, on=TODAY + 30 * DAY) if f.visit_code == "M1"
    }
    assert states == {"who5": True}


def test_its_last_visit_completes_the_journey(trial, clock):
    participant = trial.open_randomisation().randomised()
    end = TODAY + 122 * DAY
    steps.change_participation(
        participant=participant,
        effective_date=TODAY,
        decided_by="participant",
        elements={"activity": False},
        reason_code="BUSY",
        by=trial.coordinator,
        at=NOW,
    )
    assert status_of(participant) == Status.FOLLOW_UP

    clock.shift(122 * DAY)
    for form in expected_forms_of(participant, on=end):
        if form.visit_code == "M4":
            trial.save_form(participant, "M4", form.instrument, at=NOW + 122 * DAY)
    steps.settle(participant, by=None, at=NOW + 122 * DAY, on=end)

    assert status_of(participant) == Status.COMPLETED


def test_its_own_criteria_decide(trial):
    participant = trial.consented(birth_date=date(1950, 1, 1))
    trial.screened(participant, total=8)
    assessed = trial.assess(participant)

    assert assessed.answers["A"] == {"answer": "no", "evidence": "76 at consent"}
    assert assessed.outcome == "failed"
    with pytest.raises(NotEveryCriterionMet):
        steps.sign_eligibility(eligibility=assessed, proof=proof(trial.investigator), by=trial.investigator, at=NOW)


@pytest.mark.parametrize(("total", "outcome"), [(4, "failed"), (5, "met"), (15, "met"), (16, "failed")])
def test_its_own_score_range_decides(trial, total, outcome):
    participant = trial.consented()
    trial.screened(participant, total=total)

    assert trial.assess(participant).outcome == outcome


def test_its_own_reasons_are_asked_for(trial):
    referral = trial.informed()

    with pytest.raises(MoveRefused, match="Select a reason"):
        journey.close(referral=referral, target=Status.DECLINED, reasons=["no_reason"], by=trial.coordinator, at=NOW)
    journey.close(referral=referral, target=Status.DECLINED, reasons=["NOT_FOR_ME"], by=trial.coordinator, at=NOW)

    assert Referral.objects.get(pk=referral.pk).close_reason == "NOT_FOR_ME"


def test_its_own_documents_are_used(trial):
    assert [d.code for d in documents_on(kind="consent", site=trial.site, on=TODAY)] == ["AGREE"]
    assert [d.code for d in documents_on(kind="pis", site=trial.site, on=TODAY)] == ["INFO"]
    assert documents_on(kind="pis", site=trial.site, on=date(2026, 3, 1)) == []
