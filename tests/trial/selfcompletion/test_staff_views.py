"""The coordinator's page of one visit's links."""

import pytest

from tests.factories import NOW
from tests.trial.selfcompletion.builders import AtHome, a_link, visit_of
from trial.selfcompletion import sending
from trial.selfcompletion.models import SelfCompletion

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def test_the_coordinator_sends_and_stops_links(trial, participant, client):
    client.force_login(trial.coordinator)
    page = f"/people/{participant.study_id}/V2/link/"
    record = client.get(f"/people/{participant.study_id}/").content.decode()
    sent = client.post(page, {"do": "send"}, follow=True).content.decode()
    AtHome(a_link(participant)).begin()
    stopped = client.post(page, {"do": "stop"}, follow=True).content.decode()
    bounced = client.post(page, {"do": "bounced"}, follow=True).content.decode()
    nonsense = client.post(page, {"do": "\x00"}, follow=True)

    assert "Send the questionnaire link, week 5" in record
    assert "Not sent yet" in record
    assert "The link will be sent within a minute" in sent
    assert "1 link stopped" in stopped
    assert "Recorded" in bounced
    assert nonsense.status_code == 200
    assert "The e-mail came back on 9 Jul 2026" in client.get(f"/people/{participant.study_id}/").content.decode()
    assert sending.why_not(visit_of(participant), participant, NOW) == ""


def test_the_page_says_why_a_link_cannot_be_sent(trial, participant, client):
    client.force_login(trial.coordinator)
    later = client.post(f"/people/{participant.study_id}/V3/link/", {"do": "send"}, follow=True).content.decode()

    assert "The window of this visit is not open yet." in later
    assert not SelfCompletion.objects.filter(visit__code="V3").exists()
    assert client.get(f"/people/{participant.study_id}/V9/link/").status_code == 404
