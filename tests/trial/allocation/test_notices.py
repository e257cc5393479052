"""Who hears of an allocation, a pause or a list that runs out; nobody hears an arm (randomisation.md 6.3, 9.8, 9.15)."""

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from randomisation import high_water, states
from randomisation.models import Allocation, EventLog, Scheme, State, StratumCursor
from tests.exports.builders import SENTINELS, sentinel_changes
from tests.factories import NOW, TODAY, Trial, site, staff
from trial.access.policy import Role
from trial.allocation import actions, notices
from trial.messages import sending
from trial.messages.models import OutboxMessage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial().open_randomisation()


def written(kind):
    return OutboxMessage.objects.filter(kind=kind).order_by("pk")


def readers(kind):
    return sorted(written(kind).values_list("to_user__name", flat=True))


def the_scheme():
    return Scheme.objects.get()


def pause(trial, reason="Leak suspected", at=NOW):
    states.pause_scheme(scheme=the_scheme(), reason=reason, by=trial.randomiser, at=at)


# -- one allocation


def test_an_allocation_tells_the_site_and_the_trial_manager(trial):
    staff(Role.TRIAL_MANAGER, name="Mia Lane", blinded=True)
    staff(Role.COORDINATOR, site("02"), name="Of another site")
    staff(Role.OUTCOME_ASSESSOR, trial.site, name="Assessor")
    staff(Role.TRIAL_STATISTICIAN, name="Statistician of the trial")

    participant = trial.randomised()

    assert readers(notices.ALLOCATED) == ["Asha Patel", "Dr Helen Okafor", "Mia Lane"]
    made = Allocation.objects.get()
    body = written(notices.ALLOCATED).get(to_user=trial.coordinator).body
    assert participant.study_id in body
    assert "9 July 2026 at 11am" in body
    assert f"Number of the allocation: {made.seq}" in body
    assert EventLog.objects.get(seq=made.seq).digest[:16].upper() in body
    assert body.count(f"/people/{participant.study_id}/allocation/") == 1


def test_who_may_not_see_the_arm_is_sent_to_the_visits_instead(trial):
    manager = staff(Role.TRIAL_MANAGER, blinded=True)

    participant = trial.randomised()

    body = written(notices.ALLOCATED).get(to_user=manager).body
    assert f"/people/{participant.study_id}/\n" in body
    assert "/allocation/" not in body


def test_a_repeated_request_writes_no_second_message(trial):
    participant = trial.randomised()
    n_before = written(notices.ALLOCATED).count()

    trial.randomised(participant)
    notices.write_allocated(
        participant=participant, allocation=Allocation.objects.get(), by=trial.randomiser, at=NOW + timedelta(hours=1)
    )

    assert written(notices.ALLOCATED).count() == n_before == 2


def test_no_message_about_an_allocation_names_an_arm():
    trial = Trial(changes=sentinel_changes()).open_randomisation()
    for _ in range(4):
        trial.randomised()

    sending.send_due(at=NOW)

    assert len(mail.outbox) == 8
    told = "".join(str(message.message()) for message in mail.outbox).lower()
    assert not [word for word in SENTINELS.values() if word.lower() in told]
    assert {message.subject for message in mail.outbox} == {"A participant was randomised"}
    assert len({len(message.body) for message in mail.outbox}) == 1


def test_nothing_is_sent_to_somebody_whose_role_has_ended(trial):
    trial.randomised()
    role = trial.coordinator.assignments.get()
    role.to_date = TODAY - timedelta(days=1)
    role.save_by(None, "Ended")

    sending.send_due(at=NOW)

    assert [message.to for message in mail.outbox] == [[trial.investigator.email]]
    assert written(notices.ALLOCATED).get(to_user=trial.coordinator).state == "stopped"


def test_a_refused_allocation_leaves_no_message(trial):
    participant = trial.baseline_done()
    pause(trial)

    with pytest.raises(actions.AllocationRefused):
        trial.randomised(participant)

    assert not written(notices.ALLOCATED).exists()


# -- states of the scheme


def test_a_pause_is_told_once_to_those_who_randomise_and_never_with_its_reason(trial):
    pause(trial, reason="The nature group told me")

    first, again = notices.write_due(at=NOW), notices.write_due(at=NOW + timedelta(minutes=1))

    assert (first, again) == (3, 0)
    assert readers(notices.SCHEME) == ["Asha Patel", "Dr Helen Okafor", "Ruth Vane"]
    message = written(notices.SCHEME).first()
    assert message.heading == "Randomisation was paused"
    assert "nature" not in message.body
    assert not written(notices.ALARM).exists()


