"""Randomising one participant: once, for ever, all or nothing, and no trace of the arm (BR-21 to BR-23, BR-26)."""

import logging
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from randomisation.models import Allocation, EventLog, Revision, Scheme, State
from tests.factories import NOW, PASSWORD, TODAY, Trial, make_user, proof, staff
from trial.access.models import AccessEvent, Signature
from trial.access.policy import Role
from trial.access.signing import ProofRefused
from trial.allocation import actions, reads, schemes
from trial.allocation.models import BlindingEvent
from trial.journey import steps
from trial.messages.models import OutboxMessage, Task
from trial.participants.models import Participant, Referral, Status
from trial.protocol.versions import restricted_parameters

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SENTINELS = ("kestrel", "osprey", "merlin")
"""Codes and labels of the arms of the protocol `northbank`: nothing else in the product contains these words."""


@pytest.fixture
def trial():
    return Trial().open_randomisation()


def randomise(trial, participant, key="page-1", by=None, proved=None, **levels):
    by = by or trial.randomiser
    return steps.randomise(
        participant=participant,
        levels=participant.eligibility.strata | levels,
        request_key=key,
        proof=proved or proof(by),
        by=by,
        at=NOW,
    )


def nothing_happened(participant):
    fresh = Participant.objects.get(pk=participant.pk)
    return (
        fresh.randomised_date is None
        and fresh.referral.status == Status.BASELINE_DONE
        and not Allocation.objects.exists()
        and not fresh.visits.filter(target_date__isnull=False).exists()
        and not Task.objects.filter(kind__in=["choose_group", "welcome_call"]).exists()
        and Task.objects.get(kind="randomise").done_at is None
        and not Signature.objects.filter(meaning__contains="randomised").exists()
    )


def test_an_allocation_moves_the_status_plans_the_visits_and_opens_the_tasks(trial):
    participant = trial.baseline_done()

    outcome = randomise(trial, participant)

    fresh = Participant.objects.get(pk=participant.pk)
    assert outcome.created
    assert outcome.allocation.factors == {"site": "01", "phq9_band": "5-9"}
    assert (fresh.randomised_date, fresh.referral.status) == (TODAY, Status.RANDOMISED)
    assert list(fresh.visits.order_by("number").values_list("code", flat=True)) == ["V0", "V1", "V2", "V3", "V4"]
    assert fresh.visits.get(code="V3").target_date == TODAY + timedelta(days=84)
    tasks = Task.objects.open().filter(referral=fresh.referral).values_list("kind", "reveals_arm")
    assert sorted(tasks) == [("choose_group", True), ("welcome_call", False)]
    signature = Signature.objects.get(record=f"trial_participant:{fresh.pk}")
    assert (signature.printed_name, signature.evidence) == ("Ruth Vane", "password")


def test_the_same_request_again_gives_the_same_allocation(trial):
    participant = trial.baseline_done()
    first = randomise(trial, participant)

    again = randomise(trial, participant)
    another_page = randomise(trial, participant, key="page-2")

    assert first.created
    assert not again.created
    assert not another_page.created
    assert first.allocation == again.allocation == another_page.allocation
    assert Allocation.objects.count() == 1
    assert Signature.objects.filter(meaning__contains="randomised").count() == 1
    assert Participant.objects.get(pk=participant.pk).referral.status_events.filter(transition="T12").count() == 1


def test_a_page_opened_for_one_person_does_not_randomise_another(trial):
    first, second = trial.baseline_done(), trial.baseline_done()
    randomise(trial, first, key="page-1")

    with pytest.raises(actions.AllocationRefused, match="opened for somebody else"):
        randomise(trial, second, key="page-1")

    assert Allocation.objects.count() == 1
    assert Participant.objects.get(pk=second.pk).randomised_date is None


def test_another_persons_proof_randomises_nobody(trial):
    participant = trial.baseline_done()

    with pytest.raises(ProofRefused):
        randomise(trial, participant, proved=proof(trial.coordinator))

    assert nothing_happened(participant)


def test_a_refusal_writes_nothing_and_names_every_reason(trial):
    participant = trial.baseline_done()

    with pytest.raises(actions.AllocationRefused) as caught:
        randomise(trial, participant, phq9_band="10-14")

    assert [refusal.code for refusal in caught.value.refusals] == ["E_FACTORS"]
    assert str(caught.value).startswith("No allocation was made.")
    assert nothing_happened(participant)


