"""Sign-in and second-factor pages of allauth in our frame: plain words, axe-clean, no sideways scroll."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.urls import reverse

from tests import browser
from tests.factories import PASSWORD, make_user
from trial.access.models import User

pytestmark = pytest.mark.django_db

OPEN = ["account_login", "account_reset_password", "account_reset_password_done", "account_inactive", "account_signup"]
OWN = ["account_logout", "account_change_password", "mfa_index", "mfa_activate_totp", "account_reauthenticate"]


@pytest.fixture
def signed_in(client):
    user = make_user("Priya Nair", email="priya@example.org")
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def pages_of(client, names):
    found = {name: client.get(reverse(name)) for name in names}
    return {name: response.content.decode() for name, response in found.items() if response.status_code == 200}


def codes_page(client):
    user = User.objects.get()
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    RecoveryCodes.activate(user)
    return pages_of(
        client, ["mfa_index", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_deactivate_totp"]
    )


def test_signing_in_with_nothing_says_what_to_enter(client):
    html = client.post(reverse("account_login"), {"login": "", "password": ""}).content.decode()

    assert "<title>Error: Sign in" in html
    assert 'href="#id_login"' in html
    assert "This field is required" not in html


def test_pages_say_neither_please_nor_invalid(client, signed_in):
    pages = {**pages_of(client, OWN), **codes_page(client)}

    for name, html in pages.items():
        assert "lease" not in html.replace("release", ""), name
        assert "nvalid" not in html.replace("aria-invalid", ""), name
    assert {"account_logout", "mfa_index"} <= set(pages)


@pytest.mark.browser
def test_account_pages_pass_axe(client, signed_in):
    pages = {**pages_of(client, OWN), **{f"codes-{name}": html for name, html in codes_page(client).items()}}
    client.logout()
    pages |= pages_of(client, OPEN)
    pages["login-wrong"] = client.post(reverse("account_login"), {"login": "a@b.org", "password": "x"}).content.decode()
    problems = []

    with browser.launch() as chromium:
        for size in (browser.DESK, browser.PHONE):
            page = browser.open_page(chromium, size)
            browser.serve(page, pages)
            for name in pages:
                page.goto(f"http://hedgerow.test/{name}")
                browser.shot(page, f"account-{name}-{size['width']}")
                problems += [f"{name}: {found}" for found in browser.axe(page)]
                problems += [f"{name}: scrolls sideways"] if browser.sideways(page) else []
            problems += browser.complaints(page)

    assert problems == []
