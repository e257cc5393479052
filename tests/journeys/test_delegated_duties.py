"""Each step that needs a duty works only while the delegation log gives it (R-15)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.factories import NOW, TODAY, Trial, proof
from tests.test_permissions import _adverse_event
from trial.access import delegation
from trial.access.models import Duty, User
from trial.access.permissions import is_delegated
from trial.base.errors import TrialError
from trial.consent.actions import documents_on
from trial.journey import steps
from trial.messages.models import OutboxMessage, Task
from trial.operations import due
from trial.participants.models import Referral
from trial.safety import actions as safety
from trial.safety import event_actions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def _consent(trial: Trial) -> Callable[[], object]:
    referral = trial.informed()
    form = documents_on(kind="consent", site=trial.site, on=TODAY)[0]
    return lambda: steps.consent(
        referral=Referral.objects.get(pk=referral.pk),
        form=form,
        information=referral.information_given.get(),
        data=trial.consent_data(at=NOW),
        by=trial.coordinator,
        at=NOW,
    )


def _eligibility(trial: Trial) -> Callable[[], object]:
    participant = trial.consented()
    trial.screened(participant)
    assessed = trial.assess(participant)
    signed = proof(trial.investigator)
    return lambda: steps.sign_eligibility(eligibility=assessed, proof=signed, by=trial.investigator, at=NOW)


def _randomise(trial: Trial) -> Callable[[], object]:
    participant = trial.open_randomisation().baseline_done()
    return lambda: trial.randomised(participant)


def _alert(trial: Trial) -> object:
    return safety.raise_alert(
        participant=trial.consented(), trigger="distress", severity="review", by=trial.coordinator, at=NOW
    )


def _assess(trial: Trial) -> Callable[[], object]:
    alert = _alert(trial)
    return lambda: safety.assess(alert=alert, level="low", actions_taken="Rang", by=trial.clinician, at=NOW)


def _close(trial: Trial) -> Callable[[], object]:
    alert = safety.assess(alert=_alert(trial), level="low", actions_taken="Rang", by=trial.clinician, at=NOW)
    return lambda: safety.close(alert=alert, by=trial.clinician, at=NOW)


def _review(trial: Trial) -> Callable[[], object]:
    event = _adverse_event(trial.consented(), trial.coordinator)
    signed = proof(trial.investigator)
    return lambda: event_actions.review_event(
        event=event,
        related_to_activity="possible",
        related_to_procedures="unrelated",
        expected=True,
        comment="",
        proof=signed,
        by=trial.investigator,
        at=NOW,
    )


STEPS: dict[str, tuple[Callable[[Trial], Callable[[], object]], Duty, Callable[[Trial], User]]] = {
    "take consent": (_consent, Duty.CONSENT, lambda trial: trial.coordinator),
    "sign eligibility": (_eligibility, Duty.ELIGIBILITY, lambda trial: trial.investigator),
    "randomise": (_randomise, Duty.RANDOMISATION, lambda trial: trial.randomiser),
    "assess an alert": (_assess, Duty.SAFETY, lambda trial: trial.clinician),
    "close an alert": (_close, Duty.SAFETY, lambda trial: trial.clinician),
    "review an adverse event": (_review, Duty.SAFETY, lambda trial: trial.investigator),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_works_on_the_last_day_of_its_duty(step):
    trial = Trial()
    prepare, duty, who = STEPS[step]
    act = prepare(trial)
    for line in who(trial).delegations.filter(duty=duty, site=trial.site):
        line.to_date = TODAY
        line.save_by(None, "Ends today")

    assert act()


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_refused_on_the_day_after(step):
    trial = Trial()
    prepare, duty, who = STEPS[step]
    act = prepare(trial)
    for line in who(trial).delegations.filter(duty=duty, site=trial.site):
        line.to_date = TODAY - timedelta(days=1)
        line.save_by(None, "Ended yesterday")

    with pytest.raises(TrialError, match=r"delegation log|Randomise only|may not|delegated"):
        act()


def test_somebody_whose_duty_ends_tomorrow_hears_today_and_so_does_the_investigator():
    trial = Trial()
    (line,) = trial.coordinator.delegations.all()
    delegation.end_delegation(
        delegation=line, last_day=TODAY + timedelta(days=1), reason="Leaves", by=trial.investigator
    )

    due.delegation_tasks(at=NOW)
    due.delegation_tasks(at=NOW + timedelta(minutes=1))

    told = OutboxMessage.objects.filter(kind="delegation_ends")
    assert {message.to_user for message in told} == {trial.coordinator, trial.investigator}
    assert told.count() == 2
    assert Task.objects.open().filter(kind="delegation_ends").count() == 1
    assert is_delegated(trial.coordinator, Duty.CONSENT, trial.site, TODAY + timedelta(days=1))


def test_a_duty_that_ends_in_a_week_is_a_task_and_no_message():
    trial = Trial()
    (line,) = trial.coordinator.delegations.all()
    delegation.end_delegation(
        delegation=line, last_day=TODAY + timedelta(days=7), reason="Leaves", by=trial.investigator
    )

    assert due.delegation_tasks(at=NOW) == 1

    assert not OutboxMessage.objects.filter(kind="delegation_ends").exists()
