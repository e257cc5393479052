"""Requests about data: due, extended, decided, and what they stop (R-35)."""

from datetime import date, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial, staff
from tests.journeys.visitor import day
from tests.trial.journey.steps_by_page import as_, elsewhere, problems_of, text_of
from trial.access.policy import Role
from trial.base.errors import ReasonMissing
from trial.messages import sending
from trial.messages.actions import write_message
from trial.messages.models import OutboxMessage, Task
from trial.participants import identity
from trial.participants.models import Disposal
from trial.rights import requests
from trial.rights.models import SubjectRequest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def participant(trial):
    return trial.consented()


def asked(trial, participant, kind="access", **more):
    given = {"received_date": TODAY, "identity_check": "known", "asked": "Please", "by": trial.coordinator, "at": NOW}
    return requests.record(referral=participant.referral, kind=kind, **(given | more))


def decided(trial, request, decision="granted", **more):
    given = {"reason": "As the law says", "told_date": None, "by": trial.investigator, "at": NOW}
    return requests.decide(request=request, decision=decision, **(given | more))


def test_a_request_is_due_in_a_month_and_is_a_task_for_the_investigator(trial, participant):
    request = asked(trial, participant, asked="My name is Carol")

    assert request.due_date == date(2026, 8, 9)
    assert "Carol" not in request.asked_sealed
    task = Task.objects.open().get(kind="data_request")
    assert (task.role, task.due_date, task.site) == (Role.PRINCIPAL_INVESTIGATOR, date(2026, 8, 9), trial.site)


def test_the_same_request_sent_again_is_one(trial, participant):
    assert asked(trial, participant) == asked(trial, participant)
    assert SubjectRequest.objects.count() == 1


@pytest.mark.parametrize("received", [TODAY + timedelta(days=1), date(2025, 1, 1)])
def test_a_request_comes_after_the_referral_and_not_in_the_future(trial, participant, received):
    with pytest.raises(requests.RequestRefused, match="on or after the referral"):
        asked(trial, participant, received_date=received)


def test_a_request_is_extended_once_with_a_reason_within_its_month(trial, participant):
    request = asked(trial, participant)

    with pytest.raises(ReasonMissing):
        requests.extend(request=request, reason=" ", by=trial.coordinator, at=NOW)
    extended = requests.extend(request=request, reason="Many records", by=trial.coordinator, at=NOW)

    assert extended.due_date == date(2026, 10, 9)
    assert Task.objects.open().get(kind="data_request").due_date == date(2026, 10, 9)
    with pytest.raises(requests.RequestRefused, match="extended already"):
        requests.extend(request=request, reason="Again", by=trial.coordinator, at=NOW)


def test_a_month_that_is_over_is_not_extended(trial, participant):
    request = asked(trial, participant)

    with pytest.raises(requests.RequestRefused, match="month is over"):
        requests.extend(request=request, reason="Late", by=trial.coordinator, at=NOW + timedelta(days=32))


def test_a_decision_has_a_reason_and_is_final(trial, participant):
    request = asked(trial, participant)

    with pytest.raises(ReasonMissing):
        decided(trial, request, reason="")
    with pytest.raises(requests.RequestRefused, match="Your role"):
        decided(trial, request, by=trial.coordinator)
    with pytest.raises(requests.RequestRefused, match="told"):
        decided(trial, request, told_date=TODAY + timedelta(days=1))
    made = decided(trial, request, told_date=TODAY)

    assert (made.decision, made.decided_by, made.told_date) == ("granted", trial.investigator, TODAY)
    assert not Task.objects.open().filter(kind="data_request").exists()
    with pytest.raises(requests.RequestRefused, match="already"):
        decided(trial, request)


def test_the_database_holds_that_a_decision_and_an_extension_have_reasons(trial, participant):
    for changes in (
        {"decision": "granted"},
        {"decision": "refused", "decided_by": trial.investigator, "decided_at": NOW},
        {"extended_at": NOW},
        {"due_date": TODAY},
    ):
        row = asked(trial, participant)
        for name, value in changes.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save_by(None)


