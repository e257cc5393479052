"""The high-water mark, in words and on the disk (randomisation.md 9.15)."""

import json

import pytest

from randomisation import high_water
from randomisation.models import Scheme
from tests.factories import Trial, staff
from trial import checks
from trial.access.policy import Role
from trial.allocation import marks
from trial.operations import health


@pytest.fixture
def trial(db, clock):
    return Trial().open_randomisation()


def write_mark(**mark):
    high_water.path().write_text(
        json.dumps({Scheme.objects.get().code: {"n": 9, "seq": 0, "digest": "0" * 64, **mark}})
    )


def test_a_scheme_without_allocations_needs_no_mark(trial):
    assert marks.problem() == ""


def test_a_database_that_lacks_allocations_is_told_of(trial):
    write_mark(seq=3)

    assert marks.problem().startswith("The database lacks allocations that were made")


def test_a_mark_of_another_log_is_told_of(trial):
    write_mark()

    assert "another log" in marks.problem()


def test_a_missing_mark_is_told_to_the_administrator_but_keeps_the_system_running(trial, client):
    trial.randomised()
    high_water.path().unlink(missing_ok=True)
    client.force_login(staff(Role.ADMINISTRATOR))

    page = client.get("/settings/").content.decode()

    assert "The high-water mark is missing although people have been randomised." in page
    assert client.get("/readyz").status_code == 200
    assert not all(check.is_well for check in health.checks())


def test_a_mark_that_cannot_be_written_stops_the_start(settings, tmp_path):
    settings.HIGH_WATER_FILE = tmp_path / "not" / "yet" / "mark.json"
    assert checks.mark_can_be_kept(None) == []
    (tmp_path / "file").write_text("")
    settings.HIGH_WATER_FILE = tmp_path / "file" / "mark.json"

    (error,) = checks.mark_can_be_kept(None)

    assert error.id == "trial.E006"
