"""Several pages of one person sent at the same moment: every answer stays, every form is completed once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from tests.factories import NOW
from tests.trial.selfcompletion.builders import FIRST, PHQ9, WRONG, AtHome, a_link, stored
from trial.assessments.models import Administration
from trial.messages.models import OutboxMessage
from trial.safety.models import RiskAlert
from trial.selfcompletion import sending
from trial.selfcompletion.models import SelfCompletion

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True, databases=["default", "reading"]),
    pytest.mark.usefixtures("clock"),
    pytest.mark.only_postgresql,
]


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own, all from the same moment on."""
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        try:
            start.wait(10)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_tabs_keep_each_others_answers_and_raise_one_alert(participant):
    link = a_link(participant)
    tabs = [AtHome(link).begin() for _ in range(4)]

    at_once(
        lambda: tabs[0].post(FIRST, answer="1"),
        lambda: tabs[1].post("/questions/1/2/", answer="2"),
        lambda: tabs[2].post(PHQ9.format(9), answer="1"),
        lambda: tabs[3].post(PHQ9.format(9), answer="1"),
    )

    assert stored().answers == {"wemwbs_1": 1, "wemwbs_2": 2}
    assert stored("phq9").answers == {"phq9_9": 1}
    assert RiskAlert.objects.count() == 1


def test_a_button_pressed_twice_completes_each_form_once(participant):
    link = a_link(participant)
    AtHome(link).begin().decline_all()
    tabs = [AtHome(link).begin() for _ in range(2)]

    at_once(*(lambda tab=tab: tab.post("/questions/answers/") for tab in tabs))

    assert {tab.heading for tab in tabs} == {"Your answers have been sent"}
    forms = Administration.objects.filter(visit__code="V2")
    assert [form.history.filter(status="complete").count() for form in forms] == [1, 1, 1]


def test_guessing_in_parallel_gives_no_further_tries(participant):
    link = a_link(participant)
    tabs = [AtHome(link).open().post() for _ in range(8)]

    at_once(*(lambda tab=tab: tab.post("/questions/check/", **WRONG) for tab in tabs))

    assert SelfCompletion.objects.get().n_failed == 5


def test_two_jobs_at_once_write_one_message(participant):
    at_once(*[lambda: sending.write_due(at=NOW)] * 2)

    assert OutboxMessage.objects.filter(kind__startswith="questionnaire").count() == 1
