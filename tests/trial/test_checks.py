"""Start-up checks: each failure stops the server with a sentence that says what to mend (issue 2, point 3)."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.urls import path

from trial import checks
from trial.base import triggers

urlpatterns = [path("open/", lambda request: None, name="open")]


def test_this_installation_passes(db):
    assert checks.urls_name_a_permission(None) == []
    assert checks.audited_tables_keep_history(None) == []
    assert checks.instruments_load(None) == []
    assert checks.triggers_are_installed(None) == []


@override_settings(ROOT_URLCONF=__name__)
def test_a_page_without_a_permission_stops_the_start():
    (error,) = checks.urls_name_a_permission(None)

    assert error.id == "trial.E001"
    assert "open/" in error.msg


def test_a_missing_trigger_stops_the_start(db):
    name, table = next(iter(triggers.installed(connection).items()))
    on_table = "" if connection.vendor == "sqlite" else f' ON "{table}"'
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TRIGGER "{name}"{on_table}')

    (error,) = checks.triggers_are_installed(None)

    assert error.id == "trial.E004"
    assert table in error.msg


@pytest.mark.only_sqlite
def test_an_empty_database_is_migrated_and_passes_from_the_command_line(tmp_path):
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "trial.settings"}
    environment.pop("DATABASE_URL", None)

    for command in (["check"], ["migrate", "--verbosity=0"], ["check"], ["verify_audit"], ["tick"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (command, done.returncode, done.stderr) == (command, 0, "")
