"""While the final lock is in force nothing that it covers changes, on any path (R-40)."""

from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from tests.factories import NOW, TODAY, Trial, answers_with_total, final_lock, proof, staff
from tests.trial.activities.builders import make_group, session_of
from trial.access.policy import Role
from trial.activities.models import Membership
from trial.assessments import actions as assessments
from trial.attendance.models import Mark
from trial.base.models import AuditedModel, EventModel
from trial.journey import actions as journey
from trial.journey import reversal, steps
from trial.locking.models import DatasetLock
from trial.locking.rules import DatasetLocked, current_lock, require_unlocked
from trial.participants import identity
from trial.participants.models import Participant, Referral, Status
from trial.participation.models import ParticipationChange
from trial.review import actions as review
from trial.safety import actions as safety
from trial.screening import actions as screening
from trial.screening.models import ContactAttempt

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

OPEN = {
    # people and places
    "trial_site",
    "trial_roleassignment",
    "trial_delegation",
    "trial_provider",
    "trial_venue",
    # the trial's configuration
    "trial_protocolversion",
    "trial_siteapproval",
    "trial_documentversion",
    "trial_documentuse",
    "trial_instrumentlicence",
    "trial_studywording",
    # links to participants: revoked, and wrong checks counted, while the answers themselves are closed
    "trial_selfcompletion",
    "trial_selfcompletionlink",
    # safety, contact and withdrawal; guards of their own stop the rest of these rows
    "trial_riskalert",
    "trial_adverseevent",
    "trial_blindingevent",
    "trial_contactattempt",
    "trial_participationchange",
    "trial_person",
    "trial_identity",
    "trial_referral",
    "trial_participant",
    # contact beyond the data: letters, claims, what people ask for, where they first came from
    "trial_messageback",
    "trial_practice",
    "trial_claim",
    "trial_subjectrequest",
    "trial_disposal",
    "trial_breach",
    "trial_interest",
    "trial_interestsource",
    "trial_consulteeadvice",  # after a loss of capacity, which may be recorded after the lock
    # a consent on its way; the consent itself is refused
    "trial_consentlink",
    "trial_consentsession",
    # the office of the trial
    "trial_sitechecklist",
    "trial_firstcheck",
    # what the system itself needs
    "trial_task",
    "trial_outboxmessage",
    "trial_datasetlock",
    "trial_referralimport",  # a file that was read; the referrals themselves are refused
}
OPEN_EVENTS = {
    "trial_signature",
    "trial_accessevent",
    "trial_statusevent",
    "trial_eventreview",
    "trial_instrumentinuse",  # digests of definitions, of the software rather than of anybody
    "trial_endconfirmation",  # an early end may be recorded after the lock, so its confirmation too
    "trial_checkrun",
    "trial_firstentryseen",  # a log of who was shown what, as the access log
    "exports_download",
    "trial_breachnote",
    "trial_documentfile",
    "trial_identifierremoval",
    "trial_participationletter",
    "trial_redaction",
}


