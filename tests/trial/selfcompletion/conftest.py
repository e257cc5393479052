"""What most tests of self-completion start from: a trial, somebody in week 5, and their link."""

import pytest

from tests.factories import Trial
from tests.trial.selfcompletion.builders import AtHome, a_link, in_week_five


@pytest.fixture
def trial(clock):
    return Trial().open_randomisation()


@pytest.fixture
def participant(trial):
    return in_week_five(trial)


@pytest.fixture
def home(participant):
    return AtHome(a_link(participant))
