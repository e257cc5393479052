"""Moving and closing: dates, roles, what ends with it; referring again (T01 to T17)."""

from datetime import date, timedelta

import pytest
from django.db import connection

from tests.factories import NOW, TODAY, Trial, final_lock, give_role, make_user, staff
from trial.access.models import Site
from trial.access.policy import POLICY, Role
from trial.base import triggers
from trial.journey import actions, steps
from trial.journey.transitions import TRANSITIONS
from trial.locking.rules import DatasetLocked
from trial.messages.actions import write_message
from trial.messages.models import OutboxMessage, Task
from trial.participants import identity
from trial.participants.actions import AlreadyReferred, ReferralData
from trial.participants.identity import IdentityData
from trial.participants.models import Referral, Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)


@pytest.fixture
def trial():
    return Trial()


def close(trial, referral, target=Status.DECLINED, reasons=("NO_TIME",), **more):
    return actions.close(
        referral=referral, target=target, reasons=list(reasons), at=NOW, **{"by": trial.coordinator} | more
    )


def test_a_status_has_the_day_from_which_it_holds(trial):
    referral = trial.informed()

    close(trial, referral, effective_date=TODAY - 2 * DAY)

    fresh = Referral.objects.get(pk=referral.pk)
    assert (fresh.status, fresh.status_date) == (Status.DECLINED, TODAY - 2 * DAY)
    event = fresh.status_events.last()
    assert (event.transition, event.effective_date, event.at, event.by) == (
        "T06",
        TODAY - 2 * DAY,
        NOW,
        trial.coordinator,
    )


@pytest.mark.parametrize(
    ("days", "words"), [(1, "must not be in the future"), (-11, "must not be before the referral on 29 June 2026")]
)
def test_a_day_in_the_future_or_before_the_referral_is_refused(trial, days, words):
    referral = trial.informed()

    with pytest.raises(actions.MoveRefused, match=words):
        close(trial, referral, effective_date=TODAY + days * DAY)

    assert Referral.objects.get(pk=referral.pk).status == Status.INFORMED


def test_without_a_day_it_holds_from_the_local_day(trial, clock):
    """Half past midnight in London on 10 July is still 9 July in UTC."""
    referral = trial.informed()
    moment = NOW.replace(hour=23, minute=30)
    clock.move_to(moment)

    actions.close(referral=referral, target=Status.DECLINED, reasons=["NO_TIME"], by=trial.coordinator, at=moment)

    assert Referral.objects.get(pk=referral.pk).status_date == date(2026, 7, 10)


def test_the_first_reason_is_the_primary_one(trial):
    referral = close(trial, trial.informed(), reasons=("TRAVEL", "NO_TIME", "HEALTH"))

    fresh = Referral.objects.get(pk=referral.pk)

    assert (fresh.close_reason, fresh.further_reasons) == ("TRAVEL", ["NO_TIME", "HEALTH"])
    assert fresh.status_events.last().reason == "TRAVEL, NO_TIME, HEALTH"


@pytest.mark.parametrize("role", [r for r in Role if r != Role.COORDINATOR])
def test_only_the_roles_of_the_table_close_a_referral(trial, role):
    referral = trial.informed()
    person = staff(role, trial.site, blinded=False)

    with pytest.raises(actions.MoveRefused, match="role"):
        close(trial, referral, by=person)

    assert Referral.objects.get(pk=referral.pk).status == Status.INFORMED


def test_a_coordinator_of_another_site_closes_nothing_here(trial):
    elsewhere = give_role(make_user(), Role.COORDINATOR, Site.objects.get(code="02"))

    with pytest.raises(actions.MoveRefused, match="role"):
        close(trial, trial.informed(), by=elsewhere)


def test_each_transition_of_a_person_names_a_permission_that_somebody_has():
    for transition in TRANSITIONS:
        if transition.action:
            assert [role for role in Role if transition.action in POLICY[role].actions], transition.number


def test_closing_ends_tasks_and_messages(trial):
    referral = trial.refer()
    assert Task.objects.open().filter(referral=referral).exists()
    write_message(key="k", kind="reminder", heading="h", body="b", at=NOW, referral=referral)

    steps.contact(referral=referral, contacted_at=NOW, channel="phone", outcome="two_way", by=trial.coordinator, at=NOW)
    close(trial, referral)

    assert not Task.objects.open().filter(referral=referral).exists()
    assert OutboxMessage.objects.get().state == "stopped"


def test_a_refused_closing_ends_nothing(trial):
    referral = trial.refer()

    with pytest.raises(actions.MoveRefused):
        close(trial, referral)

    assert Task.objects.open().filter(referral=referral).exists()


def test_somebody_pre_screened_out_is_closed_with_criteria(trial):
    referral = close(trial, trial.refer(), Status.PRESCREEN_INELIGIBLE, ("I1", "I3"))

    assert referral.status_events.last().transition == "T05"


