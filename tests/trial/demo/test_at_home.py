"""The demonstration tells one questionnaire link that is open, the same one again, and another once it is answered."""

from datetime import timedelta

import pytest

from tests.factories import NOW, Trial
from tests.trial.selfcompletion.builders import AtHome
from trial.demo import at_home
from trial.selfcompletion.models import SelfCompletionLink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_a_link_with_what_it_asks_for():
    trial = Trial().open_randomisation()
    trial.randomised(at=NOW - timedelta(days=30))
    trial.eligible()

    offer, again = at_home.offer(at=NOW), at_home.offer(at=NOW)

    assert offer == again
    assert SelfCompletionLink.objects.count() == 1
    home = AtHome(offer.path).begin(check_0=str(offer.day), check_1=str(offer.month))
    assert home.url == "/questions/1/1/"
    home.decline_all().post()
    another = at_home.offer(at=NOW)  # a baseline, which stays open until the person is randomised
    assert another.path != offer.path
    assert AtHome(another.path).begin().url == "/questions/1/1/"


def test_nobody_left_to_answer_is_no_fault():
    Trial()

    assert at_home.offer(at=NOW) is None
