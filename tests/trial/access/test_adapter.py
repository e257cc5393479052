"""Sign-in: logged, never with what was typed; nobody signs up (R-07, R-11, R-16)."""

import pytest
from django.core.cache import cache

from tests.factories import NOW, PASSWORD, make_user
from trial.access.models import AccessEvent, User
from trial.base.models import AuditLeaf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

LOGIN, SIGN_UP = "/accounts/login/", "/accounts/signup/"


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


@pytest.fixture
def user():
    return make_user("Asha Patel", email="asha@example.org")


def sign_in(client, login="asha@example.org", password=PASSWORD):
    return client.post(LOGIN, {"login": login, "password": password})


def events():
    return list(AccessEvent.objects.values_list("kind", "user__email", "record", "detail"))


def test_a_sign_in_is_logged_and_leads_home(client, user):
    response = sign_in(client, " Asha@Example.org ")

    assert (response.status_code, response.headers["Location"]) == (302, "/home/")
    assert events() == [("signed_in", "asha@example.org", "", "")]
    event = AccessEvent.objects.get()
    assert event.at == NOW
    assert AuditLeaf.objects.filter(table_name="trial_accessevent", row_id=event.pk).exists()


def test_somebody_sent_to_sign_in_comes_back(client, user):
    response = client.post(f"{LOGIN}?next=/people/", {"login": user.email, "password": PASSWORD, "next": "/people/"})

    assert response.headers["Location"] == "/people/"


def test_nobody_is_sent_to_another_site(client, user):
    response = client.post(LOGIN, {"login": user.email, "password": PASSWORD, "next": "https://example.com/"})

    assert response.headers["Location"] == "/home/"


def test_a_failure_is_logged_against_the_account_without_what_was_typed(client, user):
    response = sign_in(client, password="my-other-password")

    assert response.status_code == 200
    assert events() == [("sign_in_failed", "asha@example.org", "", "")]


def test_a_failure_for_an_unknown_address_names_nobody(client, user):
    sign_in(client, login="my-password-by-mistake@example.org")

    assert events() == [("sign_in_failed", None, "", "")]


def test_known_and_unknown_addresses_get_the_same_words(client, user):
    known = sign_in(client, password="wrong-password-1").context["form"].errors.as_json()
    unknown = sign_in(client, login="nobody@example.org", password="wrong-password-1").context["form"].errors.as_json()

    assert known == unknown


def test_a_disabled_account_does_not_sign_in(client, user):
    user.is_active = False
    user.save()

    sign_in(client)

    assert client.get("/home/").headers["Location"].startswith(LOGIN)
    assert "signed_in" not in [kind for kind, *_ in events()]


def test_five_failures_close_the_sign_in(client, user):
    for _ in range(5):
        sign_in(client, password="wrong-password-1")

    response = sign_in(client)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert "signed_in" not in [kind for kind, *_ in events()]


def test_signing_out_is_logged(client, user):
    sign_in(client)

    client.post("/accounts/logout/")

    assert [kind for kind, *_ in AccessEvent.objects.order_by("id").values_list("kind", "id")] == [
        "signed_in",
        "signed_out",
    ]
    assert client.get("/home/").status_code == 302


@pytest.mark.parametrize("login", ["a\x00@example.org", "", "x" * 400, "not an address"])
def test_what_cannot_be_an_address_is_refused_in_words(client, user, login):
    response = sign_in(client, login=login)

    assert response.status_code == 200
    assert response.context["form"].errors


def test_nobody_signs_up(client):
    page = client.get(SIGN_UP)
    client.post(
        SIGN_UP,
        {"email": "new@example.org", "password1": "a-long-enough-password", "password2": "a-long-enough-password"},
    )

    assert page.status_code == 200
    assert b"<form" not in page.content.split(b"<main")[1]
    assert not User.objects.exists()
