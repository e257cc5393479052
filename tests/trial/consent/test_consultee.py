"""Loss of capacity: everything stops, unless a consultee advised under approved arrangements (BR-16)."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial
from tests.trial.selfcompletion.builders import send_due
from trial.consent import consultee
from trial.consent.errors import ConsentRefused
from trial.consent.evidence_models import ConsulteeAdvice
from trial.journey import steps
from trial.messages import actions as outbox
from trial.messages.models import OutboxMessage
from trial.participants import identity
from trial.participants.models import Referral
from trial.participation import rules
from trial.participation.models import Element

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def advise(trial, participant, advice="continue", **changes):
    given = {
        "kind": "personal",
        "advice": advice,
        "rec_reference": "00/XX/0000 consultee",
        "name": "Ann Daughter",
        "advised_date": TODAY,
    }
    return consultee.record_advice(participant=participant, by=trial.coordinator, at=NOW, **given | changes)


def lose_capacity(trial, participant):
    return steps.change_participation(
        participant=participant,
        effective_date=TODAY,
        decided_by="clinician",
        elements=dict.fromkeys(Element.values, True),
        cause="loss_of_capacity",
        by=trial.coordinator,
        at=NOW,
    )


def status_of(participant) -> str:
    return Referral.objects.get(pk=participant.referral_id).status


def test_without_a_consultee_everything_stops_and_the_person_leaves_with_their_data_kept():
    trial = Trial().open_randomisation()
    participant = trial.randomised(at=NOW - timedelta(days=30))
    trial.save_form(participant, "V2", "phq9", at=NOW - timedelta(days=1))

    lose_capacity(trial, participant)

    assert status_of(participant) == "ENDED_EARLY"
    assert rules.stopped(participant.participation_changes.all(), TODAY) == set(Element.values)
    assert participant.administrations.filter(visit__code="V2").exists()


def test_with_a_consultees_advice_what_they_advise_goes_on_and_still_no_message_leaves():
    trial = Trial().open_randomisation()
    participant = trial.randomised(at=NOW - timedelta(days=30))
    advise(trial, participant)

    lose_capacity(trial, participant)
    outbox.write_message(key="k", kind="x", heading="H", body="B", referral=participant.referral, at=NOW)
    send_due()

    assert status_of(participant) in ("RANDOMISED", "IN_ACTIVITY")
    on = rules.elements_on(participant.participation_changes.all(), TODAY)
    assert {code for code, is_on in on.items() if is_on} == rules.WITH_CONSULTEE
    theirs = identity.read(participant.referral.person).email
    assert all(theirs not in message.to for message in mail.outbox)
    assert OutboxMessage.objects.get(key="k").state == "stopped"


def test_advice_to_stop_stops():
    trial = Trial().open_randomisation()
    participant = trial.randomised(at=NOW - timedelta(days=30))
    advise(trial, participant, "stop")

    lose_capacity(trial, participant)

    assert status_of(participant) == "ENDED_EARLY"


def test_before_randomisation_too_only_a_consultee_keeps_somebody_in():
    trial = Trial()
    leaves, stays = trial.consented(), trial.consented()
    advise(trial, stays)

    lose_capacity(trial, leaves)
    lose_capacity(trial, stays)

    assert (status_of(leaves), status_of(stays)) == ("WITHDRAWN_BEFORE_RANDOMISATION", "CONSENTED")


def test_advice_needs_an_approval_a_day_that_fits_and_a_sealed_name(client):
    trial = Trial()
    participant = trial.consented()
    for wrong in ({"rec_reference": " "}, {"advised_date": TODAY + timedelta(days=1)}):
        with pytest.raises(ConsentRefused):
            advise(trial, participant, **wrong)
    stored = advise(trial, participant)
    assert "Ann" not in str(list(ConsulteeAdvice.objects.values()))
    stored.rec_reference = ""

    with pytest.raises(IntegrityError), transaction.atomic():
        stored.save_by(None, "Try")


def test_the_page_records_the_advice_and_leads_to_participation(client):
    trial = Trial()
    participant = trial.consented()
    client.force_login(trial.coordinator)

    response = client.post(
        f"/people/{participant.study_id}/consent/consultee/",
        {
            "kind": "personal",
            "name": "Ann Daughter",
            "advice": "continue",
            "advised_date_0": TODAY.day,
            "advised_date_1": TODAY.month,
            "advised_date_2": TODAY.year,
            "rec_reference": "00/XX/0000",
        },
    )

    assert response.headers["Location"] == f"/people/{participant.study_id}/participation/"
    assert consultee.may_go_on(participant, TODAY)
