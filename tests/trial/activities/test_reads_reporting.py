"""Whom an activity leader may report an event about (BR-40)."""

import pytest
from django.test import Client

from tests.factories import Trial, staff
from trial.access.policy import Role
from trial.activities.reads import may_report_on

pytestmark = pytest.mark.django_db


def test_a_leader_reports_about_members_of_own_groups_only(clock):
    trial = Trial()
    participant = trial.consented()
    leader = staff(Role.ACTIVITY_LEADER, trial.site)
    client = Client(HTTP_HOST="localhost")
    client.force_login(leader)

    answer = client.get(f"/people/{participant.study_id}/adverse-event/")

    assert not may_report_on(leader, participant)
    assert may_report_on(trial.coordinator, participant)
    assert answer.status_code == 404
