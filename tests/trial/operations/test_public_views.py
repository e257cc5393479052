"""Health for machines; help, accessibility and privacy for anybody."""

import pytest
from django.db import connection

from tests.factories import Trial, make_protocol, staff
from trial.access.policy import Role
from trial.base import keys, triggers
from trial.operations import health
from trial.operations.help_texts import ROLES
from trial.participants.models import Person

pytestmark = pytest.mark.django_db


def test_the_process_answers(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-cache" in answer.headers["Cache-Control"]


def test_a_system_in_order_is_ready(client):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"ready": True})
    assert all(check.is_well for check in health.checks())


def test_missing_triggers_make_it_not_ready_without_saying_why(client):
    name, table = next(iter(triggers.installed(connection).items()))
    on_table = "" if connection.vendor == "sqlite" else f' ON "{table}"'
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TRIGGER "{name}"{on_table}')

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {"ready": False})
    assert any(table in check.problem for check in health.checks())


def test_migrations_that_are_not_applied_make_it_not_ready(client, settings):
    settings.MIGRATION_MODULES = {}  # the tests' tables are made without migrations, so none counts as applied

    assert client.get("/readyz").status_code == 503
    assert any("manage.py migrate" in check.problem for check in health.checks())


@pytest.mark.parametrize("listed", [[], ["bm90IHRoZSBrZXkgdGhhdCB3cmFwcGVkIGFueXRoaW4="], ["nonsense"]])
def test_keys_that_open_nothing_make_it_not_ready(client, settings, listed):
    Person(wrapped_key=keys.new_data_key()).save_by(None)
    settings.IDENTITY_KEYS = listed

    assert client.get("/readyz").status_code == 503
    assert any("IDENTITY_KEYS" in check.problem for check in health.checks())


def test_sealing_keys_that_do_not_open_the_list_make_it_not_ready(client, settings, clock):
    Trial().open_randomisation()
    assert client.get("/readyz").status_code == 200
    settings.SEALING_KEYS = ["bm90IHRoZSBrZXkgdGhhdCB3cmFwcGVkIGFueXRoaW4="]

    assert client.get("/readyz").status_code == 503


@pytest.mark.parametrize("page", ["/help/", "/accessibility/", "/privacy/"])
@pytest.mark.parametrize("has_protocol", [True, False])
def test_public_pages_open_for_anybody(client, page, has_protocol):
    if has_protocol:
        make_protocol()

    answer = client.get(page)

    assert answer.status_code == 200
    assert answer.content.count(b"<h1") == 1
    assert client.post(page).status_code == 405


def test_help_starts_with_the_page_and_the_role_of_the_reader(client, clock):
    trial = Trial()
    client.force_login(trial.coordinator)

    shown = client.get("/help/", {"page": "journey:people"}).content.decode()

    assert "This page finds people by study number" in shown
    assert shown.index("Coordinator (your role)") < shown.index("Randomiser")


def test_help_with_an_unknown_page_is_no_fault(client):
    assert client.get("/help/", {"page": "<script>"}).status_code == 200


def test_every_role_has_its_help():
    assert set(ROLES) == set(Role)


def test_privacy_says_what_each_identity_field_is_for(client):
    version = make_protocol()

    shown = client.get("/privacy/").content.decode()

    assert all(one.purpose in shown for one in version.spec.identity_fields)
    assert "NHS number" in shown


def test_no_page_names_an_arm_to_the_public(client, clock):
    arms = [arm.label for arm in make_protocol().spec.arms]

    for page in ("/help/", "/accessibility/", "/privacy/"):
        shown = client.get(page).content.decode()
        assert not [arm for arm in arms if arm in shown]


def test_the_pages_open_for_staff_too(client, clock):
    Trial()
    client.force_login(staff(Role.ADMINISTRATOR))

    assert client.get("/help/").status_code == 200
