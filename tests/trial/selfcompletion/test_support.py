"""An answer on self-harm through a link: help at once, one alert, never withdrawn (BR-50, BR-52, R-45)."""

from datetime import timedelta

import pytest

from tests.factories import NOW
from tests.trial.selfcompletion.builders import PHQ9
from trial.messages.models import Task
from trial.safety.models import RiskAlert

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_help_at_once_and_exactly_one_alert_that_a_rise_escalates(trial, home, clock):
    home.begin()
    home.post(PHQ9.format(9), answer="1")
    assert home.heading == "Support for you now"
    for words in (
        "Call 999",
        "Call 111, choose option 2",
        "Call Samaritans on 116 123",
        "We do not read answers straight away",
        "01632 960114",
    ):
        assert words in home.text
    assert "alert" not in home.text.partition("<main")[2].lower()
    alert = RiskAlert.objects.get()
    assert (alert.severity, alert.codes, alert.escalated_at) == ("urgent", ["phq9_item9_positive"], None)
    assert Task.objects.open().filter(kind="risk_alert", is_urgent=True).count() == 1
    home.post(PHQ9.format(9), answer="1")  # sent twice
    assert RiskAlert.objects.get().escalated_at is None

    clock.shift(timedelta(minutes=2))
    home.post(PHQ9.format(9), answer="3")
    assert home.heading == "Support for you now"
    home.post().decline_all()
    home.post("/questions/answers/")

    alert = RiskAlert.objects.get()
    assert alert.codes == ["phq9_item9_frequent", "phq9_item9_positive"]
    assert alert.escalated_at == NOW + timedelta(minutes=2)
    assert home.heading == "Your answers have been sent"
    assert Task.objects.open().filter(kind="risk_alert").count() == 1


def test_help_comes_before_finishing_later(home):
    home.begin()
    home.post(PHQ9.format(9), answer="2", later="yes")
    assert home.heading == "Support for you now"
    home.post(later="yes")

    assert home.heading == "Your answers are saved"
    assert RiskAlert.objects.count() == 1


def test_lowering_the_answer_withdraws_nothing(home):
    home.begin()
    home.post(PHQ9.format(9), answer="1")
    home.post(PHQ9.format(9), answer="0")

    assert home.heading != "Support for you now"
    assert RiskAlert.objects.get().codes == ["phq9_item9_positive"]
