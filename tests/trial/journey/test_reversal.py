"""A status that was entered in error goes back, by two people, never after randomisation (T18)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import NOW, TODAY, Trial, final_lock, make_user, proof, staff
from trial.access.models import Signature
from trial.access.policy import Role
from trial.consent.actions import documents_on
from trial.journey import actions, reversal, steps
from trial.journey.models import Reversal
from trial.locking.rules import DatasetLocked
from trial.participants.models import Participant, Referral, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def manager(trial):
    return staff(Role.DATA_MANAGER)


def ask(manager, referral, reason="Wrong person", at=NOW):
    return reversal.ask(referral=referral, reason=reason, by=manager, at=at)


def approve(trial, asked, by=None):
    return reversal.approve(reversal=asked, by=by or trial.investigator, at=NOW)


def declined(trial):
    return actions.close(
        referral=trial.informed(), target=Status.DECLINED, reasons=["TRAVEL"], by=trial.coordinator, at=NOW
    )


def test_one_person_asks_and_another_approves(trial, manager):
    referral = declined(trial)

    asked = ask(manager, referral)
    assert Referral.objects.get(pk=referral.pk).status == Status.DECLINED
    done = approve(trial, asked)

    fresh = Referral.objects.get(pk=referral.pk)
    assert (fresh.status, fresh.status_date, fresh.close_reason, fresh.further_reasons) == (
        Status.INFORMED,
        TODAY,
        "",
        [],
    )
    event = fresh.status_events.last()
    assert (event.transition, event.from_status, event.to_status) == ("T18", "DECLINED", "INFORMED")
    assert (event.by, event.reason) == (trial.investigator, "Entered in error: Wrong person")
    assert (done.asked_by, done.approved_by, done.approved_at) == (manager, trial.investigator, NOW)
    assert fresh.status_events.count() == 5, "nothing of the trail is taken away"


def test_nobody_approves_what_they_asked_for(trial, manager):
    asked = ask(manager, declined(trial))

    with pytest.raises(reversal.ReversalRefused, match="Another person"):
        approve(trial, asked, by=manager)
    asked.approved_by, asked.approved_at = manager, NOW
    with pytest.raises(IntegrityError, match="two_people"), transaction.atomic():
        asked.save_by(manager, "Past the action")

    assert Reversal.objects.get().approved_at is None


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"refused_at": NOW, "refusal": "No"}, "says_why"),
        ({"refused_at": NOW, "refused_by": True}, "says_why"),
        ({"refused_at": NOW, "refused_by": True, "refusal": "No", "approved_at": NOW}, "approved_or_refused"),
    ],
)
def test_the_database_keeps_a_decision_whole(trial, manager, changes, constraint):
    asked = ask(manager, declined(trial))
    for name, value in changes.items():
        setattr(asked, name, trial.investigator if value is True else value)

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        asked.save_by(manager, "Past the action")


def test_a_refusal_is_made_by_the_investigator_in_words_and_once(trial, manager):
    asked = ask(manager, declined(trial))

    with pytest.raises(reversal.ReversalRefused, match="role"):
        reversal.refuse(reversal=asked, why="No", by=manager, at=NOW)
    with pytest.raises(reversal.ReversalRefused, match="Say why"):
        reversal.refuse(reversal=asked, why=" ", by=trial.investigator, at=NOW)
    reversal.refuse(reversal=asked, why="It was right", by=trial.investigator, at=NOW)
    with pytest.raises(reversal.ReversalRefused, match="decided on already"):
        reversal.refuse(reversal=asked, why="It was right", by=trial.investigator, at=NOW)
    with pytest.raises(reversal.ReversalRefused, match="has changed since"):
        approve(trial, asked)


def test_a_person_without_the_role_approves_nothing(trial, manager):
    asked = ask(manager, declined(trial))

    with pytest.raises(reversal.ReversalRefused, match="role"):
        approve(trial, asked, by=make_user())
    with pytest.raises(reversal.ReversalRefused, match="role"):
        ask(make_user(), trial.informed())


def test_a_request_has_words(trial, manager):
    with pytest.raises(reversal.ReversalRefused, match="Say what"):
        ask(manager, declined(trial), reason="  ")

    assert not Reversal.objects.exists()


def test_a_request_waits_for_its_answer_before_the_next(trial, manager):
    referral = declined(trial)
    ask(manager, referral)

    with pytest.raises(reversal.ReversalRefused, match="waits for approval"):
        ask(manager, referral)


def test_a_first_status_cannot_be_taken_back(trial, manager):
    with pytest.raises(reversal.ReversalRefused, match="Referred cannot be taken back"):
        ask(manager, trial.refer())


def test_nothing_is_taken_back_after_randomisation(trial, manager):
    participant = trial.open_randomisation().randomised()

    with pytest.raises(reversal.ReversalRefused, match="Randomised cannot be taken back"):
        ask(manager, Referral.objects.get(pk=participant.referral_id))


def test_a_request_from_before_randomisation_dies_with_it(trial, manager):
    trial.open_randomisation()
    participant = trial.baseline_done()
    asked = ask(manager, Referral.objects.get(pk=participant.referral_id))
    trial.randomised(participant)

    with pytest.raises(reversal.ReversalRefused, match="has changed since"):
        approve(trial, asked)

    assert Referral.objects.get(pk=participant.referral_id).status == Status.RANDOMISED


def test_a_status_that_moved_on_meanwhile_is_not_taken_back(trial, manager):
    referral = trial.informed()
    asked = ask(manager, referral)
    actions.close(referral=referral, target=Status.DECLINED, reasons=["TRAVEL"], by=trial.coordinator, at=NOW)

    with pytest.raises(reversal.ReversalRefused, match="has changed since"):
        approve(trial, asked)

    assert Referral.objects.get(pk=referral.pk).status == Status.DECLINED


def test_an_approval_is_given_once(trial, manager):
    asked = ask(manager, declined(trial))
    approve(trial, asked)

    with pytest.raises(reversal.ReversalRefused, match="has changed since"):
        approve(trial, asked)


def test_step_by_step_it_goes_back_the_way_it_came(trial, manager):
    """After one reversal the previous status is the one before, not the one that was taken back."""
    referral = declined(trial)
    approve(trial, ask(manager, referral))

    second = ask(manager, Referral.objects.get(pk=referral.pk), at=NOW + timedelta(minutes=1))

    assert (second.from_status, second.to_status) == ("INFORMED", "CONTACTED")


def test_eligibility_signed_in_error_can_be_answered_and_signed_again(trial, manager):
    participant = trial.eligible()
    referral = Referral.objects.get(pk=participant.referral_id)

    approve(trial, ask(manager, referral))

    fresh = Participant.objects.get(pk=participant.pk)
    assert fresh.referral.status == Status.CONSENTED
    assert (fresh.eligibility.signature, fresh.eligibility.strata) == (None, {})
    again = trial.assess(fresh)
    steps.sign_eligibility(eligibility=again, proof=proof(trial.investigator), by=trial.investigator, at=NOW)
    assert Referral.objects.get(pk=referral.pk).status == Status.ELIGIBLE
    assert Signature.objects.filter(record=f"trial_eligibility:{again.pk}").count() == 2


def test_consent_entered_in_error_is_void_and_can_be_recorded_again_under_the_same_number(trial, manager):
    participant = trial.consented()
    referral = Referral.objects.get(pk=participant.referral_id)

    approve(trial, ask(manager, referral))

    assert list(participant.consents.values_list("state", flat=True)) == ["void"]
    again = steps.consent(
        referral=Referral.objects.get(pk=referral.pk),
        form=documents_on(kind="consent", site=trial.site, on=TODAY)[0],
        information=referral.information_given.get(),
        data=trial.consent_data(at=NOW),
        by=trial.coordinator,
        at=NOW,
    )
    assert again.participant == participant
    assert Referral.objects.get(pk=referral.pk).status == Status.CONSENTED


def test_nothing_is_taken_back_while_the_dataset_is_locked(trial, manager):
    referral = declined(trial)
    asked = ask(manager, referral)
    final_lock()

    with pytest.raises(DatasetLocked):
        approve(trial, asked)
    with pytest.raises(DatasetLocked):
        ask(manager, referral)