@pytest.mark.parametrize("kind", ["restriction", "objection"])
def test_a_restriction_stops_everything_from_the_day_it_comes_until_it_is_lifted(trial, participant, kind):
    referral = participant.referral
    write_message(key="before", kind="results", heading="Before", body="…", at=NOW, referral=referral)

    request = asked(trial, participant, kind)
    during = write_message(key="during", kind="results", heading="During", body="…", at=NOW, referral=referral)
    sending.send_due(at=NOW)

    assert OutboxMessage.objects.get(key="before").state == "stopped"
    during.refresh_from_db()
    assert (during.state, [one.subject for one in mail.outbox if one.subject == "During"]) == ("stopped", [])
    assert requests.restricted_participants() == {participant.pk}
    with pytest.raises(requests.RequestRefused, match="no restriction to lift"):
        requests.lift(request=request, by=trial.investigator, at=NOW)
    decided(trial, request)
    assert requests.is_restricted(referral)
    requests.lift(request=request, by=trial.investigator, at=NOW)
    assert not requests.is_restricted(referral)


def test_a_refused_restriction_stops_nothing(trial, participant):
    decided(trial, asked(trial, participant, "restriction"), "refused")

    assert requests.restricted_participants() == set()


def test_messages_to_staff_about_a_restricted_person_still_go(trial, participant):
    asked(trial, participant, "restriction")
    message = write_message(
        key="x", kind="x", heading="H", body="B", at=NOW, referral=participant.referral, to_user=trial.clinician
    )

    assert requests.may_still_go(message)


def test_granting_erasure_asks_for_a_disposal_that_another_must_agree(trial, participant):
    decided(trial, asked(trial, participant, "erasure"))

    disposal = Disposal.objects.get()
    assert (disposal.state, disposal.asked_by, disposal.why) == ("asked", trial.investigator, "erasure")
    assert identity.read(participant.referral.person).first_name == "Carol"


def test_an_overdue_request_is_a_task_for_the_trial_manager_once(trial, participant):
    asked(trial, participant)

    assert requests.overdue_tasks(at=NOW + timedelta(days=31)) == 0
    assert requests.overdue_tasks(at=NOW + timedelta(days=32)) == 1
    assert requests.overdue_tasks(at=NOW + timedelta(days=33)) == 1

    assert Task.objects.open().filter(role=Role.TRIAL_MANAGER).count() == 1


def test_the_pages_record_extend_decide_and_lift(client, trial, participant):
    coordinator = as_(client, trial.coordinator)
    typed = {"kind": "restriction", "identity_check": "called", "asked": "Stop", **day("received_date", TODAY)}
    made = coordinator.post(f"/people/{participant.study_id}/data-request/", typed)
    url = made.headers["Location"]
    seen = text_of(coordinator.get(url))
    coordinator.post(f"{url}extend/", {"reason": "Complicated"})
    not_mine = coordinator.post(f"{url}decide/", {"decision": "granted", "reason": "Right"}).status_code
    listed = text_of(coordinator.get("/data-requests/"))
    investigator = as_(client, trial.investigator)
    unsaid = investigator.post(f"{url}decide/", {"decision": "granted", "reason": ""})
    investigator.post(f"{url}decide/", {"decision": "granted", "reason": "Right"})
    lifted = text_of(investigator.post(f"{url}lift/", follow=True))

    assert "Processing is stopped" in seen
    assert "9 October 2026" in text_of(investigator.get(url))
    assert not_mine == 403
    assert participant.study_id in listed
    assert problems_of(unsaid) == ["Enter why"]
    assert "Processing goes on" in lifted


def test_the_trial_manager_decides_without_reading_what_is_sealed(client, trial, participant):
    request = asked(trial, participant, asked="Her brother Paul")
    manager = as_(client, staff(Role.TRIAL_MANAGER, blinded=False))

    page = text_of(manager.get(f"/data-requests/{request.pk}/"))

    assert "Decide" in page
    assert "Paul" not in page


def test_requests_of_another_site_are_not_there(client, trial, participant):
    request = asked(trial, participant)
    stranger = as_(client, elsewhere(Role.COORDINATOR))

    assert stranger.get(f"/data-requests/{request.pk}/").status_code == 404
    assert participant.study_id not in text_of(stranger.get("/data-requests/"))
    assert stranger.get(f"/people/{participant.study_id}/data-copy/").status_code == 404
