"""An allocation that a restored backup lost is entered from its certificate (9.15)."""

from datetime import timedelta

import pytest
from django.db import transaction

from randomisation import high_water
from randomisation.codes import certificate_code
from randomisation.models import Allocation, AllocationMember, EventLog, Scheme
from randomisation.recording import record_next
from randomisation.requests import Member, UnitRequest
from randomisation.states import pause_all
from tests.factories import NOW, Trial, staff
from tests.journeys.visitor import moment
from tests.trial.allocation.exceptions.builders import asked, requests
from tests.trial.allocation.exceptions.test_envelopes import finished
from tests.trial.journey.steps_by_page import as_, problems_of, text_of
from trial.access.policy import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

MADE = NOW - timedelta(hours=3)


@pytest.fixture
def trial():
    return Trial().open_randomisation()


@pytest.fixture
def manager(trial):
    return staff(Role.TRIAL_MANAGER, blinded=False)


def lost(trial, manager):
    """Somebody ready, whose allocation a mark knows and the database lacks; with the code on the certificate."""
    ready, scheme = trial.baseline_done(), Scheme.objects.get()
    request = UnitRequest(
        unit=ready.study_id,
        members=[Member(ready.pk, ready.eligibility.strata)],
        key="lost",
        by=trial.randomiser,
        site="01",
        at=MADE,
        software_version="0.1.0",
    )
    with transaction.atomic():
        recorded = record_next(scheme, request, check=list)
        code, entry = certificate_code(recorded.allocation), EventLog.objects.get(digest=recorded.digest)
        transaction.set_rollback(True)
    newest = scheme.events.order_by("-n").first()
    high_water.advance(scheme, high_water.Mark(newest.n, 0, newest.digest))
    high_water.advance(scheme, high_water.Mark(entry.n, 1, entry.digest))
    pause_all(reason="high-water mark", by=manager, at=NOW)
    return ready, code


def recover(client, manager, participant, code, /, **more):
    typed = {
        **moment("made_at", MADE + timedelta(hours=1)),
        "level_1_phq9_band": "5-9",
        "reason": "Printed certificate of 9 July",
        "code": code,
        **more,
    }
    return as_(client, manager).post(f"/people/{participant.study_id}/randomisation/recover/", typed)


def test_the_page_says_how_many_are_missing_and_names_nobody(client, trial, manager):
    ready, _ = lost(trial, manager)

    page = text_of(as_(client, manager).get("/randomisation/recover/"))

    assert "<strong>1</strong> allocation missing" in page
    assert ready.study_id not in page


def test_it_is_entered_again_with_its_code_and_a_second_person(client, trial, manager):
    ready, code = lost(trial, manager)

    response = recover(client, manager, ready, code)

    assert response.headers["Location"] == "/randomisation/envelopes/"
    assert not Allocation.objects.exists()
    finished(asked(), staff(Role.UNBLINDED_STATISTICIAN))
    made = Allocation.objects.get()
    assert (made.source, made.unit, made.at, made.seq) == ("recovered", ready.study_id, MADE, 1)
    assert AllocationMember.objects.get().participant == ready
    assert high_water.n_lost(Scheme.objects.get()) == 0


def test_when_nothing_is_missing_nothing_is_recovered(client, trial, manager):
    ready = trial.baseline_done()

    response = recover(client, manager, ready, "AAAAAAAA")

    assert problems_of(response) == ["No allocation is missing from the database."]
    assert not requests().exists()


@pytest.mark.parametrize("wrong", [{"code": ""}, {"reason": ""}, {"level_1_phq9_band": ""}, {"made_at_0": ""}])
def test_what_is_missing_is_asked_for(client, trial, manager, wrong):
    ready, code = lost(trial, manager)

    response = recover(client, manager, ready, code, **wrong)

    assert problems_of(response)
    assert not requests().exists()