def test_opening_again_and_closing_are_told_too(trial):
    pause(trial)
    states.open_scheme(scheme=the_scheme(), by=trial.randomiser, at=NOW)
    states.close_scheme(scheme=the_scheme(), reason="Enough people", by=trial.randomiser, at=NOW)

    notices.write_due(at=NOW)

    told = written(notices.SCHEME).filter(to_user=trial.coordinator).values_list("heading", flat=True)
    assert sorted(told) == [f"Randomisation was {word}" for word in ("closed", "opened", "paused")]


def test_a_pause_at_one_site_is_told_there_only(trial):
    staff(Role.COORDINATOR, site("02"), name="Of another site")
    states.move_site(scheme=the_scheme(), site="02", state="paused", reason="Flood", by=trial.randomiser, at=NOW)

    notices.write_due(at=NOW)

    assert readers(notices.SCHEME) == ["Of another site", "Ruth Vane"]
    assert "at site 02" in written(notices.SCHEME).first().body


def test_what_happened_long_ago_is_not_told(trial):
    assert notices.write_due(at=NOW) == 0


# -- alarms


def test_a_failed_check_alarms_those_who_keep_the_scheme(trial):
    manager = staff(Role.TRIAL_MANAGER, name="Mia Lane", blinded=False)
    staff(Role.UNBLINDED_STATISTICIAN, name="Una Reed")
    pause(trial, reason="E_LIST_MISMATCH")

    notices.write_due(at=NOW)

    assert readers(notices.ALARM) == ["Mia Lane", "Una Reed"]
    message = written(notices.ALARM).get(to_user=manager)
    assert message.heading == "Randomisation was paused by a check"
    assert "E_LIST_MISMATCH" in message.body


def know_of_more_allocations(n):
    """The mark of a database that has come further than this one."""
    high_water.path().write_text(json.dumps({the_scheme().code: {"n": 9, "seq": n, "digest": "0" * 64}}))


def test_a_database_behind_its_mark_is_paused_and_told_once_a_day(trial):
    staff(Role.UNBLINDED_STATISTICIAN, name="Una Reed")
    know_of_more_allocations(3)

    notices.write_due(at=NOW)
    n_again = notices.write_due(at=NOW + timedelta(hours=1))
    n_next_day = notices.write_due(at=NOW + timedelta(days=1))

    assert the_scheme().state == State.PAUSED
    entry = the_scheme().events.latest("n")
    assert (entry.event, entry.facts["reason"]) == ("pause", "high-water mark")
    assert n_again == 0
    assert n_next_day == 1
    assert "restored from a backup" in written(notices.ALARM).earliest("pk").body


def test_a_missing_mark_pauses_a_scheme_that_has_allocated(trial):
    trial.randomised()
    high_water.path().unlink(missing_ok=True)

    notices.write_due(at=NOW)

    assert the_scheme().state == State.PAUSED


# -- lists that run out


def use_up(n_left):
    cursor = StratumCursor.objects.filter(purpose="list").earliest("pk")
    for position in range(2, cursor.n_rows - n_left + 2):
        cursor.next_position = position
        cursor.save()


def test_a_list_with_fewer_than_two_largest_blocks_left_warns_the_approvers_once(trial):
    staff(Role.UNBLINDED_STATISTICIAN, name="Una Reed")
    staff(Role.SPONSOR_REPRESENTATIVE, name="Sam Orr")
    staff(Role.TRIAL_MANAGER, name="Mia Lane", blinded=False)
    use_up(11)

    first, again = notices.write_due(at=NOW), notices.write_due(at=NOW + timedelta(days=1))

    assert (first, again) == (2, 0)
    assert readers(notices.SUPPLY) == ["Sam Orr", "Una Reed"]
    body = written(notices.SUPPLY).first().body
    assert "01" not in body
    assert "5-9" not in body


def test_a_list_that_is_hardly_used_warns_nobody(trial):
    staff(Role.UNBLINDED_STATISTICIAN)
    trial.randomised()

    notices.write_due(at=NOW)

    assert not written(notices.SUPPLY).exists()


def test_without_a_sealing_key_the_other_notices_are_still_written(trial, settings):
    staff(Role.UNBLINDED_STATISTICIAN)
    use_up(1)
    pause(trial)
    settings.SEALING_KEYS = []

    assert notices.write_due(at=timezone.now()) == 3
