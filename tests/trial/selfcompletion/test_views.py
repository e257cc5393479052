"""Pages behind a link, as a browser without JavaScript sees them."""

import pytest

from tests.factories import Trial
from tests.trial.selfcompletion.builders import AtHome, a_link, in_week_five

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def trial():
    return Trial().open_randomisation()


@pytest.fixture
def participant(trial):
    return in_week_five(trial)


@pytest.fixture
def home(participant):
    return AtHome(a_link(participant))


def test_walk(home):
    home.open()
    print(home.response.status_code, home.heading, home.url)
    home.post()
    print(home.response.status_code, home.heading, home.url)
    home.post(check_0="14", check_1="3")
    print(home.response.status_code, home.heading, home.url)
    home.answer(3)
    print(home.response.status_code, home.heading, home.url)
    home.post()
    print(home.response.status_code, home.heading, home.url, "not answered" in home.text)
    home.decline_all()
    print(home.response.status_code, home.heading, home.url)
    home.post()
    print(home.response.status_code, home.heading, home.url)
    home.open()
    print(home.response.status_code, home.heading, home.url)
