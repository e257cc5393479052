"""Who may have the masked variant: the committee and the unblinded statistician; nobody blinded knows of it (BR-26)."""

from datetime import timedelta

import pytest
from django.test import Client

from exports import actions
from exports.canonical import masked_key_of
from exports.errors import ReleaseRefused
from exports.model import MASKED_TABLE
from exports.models import CanonicalFile, Release
from exports.release import Source
from exports.storing import source_of
from tests.exports.builders import small_trial
from tests.factories import NOW, TODAY, Trial, proof, staff
from trial.access.policy import POLICY, Action, Role
from trial.locking import actions as locking

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]
MAY_SEE_LETTERS = (Role.UNBLINDED_STATISTICIAN, Role.DMEC)


@pytest.fixture
def trial() -> Trial:
    return small_trial()


@pytest.fixture
def manager(trial):
    return staff(Role.DATA_MANAGER, name="Tom Ellery")


@pytest.fixture
def cut(manager):
    return locking.make_cut(name="DMC", reason="Meeting", data_through=TODAY, by=manager, at=NOW)


@pytest.fixture
def release(cut) -> Release:
    by = staff(Role.UNBLINDED_STATISTICIAN, name="Dr Ivo Petrov")
    asked = actions.request_release(lock=cut, variant="dmc", purpose="Closed report", by=by, at=NOW)
    return actions.build_release(release=asked, by=by)


def as_(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_the_committee_and_the_unblinded_statistician_may_have_it():
    assert {role for role in Role if Action.DOWNLOAD_MASKED in POLICY[role].actions} == set(MAY_SEE_LETTERS)


def test_it_is_built_and_tested_from_a_cut_before_any_unblinding(release):
    assert (release.state, release.rebuilt_equal) == ("done", True)
    assert all(outcome["passed"] for outcome in release.acceptance)
    assert str(release) == "C001, DMEC, masked"


def test_it_is_built_from_a_lock_before_any_unblinding():
    Trial().open_randomisation()
    manager = staff(Role.DATA_MANAGER)
    chief, by = staff(Role.CHIEF_INVESTIGATOR), staff(Role.UNBLINDED_STATISTICIAN)
    asked = locking.ask_lock(reason="Analysis", data_through=TODAY, proof=proof(manager), by=manager, at=NOW)
    lock = locking.agree_lock(lock=asked, proof=proof(chief), by=chief, at=NOW)

    wanted = actions.request_release(lock=lock, variant="dmc", purpose="Closed report", by=by, at=NOW)

    assert actions.build_release(release=wanted, by=by).state == "done"


def test_its_build_is_given_the_key_of_the_letters_only(release):
    row = CanonicalFile.objects.get()

    source = source_of(row, "dmc")

    assert source == Source(row.path, "", masked_key_of(row.path, row.wrapped_key))
    assert source_of(row, "blinded") == Source(row.path)


@pytest.mark.parametrize("role", MAY_SEE_LETTERS)
def test_who_may_have_it_sees_and_downloads_it(release, role):
    client = as_(staff(role, name="Reader"))

    page = client.get(f"/releases/{release.pk}/").content.decode()
    fetched = client.post(f"/releases/{release.pk}/download/", {"purpose": "Closed report"})

    assert "As letters, whose meaning is held apart" in page
    assert "Left out, because it is masked" in page
    assert "This release reveals allocation" not in page
    assert fetched.status_code == 200
    assert b"".join(fetched.streaming_content) == release.path.read_bytes()


@pytest.mark.parametrize(
    "role", [Role.TRIAL_STATISTICIAN, Role.DATA_MANAGER, Role.CHIEF_INVESTIGATOR, Role.TRIAL_MANAGER]
)
def test_everybody_else_who_sees_releases_never_meets_it(release, role):
    client = as_(staff(role, name="Somebody"))
    base = f"/releases/{release.pk}/"

    pages = [client.get(f"{base}{tail}").status_code for tail in ("", "downloads/", "changes.txt", "changes/phq9/")]
    posts = [client.post(f"{base}{tail}", {"purpose": "x"}).status_code for tail in ("", "download/")]
    rebuilt = client.post(f"{base}rebuild/").status_code
    listed = client.get("/releases/").content.decode()

    assert (pages, posts) == ([404] * 4, [404] * 2)
    assert rebuilt in (403, 404)
    assert "masked" not in listed.lower()
    assert "No releases" in listed
    assert client.get(f"/codebook/?table={MASKED_TABLE}").status_code == 404


@pytest.mark.parametrize("role", [Role.TRIAL_STATISTICIAN, Role.DATA_MANAGER])
def test_who_builds_blinded_releases_is_not_offered_it(cut, role):
    by = staff(role, name="Somebody")

    page = as_(by).get("/releases/new/").content.decode()
    posted = as_(by).post("/releases/new/", {"lock": "C001", "variant": "dmc", "purpose": "x"})

    assert "masked" not in page.lower()
    assert "There is a problem" in posted.content.decode()
    with pytest.raises(ReleaseRefused, match="role"):
        actions.request_release(lock=cut, variant="dmc", purpose="x", by=by, at=NOW)
    assert not Release.objects.exists()


def test_a_blinded_person_does_not_download_it_past_the_pages(release):
    by = staff(Role.TRIAL_STATISTICIAN, name="Dr Owen Pryce")

    with pytest.raises(ReleaseRefused, match="role"):
        actions.download(release=release, purpose="x", by=by, at=NOW)


def test_a_blinded_release_does_not_say_that_letters_were_left_out(cut, manager):
    asked = actions.request_release(lock=cut, variant="blinded", purpose="x", by=manager, at=NOW)
    blinded = actions.build_release(release=asked, by=manager)

    page = as_(manager).get(f"/releases/{blinded.pk}/").content.decode()

    assert "Left out, because it is blinded" in page
    assert "masked" not in page


def test_the_committee_reads_what_changed_and_the_codebook(trial, release, manager):
    week = timedelta(days=7)
    later = locking.make_cut(name="two", reason="x", data_through=TODAY + week, by=manager, at=NOW + week)
    by = staff(Role.UNBLINDED_STATISTICIAN)
    asked = actions.request_release(lock=later, variant="dmc", purpose="Closed report", by=by, at=NOW)
    made = actions.build_release(release=asked, by=by)
    client = as_(staff(Role.DMEC, name="Reader"))

    changes = client.get(f"/releases/{made.pk}/changes/{MASKED_TABLE}/").content.decode()
    codebook = client.get(f"/codebook/?table={MASKED_TABLE}").content.decode()

    assert "weeks_since_allocation" in changes
    assert "Arm A" in codebook