def run(sql, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def stopped_models():
    return [m for m in apps.get_models() if getattr(m, "stops_at_lock", False)]


def refuses(sql, *params):
    with pytest.raises(IntegrityError, match="The dataset is locked"):
        run(sql, *params)


@pytest.fixture
def trial():
    return Trial()


@pytest.fixture
def full(trial):
    """A record with a row in every table that the lock stops and that people fill."""
    trial.open_randomisation()
    group = make_group(trial)
    participant = trial.randomised()
    Membership(participant=participant, group=group, from_date=date(2026, 6, 4)).save_by(None)
    Mark(
        session=session_of(group),
        participant=participant,
        status=Mark.Status.FULL,
        marked_by=group.leader,
        captured_at=NOW,
        received_at=NOW,
    ).save()
    query = review.raise_query(participant=participant, text="Why?", by=trial.coordinator, at=NOW)
    review.close(query=query, text="Because", by=trial.coordinator, at=NOW)
    review.sign_off(participant=participant, proof=proof(trial.investigator), by=trial.investigator, at=NOW)
    return participant


def test_the_lock_leaves_open_what_it_must_and_nothing_else():
    audited = {m._meta.db_table for m in apps.get_models() if issubclass(m, AuditedModel)}
    events = {m._meta.db_table for m in apps.get_models() if issubclass(m, EventModel)}
    stopped = {m._meta.db_table for m in stopped_models()}

    left_open = {table for table in audited - stopped if not table.startswith("exports_")}

    assert left_open == OPEN
    assert events - stopped - {"trial_importedline"} == OPEN_EVENTS


def test_no_row_is_inserted_into_any_table_that_the_lock_stops(trial):
    final_lock()

    for model in stopped_models():
        refuses(f"INSERT INTO {model._meta.db_table} DEFAULT VALUES")


def test_no_stored_row_is_changed(full):
    final_lock()
    filled = [m for m in stopped_models() if m._default_manager.exists()]

    for model in filled:
        table, key = model._meta.db_table, model._meta.pk.column
        with pytest.raises(IntegrityError, match=r"The dataset is locked|append-only"):
            run(f"UPDATE {table} SET {key} = {key}")  # noqa: S608

    # What nobody can fill without a rarer event has the same trigger, by the test above.
    assert {m.__name__ for m in filled} >= {
        "Administration",
        "Consent",
        "Eligibility",
        "InformationGiven",
        "Visit",
        "ActivityGroup",
        "Session",
        "Membership",
        "Mark",
        "Query",
        "QueryMessage",
        "SignOff",
        "Allocation",
        "AllocationMember",
    }


def test_neither_a_referral_nor_a_participant_is_added_or_moved_on(full, trial):
    final_lock()

    refuses("INSERT INTO trial_referral (status) VALUES ('REFERRED')")
    refuses("INSERT INTO trial_participant DEFAULT VALUES")
    for status in ("IN_ACTIVITY", "RANDOMISED"):
        refuses("UPDATE trial_referral SET status = %s", status)
    refuses("UPDATE trial_participant SET randomised_date = '2026-01-01'")


def test_actions_refuse_in_words(full, trial):
    lock = final_lock()
    referral = full.referral
    attempts = {
        "form": lambda: trial.save_form(full, "V2", "phq9"),
        "not done": lambda: assessments.mark_not_done(
            participant=full,
            visit=full.visits.get(code="V2"),
            instrument="gad7",
            reason_code="REFUSED",
            by=trial.coordinator,
            at=NOW,
        ),
        "assessment": lambda: trial.assess(full),
        "query": lambda: review.raise_query(participant=full, text="?", by=trial.coordinator, at=NOW),
        "sign-off": lambda: review.sign_off(
            participant=full, proof=proof(trial.investigator), by=trial.investigator, at=NOW
        ),
        "referral": lambda: trial.refer(at=NOW),
        "move": lambda: journey.move(referral=referral, target=Status.IN_ACTIVITY, by=None, at=NOW),
        "reversal": lambda: reversal.ask(referral=referral, reason="x", by=trial.coordinator, at=NOW),
    }

    for attempt in attempts.values():
        with pytest.raises(DatasetLocked, match=r"locked \(L001\)"), transaction.atomic():
            attempt()
    assert current_lock() == lock


def test_safety_contact_and_withdrawal_stay_open(full, trial):
    final_lock()

    alert = safety.raise_concern(participant=full, text="Very low today", by=trial.coordinator, at=NOW)
    safety.assess(alert=alert, level="low", actions_taken="Rang", by=trial.clinician, at=NOW)
    screening.record_contact(
        referral=full.referral, contacted_at=NOW, channel="phone", outcome="two_way", by=trial.coordinator, at=NOW
    )
    steps.change_participation(
        participant=full,
        effective_date=TODAY,
        decided_by="participant",
        elements={"activity": False},
        by=trial.coordinator,
        at=NOW,
    )

    assert full.alerts.count() == 1
    assert ContactAttempt.objects.filter(referral=full.referral).count() == 2
    assert Referral.objects.get(pk=full.referral_id).status == Status.FOLLOW_UP


def test_a_death_after_the_lock_ends_the_record(full, trial):
    final_lock()

    steps.change_participation(
        participant=full,
        effective_date=TODAY,
        decided_by="administrative",
        elements={},
        cause=ParticipationChange.Cause.DEATH,
        by=trial.coordinator,
        at=NOW,
    )

    assert Participant.objects.get(pk=full.pk).died_date == TODAY
    assert Referral.objects.get(pk=full.referral_id).status == Status.ENDED_EARLY


def test_somebody_leaves_before_randomisation_after_the_lock(trial):
    participant = trial.consented()
    final_lock()

    journey.close(
        referral=participant.referral,
        target=Status.WITHDRAWN_BEFORE_RANDOMISATION,
        reasons=["NO_REASON"],
        by=trial.coordinator,
        at=NOW,
    )

    assert Referral.objects.get(pk=participant.referral_id).status == Status.WITHDRAWN_BEFORE_RANDOMISATION


def test_contact_details_change_after_the_lock(full, trial):
    data = identity.read(full.referral.person)
    final_lock()

    identity.change(referral=full.referral, data=data, reason="New telephone", by=trial.coordinator)

    assert identity.read(full.referral.person) == data


def test_while_an_unlock_waits_it_stays_locked_and_afterwards_it_is_open(trial):
    participant = trial.consented()
    lock = final_lock()
    lock.state, lock.unlock_reason, lock.unlock_asked_by = "unlock_asked", "Paper found", lock.asked_by
    lock.save_by(None, "Paper found")

    refuses("UPDATE trial_visit SET number = number")
    with pytest.raises(DatasetLocked):
        require_unlocked()
    lock.state, lock.unlock_agreed_by, lock.unlocked_at = "unlocked", lock.agreed_by, NOW
    lock.save_by(None, "Agreed")

    assert current_lock() is None
    assert trial.save_form(participant, "V0", "phq9", answers_with_total("phq9", 8)).status == "complete"


@pytest.mark.parametrize("state", ["asked", "refused"])
def test_a_lock_that_nobody_agreed_to_stops_nothing(trial, state):
    person = staff(Role.DATA_MANAGER)
    DatasetLock(
        code="L001", kind="final", state=state, reason="x", data_through=TODAY, asked_by=person, asked_at=NOW
    ).save_by(person)

    require_unlocked()
    assert trial.refer(at=NOW - timedelta(days=1)).status == Status.REFERRED


def test_a_data_cut_stops_nothing(trial):
    person = staff(Role.DATA_MANAGER)
    DatasetLock(
        code="C001",
        kind="cut",
        state="cut",
        reason="x",
        data_through=TODAY,
        asked_by=person,
        asked_at=NOW,
        locked_at=NOW,
    ).save_by(person)

    assert trial.refer(at=NOW - timedelta(days=1)).status == Status.REFERRED


def test_each_attempt_is_logged_without_what_was_tried(trial, caplog):
    final_lock()

    with pytest.raises(DatasetLocked):
        trial.refer(at=NOW, first_name="Carol")

    assert "A change of locked data was refused (L001)" in caplog.text
    assert "Carol" not in caplog.text
