"""What is next, at every status."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, answers_with_total, staff
from tests.trial.activities.builders import make_group
from trial.access.policy import Role
from trial.activities.models import Membership
from trial.assessments.reads import visit_states
from trial.base import audit
from trial.consent.models import DocumentVersion
from trial.journey import actions, next_rules, steps
from trial.journey.next_rules import CLOSED, RULES
from trial.journey.next_step import next_step
from trial.participants.models import Referral, Status
from trial.safety.models import RiskAlert
from trial.schedule.rules import VisitStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial().open_randomisation()


def _next(referral, user, today=TODAY):
    return next_step(Referral.objects.get(pk=referral.pk), user, today, NOW)


def test_every_status_has_a_rule():
    assert set(RULES) == set(Status)


def test_a_referral_is_led_to_consent(trial):
    referral = trial.refer()

    first = _next(referral, trial.coordinator)
    steps.contact(
        referral=referral, contacted_at=NOW, channel="phone", outcome="no_answer", by=trial.coordinator, at=NOW
    )
    again = _next(referral, trial.coordinator)

    assert (first.title, first.url) == ("Make first contact", "/people/S-01-0001/contact/")
    assert again.title == "Try again to make contact"
    assert "1 attempt so far, the last on 9 July 2026" in again.detail


def test_somebody_informed_is_asked_for_consent(trial):
    step = _next(trial.informed(), trial.coordinator)

    assert (step.title, step.button) == ("Ask for consent", "Start consent")
    assert step.detail == "Information sheet 1.0 given on 1 July 2026."


def test_screening_comes_in_the_order_forms_criteria_signature(trial):
    participant = trial.consented()

    forms = _next(participant.referral, trial.coordinator)
    trial.screened(participant)
    criteria = _next(participant.referral, trial.coordinator)
    trial.assess(participant)
    signing = _next(participant.referral, trial.investigator)

    assert forms.title == "Collect the screening questionnaires"
    assert criteria.title == "Check eligibility"
    assert (signing.title, signing.button) == ("Sign eligibility", "Check and sign")


def test_a_failed_criterion_leads_to_closing(trial):
    participant = trial.consented()
    trial.screened(participant)
    trial.assess(participant, I3="no")

    step = _next(participant.referral, trial.coordinator)

    assert step.title == "Record that the person is not eligible"
    assert step.url.endswith("/close/screen-failed/")


def test_an_alert_holds_the_person_until_it_is_graded(trial):
    participant = trial.consented()
    answers = answers_with_total("phq9", 8) | {"phq9_9": 1, "phq9_1": 2}
    trial.save_form(participant, "V0", "phq9", answers)

    step = _next(participant.referral, trial.coordinator)

    assert step.title == "Wait for the risk assessment"
    assert step.url.startswith("/safety/alerts/")
    assert _next(participant.referral, trial.randomiser).url == ""


def test_baseline_then_randomisation(trial):
    participant = trial.eligible()
    collecting = _next(participant.referral, trial.coordinator)
    participant = trial.baseline_done(participant)

    waiting = _next(participant.referral, trial.coordinator)
    ready = _next(participant.referral, trial.randomiser)

    assert collecting.title == "Collect the baseline questionnaires"
    assert collecting.url.startswith(f"/people/{participant.study_id}/V1/")
    assert (waiting.title, waiting.url) == ("Randomise", "")
    assert ready.url == f"/people/{participant.study_id}/randomise/"


def test_a_baseline_outside_its_window_is_brought_up_to_date(trial):
    participant = trial.baseline_done()

    step = _next(participant.referral, trial.coordinator, TODAY + timedelta(days=30))

    assert step.title == "Bring the baseline up to date"
    assert "outside the baseline window" in step.detail


def test_after_randomisation_a_group_then_the_visits(trial):
    participant = trial.randomised()
    chosen = _next(participant.referral, trial.coordinator)
    group = make_group(trial, start_date=TODAY + timedelta(days=14))
    Membership(participant=participant, group=group, from_date=TODAY).save_by(trial.coordinator)

    waiting = _next(participant.referral, trial.coordinator)
    due = _next(participant.referral, trial.coordinator, TODAY + timedelta(days=30))
    overdue = _next(participant.referral, trial.coordinator, TODAY + timedelta(days=45))

    assert chosen.title == "Choose a group"
    assert waiting.title == "Nothing is due until 6 August 2026"
    assert "The first session is on Thursday 23 July 2026" in waiting.detail
    assert due.title == "Collect the week 5 questionnaires"
    assert due.detail == "0 of 3 questionnaires complete. The window closes on 20 August 2026."
    assert "The window closed on 20 August 2026" in overdue.detail


def test_a_blinded_role_hears_nothing_of_groups(trial):
    participant = trial.randomised()

    step = _next(participant.referral, staff(Role.OUTCOME_ASSESSOR, trial.site))

    assert step.title == "Nothing is due until 6 August 2026"
    assert "session" not in step.detail


def test_a_closed_record_says_why_nothing_is_due(trial):
    referral = trial.informed()
    actions.close(referral=referral, target=Status.DECLINED, reasons=["NO_TIME"], by=trial.coordinator, at=NOW)

    step = _next(referral, trial.coordinator)

    assert (step.title, step.detail, step.url) == ("Nothing is due", "Declined on 9 July 2026: no time.", "")


def test_somebody_who_stopped_questionnaires_is_not_chased(trial):
    participant = trial.randomised()
    steps.change_participation(
        participant=participant,
        effective_date=TODAY,
        decided_by="participant",
        elements={"questionnaires_web": False, "questionnaires_phone_post": False},
        by=trial.coordinator,
        at=NOW,
    )
    group = make_group(trial)
    Membership(participant=participant, group=group, from_date=TODAY).save_by(trial.coordinator)

    step = _next(participant.referral, trial.coordinator, TODAY + timedelta(days=30))

    assert step.detail == "The person no longer answers questionnaires."


def _facts(trial, referral, **more):
    stored = Referral.objects.select_related("protocol_version").get(pk=referral.pk)
    return next_rules.Facts(stored, trial.spec, TODAY, may=lambda action: True, **more)


def test_somebody_in_contact_is_given_the_sheet(trial):
    referral = trial.refer()
    steps.contact(referral=referral, contacted_at=NOW, channel="phone", outcome="two_way", by=trial.coordinator, at=NOW)

    step = _next(referral, trial.coordinator)

    assert (step.title, step.url) == ("Give the information sheet", "/people/S-01-0001/information/")
    assert step.link.label == "Record the sheet given"


def test_facts_that_are_not_read_leave_the_general_words(trial):
    informed = next_rules.rule(_facts(trial, trial.informed()))
    consented = next_rules.rule(_facts(trial, trial.consented().referral))
    eligible = next_rules.rule(_facts(trial, trial.eligible().referral))

    assert informed.detail == "The person has time to decide first."
    assert consented.title == "Check eligibility"
    assert eligible.title == "Complete baseline"


@pytest.mark.parametrize("status", ["ELIGIBLE", "BASELINE_DONE"])
def test_a_grade_that_excludes_says_so_before_randomisation(trial, status):
    participant = trial.eligible() if status == "ELIGIBLE" else trial.baseline_done()
    alert = RiskAlert(participant=participant, level="high", raised_at=NOW, trigger="answer", severity="urgent")

    step = next_rules.rule(_facts(trial, participant.referral, alert=alert))

    assert step.title == "Not to be randomised"
    assert step.detail == "The alert of 9 July 2026 was graded high."
    assert step.url.endswith("/close/left/")


@pytest.mark.parametrize("status", ["BASELINE_DONE", "RANDOMISED"])
def test_a_newer_consent_version_comes_first(trial, status):
    participant = trial.baseline_done() if status == "BASELINE_DONE" else trial.randomised()
    newer = DocumentVersion(version="2.1", approved_date=TODAY)

    step = next_rules.rule(_facts(trial, participant.referral, newer_consent=newer))

    assert (step.title, step.button) == ("Ask for consent to version 2.1", "Start consent")
    assert "Approved on 9 July 2026" in step.detail


def test_when_every_visit_is_over_nothing_is_due(trial):
    participant = trial.randomised()
    states = visit_states(participant, trial.spec, TODAY + timedelta(days=1000))
    visits = [replace(one, status=VisitStatus.MISSED) for one in states]
    facts = _facts(trial, participant.referral, visits=visits, in_group=True)

    assert next_rules.rule(facts).detail == "Every visit is over."
    assert next_rules.in_a_few_words(facts) == "Nothing is due"


@pytest.mark.parametrize(
    ("days", "words"), [(0, "Week 5, from 6 Aug"), (30, "Week 5, by 20 Aug"), (45, "Week 5, overdue since 20 Aug")]
)
def test_the_list_names_the_visit_and_its_day(trial, days, words):
    participant = trial.randomised()
    visits = visit_states(participant, trial.spec, TODAY + timedelta(days=days))

    assert next_rules.in_a_few_words(_facts(trial, participant.referral, visits=visits)) == words


def test_the_reason_of_a_failed_criterion_is_in_words(trial):
    referral = trial.refer()
    actions.close(referral=referral, target=Status.PRESCREEN_INELIGIBLE, reasons=["E4"], by=trial.coordinator, at=NOW)

    step = _next(referral, trial.coordinator)

    reason = next(one.reason.label for one in trial.spec.criteria if one.code == "E4")
    assert step.detail.lower() == f"not eligible before consent on 9 july 2026: {reason.lower()}."


def test_a_list_says_it_in_a_few_words(trial):
    referral = Referral.objects.select_related("protocol_version").get(pk=trial.refer().pk)
    facts = next_rules.Facts(referral, trial.spec, TODAY)

    words = next_rules.in_a_few_words(facts)
    referral.status = next(iter(CLOSED))
    closed = next_rules.in_a_few_words(facts)

    assert (words, closed) == ("Make first contact", "")
    assert audit.verify() == []
