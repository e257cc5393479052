"""The proof that no answer lacks its alert, and that scoring again changes nothing."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.trial.assessments.builders import phq9, randomised, save
from trial.assessments.models import Administration
from trial.assessments.verify import answers_without_alert, score_differences
from trial.base import triggers
from trial.safety.models import RiskAlert

pytestmark = pytest.mark.django_db


def remove_alerts():
    with triggers.lifted(connection), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {RiskAlert._meta.db_table}")  # noqa: S608


def test_the_command_passes_while_every_answer_has_its_alert(capsys):
    save(randomised(), answers=phq9(1, 1, 1, 1, 1, 1, 1, 1, 2, 1))

    call_command("check_alerts")

    assert "has one" in capsys.readouterr().out


def test_the_command_names_each_form_that_lacks_its_alert():
    participant = randomised()
    save(participant, answers={"phq9_9": 1}, submit=False)
    remove_alerts()

    with pytest.raises(CommandError, match=f"{participant.study_id} V3 phq9: no alert for phq9_item9_positive"):
        call_command("check_alerts")


def test_an_answer_that_was_lowered_since_still_needs_its_alert():
    participant = randomised()
    form = save(participant, answers={"phq9_9": 1}, submit=False)
    save(participant, answers={"phq9_9": 0}, submit=False, expected_revision=form.revision)
    remove_alerts()

    assert len(answers_without_alert()) == 1


def test_a_stored_score_that_somebody_changed_is_found():
    form = save(randomised())
    assert score_differences() == []

    form.scores = {**form.scores, "phq9_total": {"value": 3, "status": "complete"}}
    form.save_by(None, "Tampered")

    assert len(score_differences()) == 1
    assert Administration.objects.get().answers == form.answers
