"""Contacts, and eligibility signed without an override."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, Trial, answers_with_total, proof, staff
from trial.access.models import Delegation, Signature
from trial.access.policy import Role
from trial.access.signing import ProofRefused, is_stale
from trial.journey import actions as journey
from trial.journey import steps
from trial.journey.actions import MoveRefused, move
from trial.messages.models import Task
from trial.participants.models import Referral, Status
from trial.screening import actions
from trial.screening.models import Eligibility

pytestmark = pytest.mark.django_db


def test_a_contact_in_the_future_is_refused(clock):
    trial = Trial()
    referral = trial.refer()

    with pytest.raises(actions.ContactInFuture):
        steps.contact(
            referral=referral,
            contacted_at=NOW + timedelta(hours=1),
            channel="phone",
            outcome="two_way",
            by=trial.coordinator,
            at=NOW,
        )


def test_a_two_way_contact_moves_on_and_ends_the_task(clock):
    trial = Trial()
    referral = trial.refer()

    steps.contact(referral=referral, contacted_at=NOW, channel="phone", outcome="two_way", by=trial.coordinator, at=NOW)

    assert Referral.objects.get(pk=referral.pk).status == "CONTACTED"
    assert Task.objects.get(kind="first_contact").done_at == NOW


def test_an_unanswered_call_leaves_the_status(clock):
    trial = Trial()
    referral = trial.refer()

    steps.contact(
        referral=referral, contacted_at=NOW, channel="phone", outcome="no_answer", by=trial.coordinator, at=NOW
    )

    assert Referral.objects.get(pk=referral.pk).status == "REFERRED"


def test_too_few_attempts_do_not_make_somebody_uncontactable(clock):
    trial = Trial()
    referral = trial.refer()

    with pytest.raises(MoveRefused, match="3 more attempts, 2 more different days, 2 more other ways"):
        journey.close(
            referral=referral,
            target=Status.NOT_CONTACTABLE,
            reasons=["not_contactable"],
            by=trial.coordinator,
            at=NOW,
        )


def test_eligibility_is_signed_and_the_stratum_is_fixed_from_the_screening_score(clock):
    trial = Trial()

    participant = trial.eligible(total=10)

    assert participant.referral.status == "ELIGIBLE"
    assert participant.eligibility.strata == {"site": "01", "phq9_band": "10-14"}
    signature = participant.eligibility.signature
    assert (signature.printed_name, signature.evidence) == ("Dr Helen Okafor", "password")


def test_a_signature_is_stale_once_the_answers_change(clock):
    participant = Trial().eligible()
    eligibility = participant.eligibility
    content = {"answers": eligibility.answers, "strata": eligibility.strata}

    assert not is_stale(eligibility.signature, eligibility, content)
    assert is_stale(eligibility.signature, eligibility, {**content, "strata": {}})
    assert is_stale(eligibility.signature, participant, content)


@pytest.mark.parametrize("total", [4, 15])
def test_a_score_outside_the_range_cannot_be_signed(clock, total):
    trial = Trial()
    participant = trial.consented()
    trial.screened(participant, total=total)
    assessed = trial.assess(participant)

    with pytest.raises(actions.NotEveryCriterionMet):
        steps.sign_eligibility(eligibility=assessed, proof=proof(trial.investigator), by=trial.investigator, at=NOW)

    assert assessed.outcome == "failed"
    assert not Signature.objects.filter(meaning__contains="eligible").exists()


def test_an_unknown_answer_stops_the_path(clock):
    trial = Trial()
    participant = trial.consented()
    trial.screened(participant)
    assessed = trial.assess(participant, I3="unknown")

    with pytest.raises(actions.NotEveryCriterionMet):
        steps.sign_eligibility(eligibility=assessed, proof=proof(trial.investigator), by=trial.investigator, at=NOW)


def test_an_alert_raised_since_the_assessment_stops_the_signature(clock):
    trial = Trial()
    participant = trial.consented()
    trial.screened(participant)
    assessed = trial.assess(participant)
    assert assessed.outcome == "met"
    form = participant.administrations.get(instrument="phq9")
    answers = {**answers_with_total("phq9", 8), "phq9_9": 1}
    reasons = dict.fromkeys(answers, "typing: the paper shows this")
    trial.save_form(
        participant, "V0", "phq9", answers, reasons=reasons, mode=form.mode, completed_date=form.completed_date
    )

    with pytest.raises(actions.NotEveryCriterionMet):
        steps.sign_eligibility(eligibility=assessed, proof=proof(trial.investigator), by=trial.investigator, at=NOW)


def test_only_a_delegated_person_signs(clock):
    trial = Trial()
    participant = trial.consented()
    trial.screened(participant)
    assessed = trial.assess(participant)
    duty = Delegation.objects.get(user=trial.investigator, duty="eligibility")
    duty.to_date = date(2026, 7, 1)
    duty.save_by(None, "Ended")

    with pytest.raises(actions.NotDelegated):
        steps.sign_eligibility(eligibility=assessed, proof=proof(trial.investigator), by=trial.investigator, at=NOW)


def test_one_persons_proof_does_not_sign_for_another(clock):
    trial = Trial()
    participant = trial.consented()
    trial.screened(participant)
    assessed = trial.assess(participant)
    other = staff(Role.COORDINATOR, trial.site)

    with pytest.raises(ProofRefused):
        steps.sign_eligibility(eligibility=assessed, proof=proof(other), by=trial.investigator, at=NOW)


def test_signed_eligibility_no_longer_changes(clock):
    trial = Trial()
    participant = trial.eligible()

    with pytest.raises(actions.EligibilityNotOpen):
        trial.assess(participant)


def test_the_database_refuses_a_signature_on_failed_eligibility(clock):
    participant = Trial().eligible()
    row = Eligibility.objects.get(participant=participant)
    row.outcome = "failed"

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save_by(None, "Try")


def test_the_database_refuses_other_answers_under_a_signature(clock):
    row = Eligibility.objects.get(participant=Trial().eligible())
    row.answers = {**row.answers, "I3": {"answer": "no", "sealed": ""}}

    with pytest.raises(IntegrityError, match="signed assessment never changes"), transaction.atomic():
        row.save_by(None, "Try")


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_an_answer_that_a_person_judges_rests_on_evidence(clock, answer):
    trial = Trial()
    participant = trial.consented()

    with pytest.raises(actions.EvidenceMissing, match="Enter the evidence for I3"):
        actions.assess(
            participant=participant,
            judged={"I3": (answer, "  ")},
            assessed_date=NOW.date(),
            by=trial.coordinator,
            at=NOW,
        )


@pytest.mark.parametrize("answers", [{"I3": "no"}, {"I3": "unknown"}, {"E4": "yes"}, {}])
def test_nobody_is_moved_on_past_an_assessment_that_is_not_signed(clock, answers):
    """There is no override: not by the action that signs, not by moving the status itself."""
    trial = Trial()
    participant = trial.consented()
    trial.screened(participant)
    trial.assess(participant, **answers)

    for by in (trial.investigator, trial.coordinator, None):
        with pytest.raises(MoveRefused, match="Eligibility is not signed"):
            move(referral=participant.referral, target=Status.ELIGIBLE, by=by, at=NOW)

    assert Referral.objects.get().status == Status.CONSENTED


def test_evidence_that_stays_keeps_its_seal(clock):
    trial = Trial()
    participant = trial.consented()
    first = trial.assess(participant).answers["I3"]["sealed"]

    again = trial.assess(participant, I4="unknown").answers

    assert again["I3"]["sealed"] == first
    assert "Asked" not in str(again)


# -- contacts


def test_only_contacts_of_the_team_with_the_person_count(clock):
    trial = Trial()
    referral = trial.refer()
    for parties in ("link_worker_person", "team_referrer", "team_carer"):
        steps.contact(
            referral=referral,
            contacted_at=NOW,
            channel="phone",
            outcome="two_way",
            parties=parties,
            duration_min=15,
            by=trial.coordinator,
            at=NOW,
        )

    assert referral.contact_attempts.count() == 3
    assert not referral.contact_attempts.with_person().exists()
    assert Referral.objects.get().status == Status.REFERRED
    with pytest.raises(MoveRefused, match="3 more attempts"):
        move(referral=referral, target=Status.NOT_CONTACTABLE, by=trial.coordinator, at=NOW)


def contact(trial, referral, **more):
    given = {"contacted_at": NOW, "channel": "phone", "outcome": "no_answer", "by": trial.coordinator, "at": NOW}
    return steps.contact(referral=referral, **given | more)


def test_what_comes_next_is_a_task_until_the_next_contact(clock):
    trial = Trial()
    referral = trial.refer()
    contact(trial, referral, next_step="call", next_date=date(2026, 7, 13))

    task = Task.objects.get(kind="next_contact")
    assert (task.title, task.due_date, task.done_at) == ("Call again", date(2026, 7, 13), None)

    contact(trial, referral, next_step="nothing")

    assert Task.objects.get(kind="next_contact").done_at == NOW


@pytest.mark.parametrize("day", [None, date(2026, 7, 8)])
def test_what_comes_next_has_a_day_after_the_contact(clock, day):
    trial = Trial()

    with pytest.raises(actions.NextStepUndated):
        contact(trial, trial.refer(), next_step="call", next_date=day)


def test_the_database_wants_a_day_for_what_comes_next(clock):
    trial = Trial()
    row = contact(trial, trial.refer())
    row.next_step = "call"

    with pytest.raises(IntegrityError, match="what_comes_next_has_a_day"), transaction.atomic():
        row.save_by(None, "Try")