def test_levels_that_the_scheme_does_not_have_are_refused(trial):
    participant = trial.baseline_done()

    with pytest.raises(actions.AllocationRefused) as caught:
        randomise(trial, participant, phq9_band="\x00")

    assert {refusal.code for refusal in caught.value.refusals} == {"E_FACTORS"}
    assert nothing_happened(participant)


def test_somebody_without_the_duty_randomises_nobody(trial):
    participant = trial.baseline_done()

    with pytest.raises(actions.AllocationRefused, match="delegation log"):
        randomise(trial, participant, by=trial.coordinator)

    assert nothing_happened(participant)


def test_a_failure_after_the_draw_uses_no_position(trial):
    participant = trial.baseline_done()

    def fail(participant, allocation):
        raise RuntimeError("the outbox is full")

    with pytest.raises(RuntimeError), transaction.atomic():
        actions.randomise(
            participant=participant,
            levels=participant.eligibility.strata,
            request_key="page-1",
            proof=proof(trial.randomiser),
            by=trial.randomiser,
            at=NOW,
            then=fail,
        )

    assert nothing_happened(participant)
    assert randomise(trial, participant, key="page-2").allocation.seq == 1


def test_without_a_scheme_nobody_is_randomised():
    trial = Trial()

    with pytest.raises(actions.AllocationRefused, match="not been set up"):
        randomise(trial, trial.baseline_done())


@pytest.mark.parametrize("table", ["randomisation_allocation", "randomisation_allocationmember"])
@pytest.mark.parametrize("change", ["DELETE FROM {0}", "UPDATE {0} SET id = 99"])
def test_an_allocation_is_never_changed_or_deleted(trial, table, change):
    randomise(trial, trial.baseline_done())

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change.format(table))


def test_the_arm_is_shown_to_somebody_and_each_showing_is_logged(trial):
    participant = trial.randomised()

    arm = reads.show_arm(participant=participant, by=trial.coordinator, at=NOW)

    assert arm.code in {a.code for a in trial.spec.arms}
    event = AccessEvent.objects.get(kind=AccessEvent.Kind.ARM_VIEWED)
    assert (event.user, event.record, event.detail) == (trial.coordinator, participant.study_id, "")
    assert reads.arm_number_of(participant, by=trial.coordinator, at=NOW, reason="Group") == [
        a.code for a in trial.spec.arms
    ].index(arm.code)


def test_nobody_has_an_arm_before_randomisation(trial):
    participant = trial.baseline_done()

    assert reads.show_arm(participant=participant, by=trial.coordinator, at=NOW) is None
    assert reads.arm_number_of(participant, by=trial.coordinator, at=NOW, reason="Group") is None
    assert reads.allocation_of(participant) is None
    assert not AccessEvent.objects.filter(kind=AccessEvent.Kind.ARM_VIEWED).exists()


def test_the_digest_of_an_allocation_is_that_of_its_log_entry(trial):
    participant = trial.baseline_done()

    outcome = randomise(trial, participant)

    assert reads.digest_of(outcome.allocation) == outcome.digest
    assert len(outcome.digest) == 64


def test_arms_for_a_release_are_those_that_were_shown(trial):
    people = [trial.randomised() for _ in range(2)]

    arms = reads.arms_for_release(by=staff(Role.UNBLINDED_STATISTICIAN), at=NOW, reason="Release")

    shown = {p.pk: reads.show_arm(participant=p, by=trial.coordinator, at=NOW).code for p in people}
    assert arms == shown


# -- the scheme


def test_the_scheme_takes_its_parameters_from_the_protocol():
    trial = Trial("northbank", site_code="17")

    parameters = schemes.scheme_parameters(trial.spec, restricted_parameters(trial.version))

    assert parameters == {
        "arms": ["kestrel", "osprey", "merlin"],
        "ratio": [2, 1, 1],
        "method": "permuted_blocks",
        "factors": [{"code": "worry", "levels": ["mild", "moderate", "high"], "weight": 1}],
        "contribution_source": "none",
        "block_sizes": [4, 8],
    }


def test_without_restricted_parameters_there_are_no_block_sizes():
    assert "block_sizes" not in schemes.scheme_parameters(Trial().spec, None)


def lock(trial, *, statistician=None, tester=None, sponsor=None, second=None):
    office = schemes.Office(
        statistician=statistician or make_user(),
        tester=tester or make_user(),
        sponsor=sponsor or make_user(),
        second_statistician=second or make_user(),
        manager=make_user(),
    )
    return schemes.lock_at_once(
        spec=trial.spec,
        restricted=restricted_parameters(trial.version),
        office=office,
        simulation={},
        acceptance={"cases": [{"id": "1"}]},
        at=NOW,
    )


