"""backup: a sound copy beside running work, or nothing."""

import sqlite3

import pytest
from django.core.management import CommandError, call_command

from trial.access.models import User

pytestmark = pytest.mark.django_db(transaction=True)
only_sqlite = pytest.mark.only_sqlite


@pytest.fixture(autouse=True)
def _one_account():
    User.objects.create_user("asha@example.org", "Asha Patel")


@only_sqlite
def test_the_copy_holds_what_was_committed_and_only_its_owner_reads_it(tmp_path, capsys):
    target = tmp_path / "copy.sqlite3"

    call_command("backup", str(target))

    copy = sqlite3.connect(target)
    assert copy.execute("SELECT name FROM trial_user").fetchall() == [("Asha Patel",)]
    copy.close()
    assert target.stat().st_mode & 0o077 == 0
    assert "SHA-256" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [target]


@only_sqlite
def test_the_mark_of_the_last_allocation_is_not_copied_with_it(tmp_path, settings):
    settings.HIGH_WATER_FILE.write_text('{"main": "mark outside the database"}')

    call_command("backup", str(tmp_path / "copy.sqlite3"))

    assert b"mark outside the database" not in (tmp_path / "copy.sqlite3").read_bytes()
    assert len(list(tmp_path.iterdir())) == 1


@only_sqlite
def test_an_earlier_backup_is_not_overwritten(tmp_path):
    target = tmp_path / "copy.sqlite3"
    target.write_text("yesterday")

    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", str(target))

    assert target.read_text() == "yesterday"


@only_sqlite
def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match="no folder"):
        call_command("backup", str(tmp_path / "absent" / "copy.sqlite3"))


@pytest.mark.only_postgresql
def test_postgresql_has_its_own_tools(tmp_path):
    with pytest.raises(CommandError, match="pg_dump"):
        call_command("backup", str(tmp_path / "copy"))
