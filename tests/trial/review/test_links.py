"""Queries are raised from the questionnaire and from the answer itself."""

import pytest
from django.test import Client

from tests.factories import Trial, staff
from trial.access.policy import Role
from trial.review import links

pytestmark = pytest.mark.django_db


def test_a_stored_questionnaire_offers_a_query_to_those_who_may_raise_one(clock):
    trial = Trial()
    participant = trial.consented()
    trial.screened(participant)
    form = participant.administrations.get(instrument="phq9")
    assessor = staff(Role.OUTCOME_ASSESSOR, trial.site)

    assert links.beside_form(form, trial.coordinator)[0].url == f"/people/{participant.study_id}/V0/phq9/query/"
    assert links.beside_item(form, "phq9_3", trial.coordinator).url.endswith("/query/?item=phq9_3")
    assert links.beside_form(form, assessor) == []
    assert links.beside_item(form, "phq9_3", assessor) is None


def test_the_page_of_the_questionnaire_shows_the_link(clock):
    trial = Trial()
    participant = trial.consented()
    trial.screened(participant)
    client = Client(HTTP_HOST="localhost")
    client.force_login(trial.coordinator)

    page = client.get(f"/people/{participant.study_id}/V0/phq9/")

    assert b"Raise a query" in page.content