def test_two_people_closing_at_once_close_it_once(trial):
    referral = trial.informed()
    seen_earlier = Referral.objects.get(pk=referral.pk)
    close(trial, referral)

    with pytest.raises(actions.MoveRefused, match="Declined cannot become Declined"):
        close(trial, seen_earlier)

    assert referral.status_events.filter(transition="T06").count() == 1


def test_who_may_close(trial):
    referral = trial.informed()

    assert actions.may_close(trial.coordinator, referral)
    assert not actions.may_close(trial.randomiser, referral)
    assert not actions.may_close(trial.coordinator, trial.consented().referral)


# -- referring


WHO = IdentityData(
    first_name="Carol", last_name="Tester", birth_date=date(1971, 3, 14), nhs_number="9990000018", phone="01632 960001"
)


def refer(trial, who=WHO, at=NOW, site=None, **data):
    given = {"source_type": "self", "received_date": at.date(), "contact_basis": "self_referral"}
    return actions.refer(
        site=site or trial.site, data=ReferralData(**given | data), who=who, by=trial.coordinator, at=at
    )


def test_a_referral_asks_for_a_first_contact_within_five_working_days(trial):
    referral = refer(trial)

    task = Task.objects.get(key=f"first-contact:{referral.pk}")

    assert (task.due_date, task.role, task.site) == (date(2026, 7, 16), "coordinator", trial.site)
    assert task.link == f"/people/{referral.screening_number}/contact/"
    assert "Carol" not in f"{task.title}{task.detail}{task.link}"


def test_a_referral_received_in_the_future_is_refused(trial):
    with pytest.raises(actions.MoveRefused, match="future"):
        refer(trial, received_date=TODAY + DAY)

    assert not Referral.objects.exists()


def test_an_open_referral_is_not_opened_twice(trial):
    first = refer(trial)

    with pytest.raises(AlreadyReferred, match=f"See {first.screening_number}"):
        refer(trial)

    assert Referral.objects.count() == 1


def test_another_sites_referral_is_refused_without_saying_where_or_who(trial):
    first = refer(trial, site=Site.objects.get(code="02"))

    with pytest.raises(AlreadyReferred) as caught:
        refer(trial)

    assert str(caught.value) == "This person already has an open referral. Ring the trial office."
    assert first.screening_number not in str(caught.value)


def test_a_closed_referral_may_be_followed_by_a_new_one_linked_to_it(trial):
    first = close(trial, refer(trial), Status.PRESCREEN_INELIGIBLE, ("I3",))

    second = refer(trial)

    assert (second.earlier_referral, second.person, second.status) == (first, first.person, Status.REFERRED)
    assert second.screening_number != first.screening_number
    assert second.status_events.get().transition == "T17"
    assert Referral.objects.get(pk=first.pk).status == Status.PRESCREEN_INELIGIBLE


def test_somebody_who_was_randomised_is_never_referred_again(trial):
    trial.open_randomisation()
    who = identity_of(trial.randomised())

    with pytest.raises(AlreadyReferred, match="cannot be referred again"):
        refer(trial, who=who)


def identity_of(participant):
    return identity.read(participant.referral.person)


def failed_screening(trial, *, days_ago):
    at = NOW - days_ago * DAY
    participant = trial.consented(at=at - DAY)
    trial.screened(participant, total=2, at=at)
    trial.assess(participant, at=at)
    actions.close(
        referral=participant.referral, target=Status.SCREEN_FAILED, reasons=["I2"], by=trial.coordinator, at=at
    )
    return identity_of(participant)


def test_screening_again_waits_28_days_and_happens_once(trial):
    """BR-05."""
    who = failed_screening(trial, days_ago=28)
    with pytest.raises(actions.MoveRefused, match="after 28 days"):
        refer(trial, who=who, at=NOW - DAY)

    again = refer(trial, who=who)

    assert again.status == Status.REFERRED
    _fail_again(again)
    with pytest.raises(actions.MoveRefused, match="cannot be once more"):
        refer(trial, who=who, at=NOW + 60 * DAY)


def _fail_again(referral):
    """A second failure, past every rule: the owner lifts the triggers."""
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE trial_referral SET status = 'SCREEN_FAILED' WHERE id = %s", [referral.pk])


def test_nothing_moves_while_the_dataset_is_locked_but_leaving(trial):
    referral, participant = trial.informed(), trial.consented()
    final_lock()

    with pytest.raises(DatasetLocked):
        close(trial, referral)
    with pytest.raises(DatasetLocked):
        refer(trial)

    left = close(trial, participant.referral, Status.WITHDRAWN_BEFORE_RANDOMISATION, ("MOVED",))
    assert left.status == Status.WITHDRAWN_BEFORE_RANDOMISATION
