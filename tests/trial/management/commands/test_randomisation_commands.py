"""lock_randomisation and open_randomisation: by the policy, and with nothing on the terminal that tells an arm."""

import pytest
from django.core.management import CommandError, call_command

from randomisation.models import Revision, State
from tests.factories import Trial, make_user, staff
from trial.access.policy import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial(clock):
    return Trial()


@pytest.fixture
def manager(trial):
    return staff(Role.TRIAL_MANAGER, blinded=False)


@pytest.fixture
def approvers(trial):
    return [staff(Role.UNBLINDED_STATISTICIAN, name=name) for name in ("Ann One", "Bea Two")]


def lock(by, *approve):
    call_command("lock_randomisation", "--by", by.email, *[f"--approve={one.email}" for one in approve])


def test_the_scheme_is_locked_and_opened(trial, manager, approvers, capsys):
    lock(manager, *approvers)
    call_command("open_randomisation", "--by", manager.email.upper())

    revision = Revision.objects.get()
    printed = capsys.readouterr().out
    assert revision.state == State.OPEN
    assert revision.commitment in printed
    assert "[4, 6]" not in printed
    assert not [arm for arm in trial.spec.arms if arm.code in printed.replace(revision.commitment, "")]


def test_the_policy_holds_for_commands_too(trial, manager, approvers):
    with pytest.raises(CommandError, match="may not do this"):
        lock(trial.coordinator, *approvers)
    with pytest.raises(CommandError, match="may not do this"):
        lock(manager, approvers[0], trial.randomiser)
    with pytest.raises(CommandError, match="may not do this"):
        call_command("open_randomisation", "--by", trial.randomiser.email)

    assert not Revision.objects.exists()


def test_two_people_approve(manager, approvers):
    with pytest.raises(CommandError, match="Name two people"):
        lock(manager, approvers[0])
    with pytest.raises(CommandError, match="Two different people"):
        lock(manager, approvers[0], approvers[0])

    assert not Revision.objects.exists()


def test_an_unknown_or_disabled_account_is_refused(trial, manager, approvers):
    gone = make_user(email="gone@example.org")
    gone.is_active = False
    gone.save()

    for email in ("nobody@example.org", "gone@example.org"):
        with pytest.raises(CommandError, match="no active account"):
            call_command("open_randomisation", "--by", email)


def test_there_must_be_something_to_open(trial, manager):
    with pytest.raises(CommandError, match="no locked scheme"):
        call_command("open_randomisation", "--by", manager.email)


def test_there_must_be_a_protocol(clock, db):
    manager = staff(Role.TRIAL_MANAGER, blinded=False)
    approvers = [staff(Role.UNBLINDED_STATISTICIAN) for _ in range(2)]

    with pytest.raises(CommandError, match="No protocol is active"):
        lock(manager, *approvers)
    with pytest.raises(CommandError, match="No protocol is active"):
        call_command("open_randomisation", "--by", manager.email)
