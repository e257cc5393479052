"""The protocol in force, to read."""

import pytest

from tests.factories import Trial, staff
from trial.access.policy import POLICY, Action, Role

pytestmark = pytest.mark.django_db


def test_the_protocol_is_shown_without_what_would_tell_an_allocation(client, clock):
    trial = Trial()
    client.force_login(trial.coordinator)

    shown = client.get("/protocol/").content.decode()

    for part in (*trial.spec.criteria, *trial.spec.visits, *trial.spec.sites, *trial.spec.documents):
        assert part.code in shown or getattr(part, "title", part.code) in shown
    assert "block" not in shown.lower()
    assert trial.spec.arms[0].label in shown


def test_the_page_says_when_no_protocol_is_active(client, clock):
    client.force_login(staff(Role.ADMINISTRATOR))

    assert "No protocol is active" in client.get("/protocol/").content.decode()


def test_only_permitted_roles_open_it(client, clock):
    trial = Trial()
    for role in Role:
        user = staff(role, trial.site, blinded=False)
        client.force_login(user)

        expected = 200 if Action.VIEW_PROTOCOL in POLICY[role].actions else 403
        assert client.get("/protocol/").status_code == expected, role
