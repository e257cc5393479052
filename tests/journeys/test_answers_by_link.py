"""From the day a window opens to the answers in the record: nobody of the team touches the questionnaires.

By the pages alone: the scheduled job writes, the participant answers on two days, the duty clinician is told at once.
"""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from tests.factories import NOW, Trial
from tests.journeys.visitor import Visitor
from tests.trial.selfcompletion.builders import AtHome, mailed_link
from trial.assessments.models import Administration
from trial.assessments.verify import answers_without_alert, score_differences
from trial.base import audit
from trial.operations import tick
from trial.safety.models import RiskAlert

pytestmark = pytest.mark.django_db


def test_week_five_answered_at_home(clock):
    trial = Trial().open_randomisation()
    participant = trial.randomised(at=NOW - timedelta(days=28))

    tick.run(at=timezone.now())
    first_evening = AtHome(mailed_link()).begin()
    for _ in range(14):
        first_evening.answer(4)
    for answer in (1, 1, 0, 2, 1, 0, 1, 0):
        first_evening.answer(answer)
    first_evening.answer(1)
    assert first_evening.heading == "Support for you now"
    first_evening.post(later="yes")
    assert first_evening.heading == "Your answers are saved"
    tick.run(at=timezone.now())
    assert [one.to for one in mail.outbox if "risk alert" in one.subject] == [[trial.clinician.email]]

    clock.shift(timedelta(days=3, hours=2))
    tick.run(at=timezone.now())
    assert mail.outbox[-1].subject == "Reminder: your questions are still waiting"
    second_evening = AtHome(mailed_link()).begin()
    assert second_evening.url == "/questions/2/10/"
    second_evening.answer(1).open("/questions/2/9/?change=yes")
    second_evening.post("/questions/2/9/?change=yes", answer="2")
    assert second_evening.heading == "Support for you now"
    second_evening.post("/questions/2/9/support/?change=yes")
    for answer in (5, 45, 2, 1, 0):
        second_evening.answer(answer)
    assert second_evening.heading == "Check your answers"
    second_evening.post()
    assert second_evening.heading == "Your answers have been sent"

    alert = RiskAlert.objects.get()
    assert alert.codes == ["phq9_item9_frequent", "phq9_item9_positive"]
    assert alert.escalated_at == timezone.now()
    forms = {form.instrument: form for form in Administration.objects.filter(visit__code="V2")}
    assert {code: form.scores[score]["value"] for code, form, score in _scored(forms)} == {"wemwbs": 56, "phq9": 8}
    assert {form.entered_by for form in forms.values()} == {None}
    record = Visitor(trial.coordinator).open(f"/people/{participant.study_id}/V2/link/")
    record.says("Answers", "Sent", "No questionnaire of this visit is left")
    clock.shift(timedelta(days=4))
    n_sent = len(mail.outbox)
    tick.run(at=timezone.now())
    assert len([one for one in mail.outbox[n_sent:] if "questions" in one.subject]) == 0
    assert answers_without_alert() == score_differences() == audit.verify() == []


def _scored(forms):
    return [("wemwbs", forms["wemwbs"], "wemwbs_total"), ("phq9", forms["phq9"], "phq9_total")]
