"""The second factor (R-16)."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP

from tests.factories import give_role, make_user
from trial.access.policy import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def user(settings):
    settings.SECOND_FACTOR_REQUIRED = True
    return give_role(make_user(), Role.DATA_MANAGER)


@pytest.mark.parametrize("path", ["/data/", "/people/", "/home/", "/admin/", "/people/S-01-0001/"])
def test_without_a_second_factor_every_page_leads_to_setting_it_up(client, user, path):
    client.force_login(user)

    for response in (client.get(path), client.post(path)):
        assert (response.status_code, response.headers["Location"]) == (302, "/accounts/2fa/")


@pytest.mark.parametrize("path", ["/accounts/2fa/", "/help/", "/accessibility/", "/privacy/", "/healthz"])
def test_what_is_needed_to_set_it_up_stays_open(client, user, path):
    client.force_login(user)

    assert client.get(path).status_code == 200


def test_with_a_second_factor_pages_open(client, user):
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    client.force_login(user)

    assert client.get("/data/").status_code == 200


def test_somebody_who_is_not_signed_in_signs_in_first(client, user):
    assert client.get("/data/").headers["Location"] == "/accounts/login/?next=/data/"


def test_a_training_installation_does_not_ask(client, user, settings):
    settings.SECOND_FACTOR_REQUIRED = False
    client.force_login(user)

    assert client.get("/data/").status_code == 200