def test_a_scheme_is_locked_by_two_people_then_opened():
    trial, sponsor, second = Trial(), make_user(), make_user()

    revision = lock(trial, sponsor=sponsor, second=second)
    schemes.open_scheme(code=trial.spec.randomisation.scheme, by=make_user(), at=NOW)

    event = EventLog.objects.get(event="lock")
    assert {event.first_approver, event.second_approver} == {sponsor, second}
    assert Revision.objects.get(pk=revision.pk).state == State.OPEN
    assert Scheme.objects.get().ceiling == trial.spec.recruitment.target == 96


def test_one_person_does_not_approve_a_scheme_twice():
    trial, person = Trial(), make_user()

    with pytest.raises(actions.AllocationRefused, match="another person"):
        lock(trial, sponsor=person, second=person)

    assert not Revision.objects.exists()


def test_whoever_tested_does_not_sign_the_test():
    trial, person = Trial(), make_user()

    with pytest.raises(actions.AllocationRefused, match="did not run it"):
        lock(trial, statistician=person, tester=person)

    assert not Revision.objects.exists()


def test_a_scheme_that_does_not_exist_or_is_open_is_not_opened(trial):
    with pytest.raises(actions.AllocationRefused, match="no locked scheme"):
        schemes.open_scheme(code="other", by=make_user(), at=NOW)
    with pytest.raises(actions.AllocationRefused):
        schemes.open_scheme(code=trial.spec.randomisation.scheme, by=make_user(), at=NOW)


def test_an_accidental_unblinding_is_recorded_without_the_arm(trial):
    participant, person = trial.randomised(), make_user()

    event = actions.report_unblinding(
        participant=participant,
        person=person,
        kind="accidental",
        route="The participant said so",
        happened_date=TODAY,
        by=person,
        at=NOW,
    )

    assert BlindingEvent.objects.get() == event
    assert event.history.get().history_user == person


# -- leaks


def stored_texts():
    """Every value of every table, with where it stands."""
    for model in apps.get_models(include_auto_created=True):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')  # noqa: S608
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    text = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                    yield f"{model._meta.db_table}.{name}", text.lower()


PROTOCOL = {"trial_protocolversion.content", "trial_historicalprotocolversion.content"}
CONFIGURATION = {"randomisation_revision.params_public"}
"""Every arm of the scheme in the order of the protocol: what was set up, the same whoever was allocated what."""


def test_nothing_that_is_stored_or_logged_names_the_arm(client, caplog, mailoutbox):
    """The sentinels appear nowhere but in the protocol, after a whole path through the pages that end in an arm."""
    caplog.set_level(logging.DEBUG)
    trial = Trial("northbank", site_code="17").open_randomisation()
    participant = trial.baseline_done()
    randomise(trial, participant)
    client.force_login(trial.coordinator)
    shown = client.get(f"/people/{participant.study_id}/allocation/").content.decode().lower()
    client.force_login(trial.randomiser)
    client.get(f"/people/{participant.study_id}/allocation/")
    steps.change_participation(
        participant=participant,
        effective_date=TODAY,
        decided_by="participant",
        elements={"activity": False},
        by=trial.coordinator,
        at=NOW,
    )

    hits = {where for where, text in stored_texts() for word in SENTINELS if word in text}

    assert any(word in shown for word in SENTINELS)
    assert hits <= PROTOCOL | CONFIGURATION
    assert not any(word in caplog.text.lower() for word in SENTINELS)
    assert not any(word in f"{m.subject}{m.body}".lower() for m in mailoutbox for word in SENTINELS)
    assert not any(word in repr(dict(client.session)).lower() for word in SENTINELS)
    for message in OutboxMessage.objects.all():
        assert not any(word in f"{message.heading}{message.body}".lower() for word in SENTINELS)


def test_a_wrong_password_leaves_no_trace_of_itself(client, caplog):
    caplog.set_level(logging.DEBUG)
    trial = Trial().open_randomisation()
    participant = trial.baseline_done()
    client.force_login(trial.randomiser)
    typed = "my-bank-password-77"

    client.post(
        f"/people/{participant.study_id}/randomise/",
        {"level_site": "01", "level_phq9_band": "5-9", "secret": typed, "request_key": ""},
    )

    assert [where for where, text in stored_texts() if typed in text] == []
    assert typed not in caplog.text
    assert PASSWORD not in caplog.text
    assert Referral.objects.get(pk=participant.referral_id).status == Status.BASELINE_DONE
