"""The second factor (R-16), and how long a session lasts (R-17)."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP

from tests.factories import Trial, give_role, make_user
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


# -- idle time


@pytest.fixture
def leader(client):
    client.force_login(give_role(make_user(), Role.ACTIVITY_LEADER, Trial().site))
    return client


def test_the_register_signs_out_after_five_minutes_without_a_request(leader, clock):
    leader.get("/register/")
    clock.shift(timedelta(minutes=5, seconds=1))

    assert leader.get("/register/").headers["Location"] == "/accounts/login/?next=/register/"


def test_staying_signed_in_keeps_the_registers_limit(leader, clock):
    page = leader.get("/register/").content.decode()
    clock.shift(timedelta(minutes=4))
    leader.get("/accessibility/")
    clock.shift(timedelta(minutes=4))
    still = leader.get("/register/").status_code
    leader.get("/accessibility/")
    clock.shift(timedelta(minutes=6))

    assert 'data-session-seconds="300"' in page
    assert 'data-session-warning="60"' in page
    assert still == 200
    assert leader.get("/register/").status_code == 302


def test_a_desk_has_fifteen_minutes_also_after_a_look_at_the_register(client, clock):
    client.force_login(give_role(make_user(), Role.DATA_MANAGER))
    client.get("/register/")
    client.get("/data/")
    clock.shift(timedelta(minutes=14))

    assert client.get("/data/").status_code == 200
    clock.shift(timedelta(minutes=15, seconds=1))
    assert client.get("/data/").status_code == 302


def test_a_script_that_sends_json_is_told_to_sign_in(client):
    answer = client.post("/register/1/marks/", "{}", content_type="application/json")

    assert (answer.status_code, answer.json()) == (401, {"error": "Sign in to send this."})
