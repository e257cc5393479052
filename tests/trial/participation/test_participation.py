"""Participation changes, what they stop, and where they lead (BR-60 to BR-62)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, TODAY, Trial
from trial.journey import steps
from trial.messages.actions import write_message
from trial.messages.models import OutboxMessage, Task
from trial.participation import actions, rules
from trial.participation.models import Element, ParticipationChange

EVERYTHING_OFF = dict.fromkeys(Element.values, False)


def change(trial, participant, elements, **more):
    """A change decided by the participant today."""
    given = {"effective_date": TODAY, "decided_by": "participant", "by": trial.coordinator, "at": NOW}
    return steps.change_participation(participant=participant, elements=elements, **(given | more))


@pytest.mark.django_db
def test_stopping_the_activity_leads_to_follow_up_and_keeps_the_arm(clock):
    trial = Trial().open_randomisation()
    participant = trial.randomised()

    change(trial, participant, {"activity": False})

    participant.referral.refresh_from_db()
    assert participant.referral.status == "FOLLOW_UP"


@pytest.mark.django_db
def test_stopping_everything_ends_the_trial_for_the_person(clock):
    trial = Trial().open_randomisation()
    participant = trial.randomised()

    change(trial, participant, EVERYTHING_OFF)

    participant.referral.refresh_from_db()
    assert participant.referral.status == "ENDED_EARLY"


@pytest.mark.django_db
def test_death_stops_every_message_and_task_in_the_same_transaction(clock):
    trial = Trial().open_randomisation()
    participant = trial.randomised()
    write_message(key="m", kind="visit", heading="Your visit", body="…", at=NOW, referral=participant.referral, by=None)

    change(trial, participant, {}, cause=ParticipationChange.Cause.DEATH)

    assert OutboxMessage.objects.get().state == "stopped"
    assert not Task.objects.open().filter(kind__in=actions.CHASING, referral=participant.referral).exists()
    participant.refresh_from_db()
    assert participant.died_date == TODAY
    assert participant.referral.status == "ENDED_EARLY"


@pytest.mark.django_db
def test_a_change_that_changes_nothing_is_refused(clock):
    trial = Trial()

    with pytest.raises(actions.NothingChanges):
        change(trial, trial.consented(), {"activity": True})


@pytest.mark.django_db
@pytest.mark.parametrize("day", [TODAY + timedelta(days=1), date(2026, 6, 1)])
def test_a_day_before_consent_or_in_the_future_is_refused(clock, day):
    trial = Trial()

    with pytest.raises(actions.ChangeDateWrong):
        change(trial, trial.consented(), {"activity": False}, effective_date=day)


CHANGES = st.lists(
    st.builds(
        lambda day, elements: ParticipationChange(effective_date=day, elements=elements),
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        st.dictionaries(st.sampled_from(Element.values), st.booleans()),
    )
)


@given(CHANGES, st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_an_element_is_as_its_latest_change_left_it(changes, day):
    state = rules.elements_on(changes, day)

    for element in Element.values:
        said = [c for c in sorted(changes, key=lambda c: c.effective_date) if c.effective_date <= day]
        last = [c.elements[element] for c in said if element in c.elements]
        assert state[element] == (last[-1] if last else True)
    assert rules.stopped(changes, day) == {e for e, on in state.items() if not on}
