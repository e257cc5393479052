"""Referrals, duplicates and study numbers."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import NOW, Trial, staff
from trial.access.models import Site
from trial.access.policy import Role
from trial.journey import actions as journey
from trial.journey.actions import MoveRefused
from trial.participants.actions import AlreadyReferred
from trial.participants.models import Participant, Referral, Status

pytestmark = pytest.mark.django_db
WHO = {"first_name": "Nia", "last_name": "Pugh", "birth_date": date(1980, 5, 1), "nhs_number": "9990000018"}


def test_screening_numbers_count_on_for_each_site(clock):
    trial = Trial()

    numbers = [trial.refer().screening_number for _ in range(3)]

    assert numbers == ["S-01-0001", "S-01-0002", "S-01-0003"]


def test_an_open_referral_is_not_made_twice(clock):
    trial = Trial()
    first = trial.refer(**WHO)

    with pytest.raises(AlreadyReferred, match=first.screening_number):
        trial.refer(**WHO)

    assert Referral.objects.count() == 1


def test_another_sites_referral_is_not_revealed(clock):
    trial = Trial()
    trial.refer(**WHO)
    trial.site = Site.objects.get(code="02")
    trial.coordinator = staff(Role.COORDINATOR, trial.site)

    with pytest.raises(AlreadyReferred) as refusal:
        trial.refer(**WHO)

    assert str(refusal.value) == "This person already has an open referral. Ring the trial office."


def test_a_randomised_person_is_never_referred_again(clock):
    trial = Trial().open_randomisation()
    participant = trial.baseline_done(trial.eligible(trial.consented(**WHO)))
    trial.randomised(participant)

    with pytest.raises(AlreadyReferred, match="cannot be referred again"):
        trial.refer(at=NOW, **WHO)


def test_two_people_with_one_name_and_birthday_but_other_nhs_numbers_are_two_people(clock):
    trial = Trial()
    trial.refer(**WHO)

    second = trial.refer(**{**WHO, "nhs_number": "9990000026"})

    assert second.person.referrals.count() == 1


def test_a_new_referral_follows_a_closed_one_and_is_linked_to_it(clock):
    trial = Trial()
    first = trial.informed(**WHO)
    journey.close(
        referral=first, target=Status.DECLINED, reasons=[_reason(trial, "decline")], by=trial.coordinator, at=NOW
    )

    second = trial.refer(at=NOW, **WHO)

    assert second.earlier_referral == first
    assert second.status_events.get().transition == "T17"
    assert second.person == first.person


def test_screening_again_waits_and_happens_once(clock):
    # BR-05: once, at least 28 days after failing.
    trial = Trial()
    participant = trial.consented(at=NOW - timedelta(days=40), **WHO)
    trial.screened(participant, total=8, at=NOW - timedelta(days=40))
    trial.assess(participant, I3="no", at=NOW - timedelta(days=30))
    journey.close(
        referral=participant.referral,
        target=Status.SCREEN_FAILED,
        reasons=["I3"],
        by=trial.coordinator,
        at=NOW - timedelta(days=20),
    )

    with pytest.raises(MoveRefused, match="after 28 days"):
        trial.refer(at=NOW, **WHO)

    clock.shift(timedelta(days=10))
    again = trial.refer(at=NOW + timedelta(days=8), **WHO)
    assert again.screening_number != participant.referral.screening_number


def test_the_study_number_never_changes(clock):
    participant = Trial().consented()
    participant.study_id = "GRX-01-999-9"

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        participant.save_by(None, "Try")


def test_a_study_number_is_given_once_even_past_the_application(clock):
    participant = Trial().consented()

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE trial_participant SET sequence = 2 WHERE id = %s", [participant.pk])

    assert Participant.objects.get(pk=participant.pk).sequence == 1


def test_age_and_birth_year_alone_reach_the_research_record(clock):
    participant = Trial().consented(birth_date=date(1971, 3, 14))

    assert (participant.birth_year, participant.age_at_consent) == (1971, 55)


def _reason(trial: Trial, which: str) -> str:
    return str(getattr(trial.spec.reasons, which)[0].code)
