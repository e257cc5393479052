"""Tasks that open because a day has come, once, and close with their cause."""

from datetime import date, timedelta

import pytest

from tests.factories import NOW, Trial, delegate, give_role, make_user
from trial.access.models import Duty
from trial.access.policy import Role
from trial.consent import actions as consents
from trial.consent.models import DocumentUse, DocumentVersion
from trial.journey import steps
from trial.messages.models import Task
from trial.operations import due
from trial.participants.models import Participant
from trial.participation.models import ParticipationChange
from trial.review.models import Query

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial(clock):
    return Trial().open_randomisation()


@pytest.fixture
def randomised(trial):
    """Somebody randomised 30 days ago: the week 5 window opened 2 days ago and closes in 12."""
    return trial.randomised(at=NOW - timedelta(days=30))


def open_tasks(kind):
    return list(Task.objects.open().filter(kind=kind).order_by("key"))


def test_an_open_window_asks_to_send_the_questionnaires_once(trial, randomised):
    assert due.visit_tasks(at=NOW) == 1
    assert due.visit_tasks(at=NOW) == 1

    (task,) = open_tasks("visit_due")
    assert task.title == "Send week 5 questionnaires"
    assert task.detail == "Window opened 7 Jul and closes 21 Jul"
    assert (task.role, task.site, task.reveals_arm) == (Role.COORDINATOR, trial.site, False)
    assert task.due_date == date(2026, 7, 7)


def test_a_started_visit_needs_nothing_sent(trial, randomised):
    due.visit_tasks(at=NOW)
    trial.save_form(randomised, "V2", "phq9", submit=False)

    assert due.visit_tasks(at=NOW) == 0
    assert open_tasks("visit_due") == []


def test_from_the_day_of_the_call_somebody_is_to_be_rung(trial, randomised):
    due.visit_tasks(at=NOW)
    later = NOW + timedelta(days=10)

    due.visit_tasks(at=later)

    (task,) = open_tasks("visit_due")
    assert task.title == "Ring for week 5 questionnaires"
    assert task.detail == "0 of 3 answered. Window closes 21 Jul"
    assert task.due_date == date(2026, 7, 18)


def test_a_finished_visit_closes_its_tasks(trial, randomised):
    due.visit_tasks(at=NOW)
    for form in ("wemwbs", "phq9", "nature_contact"):
        trial.save_form(randomised, "V2", form)

    assert due.visit_tasks(at=NOW) == 0
    assert open_tasks("visit_due") == []


def test_a_window_that_has_closed_closes_its_tasks(trial, randomised):
    due.visit_tasks(at=NOW)

    due.visit_tasks(at=NOW + timedelta(days=20))

    assert open_tasks("visit_due") == []


@pytest.mark.parametrize("element", ["contact", "both kinds of questionnaire"])
def test_nobody_chases_somebody_who_stopped(trial, randomised, element):
    stopped = (
        {"contact": False}
        if element == "contact"
        else {"questionnaires_web": False, "questionnaires_phone_post": False}
    )
    steps.change_participation(
        participant=randomised,
        effective_date=NOW.date(),
        decided_by=ParticipationChange.DecidedBy.PARTICIPANT,
        elements=stopped,
        by=trial.coordinator,
        at=NOW,
    )

    assert due.visit_tasks(at=NOW) == 0


def test_visits_are_read_in_a_constant_number_of_queries(trial, randomised, django_assert_max_num_queries):
    due.visit_tasks(at=NOW)

    with django_assert_max_num_queries(12):
        due.visit_tasks(at=NOW)


def ask(participant, *, days):
    return Query(
        participant=participant, field="phq9_1", raised_at=NOW - timedelta(days=days), state=Query.State.OPEN
    ).save_by(None)


def test_old_queries_make_one_task_a_week_and_site(trial):
    participant = trial.consented()
    ask(participant, days=15)
    ask(participant, days=20)
    ask(participant, days=3)

    assert due.query_tasks(at=NOW) == 1
    assert due.query_tasks(at=NOW + timedelta(hours=3)) == 1

    (task,) = open_tasks("queries_old")
    assert task.detail == "2 queries open for more than 14 days"


def test_answered_queries_close_the_task(trial):
    query = ask(trial.consented(), days=15)
    due.query_tasks(at=NOW)
    query.state = Query.State.ANSWERED
    query.save_by(None)

    assert due.query_tasks(at=NOW) == 0
    assert open_tasks("queries_old") == []


def test_a_duty_that_ends_tomorrow_is_told_to_the_investigator_once(trial):
    line = delegate(give_role(make_user("Sam Treloar"), Role.COORDINATOR, trial.site), Duty.CONSENT, trial.site)
    line.to_date = date(2026, 7, 10)
    line.save_by(None, "Ends")

    assert due.delegation_tasks(at=NOW) == 1
    assert due.delegation_tasks(at=NOW) == 1

    (task,) = open_tasks("delegation_ends")
    assert task.detail == "Sam Treloar: Take consent. Last day 10 July 2026"
    assert (task.role, task.site) == (Role.PRINCIPAL_INVESTIGATOR, trial.site)


def test_a_version_that_needs_consent_again_is_asked_of_everybody_active(trial):
    active, gone = trial.consented(), trial.consented()
    newer = _newer_version(trial)
    DocumentUse(document=newer, site=trial.site, from_date=date(2026, 7, 1)).save_by(None)
    _leave(trial, gone)

    assert due.reconsent_tasks(at=NOW) == 1
    assert due.reconsent_tasks(at=NOW) == 1

    (task,) = open_tasks("reconsent")
    assert task.title == "Ask for consent to version 9.0"
    assert task.referral == active.referral
    assert task.link == f"/people/{active.study_id}/consent/"


def test_consent_on_the_new_version_closes_the_task(trial):
    participant = trial.consented()
    newer = _newer_version(trial)
    DocumentUse(document=newer, site=trial.site, from_date=date(2026, 7, 1)).save_by(None)
    due.reconsent_tasks(at=NOW)
    consents.record_consent(
        referral=participant.referral,
        form=newer,
        information=participant.referral.information_given.get(),
        data=trial.consent_data(at=NOW),
        by=trial.coordinator,
        at=NOW,
    )

    assert due.reconsent_tasks(at=NOW) == 0
    assert open_tasks("reconsent") == []


def test_without_such_a_version_nobody_is_asked(trial, django_assert_max_num_queries):
    trial.consented()

    with django_assert_max_num_queries(2):
        assert due.reconsent_tasks(at=NOW) == 0


def _newer_version(trial):
    current = DocumentVersion.objects.filter(kind="consent").first()
    return DocumentVersion(
        code="CONSENT_9",
        kind="consent",
        title=current.title,
        version="9.0",
        document_date=date(2026, 6, 1),
        rec_reference="REC",
        approved_date=date(2026, 6, 15),
        requires_reconsent=True,
        statements=current.statements,
        content_sha256="0" * 64,
    ).save_by(None)


def _leave(trial, participant):
    from trial.journey import actions as journey

    journey.close(
        referral=participant.referral,
        target="WITHDRAWN_BEFORE_RANDOMISATION",
        reasons=[trial.spec.reasons.withdrawal[0].code],
        by=trial.coordinator,
        at=NOW,
    )
    return Participant.objects.get(pk=participant.pk)
