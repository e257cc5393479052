"""Cuts become files, files become releases, releases are fetched; arms leave after two people agreed."""

import pytest
from django.db import IntegrityError, transaction

from exports import actions, storing, tasks, unblinding
from exports.errors import FileDamaged, ReleaseRefused
from exports.models import CanonicalFile, Download, JobState, Release, Unblinding
from tests.factories import NOW, TODAY, Trial, proof, staff
from trial.access.models import AccessEvent, User
from trial.access.policy import Role
from trial.locking import actions as locking
from trial.locking.models import DatasetLock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "reading")]


@pytest.fixture
def trial() -> Trial:
    return Trial().open_randomisation()


@pytest.fixture
def manager(trial) -> User:
    return staff(Role.DATA_MANAGER, name="Tom Ellery")


@pytest.fixture
def statistician(trial) -> User:
    return staff(Role.TRIAL_STATISTICIAN, name="Dr Owen Pryce")


@pytest.fixture
def unblinded(trial) -> User:
    return staff(Role.UNBLINDED_STATISTICIAN)


def cut(manager: User) -> DatasetLock:
    return locking.make_cut(name="DMC", reason="Meeting", data_through=TODAY, by=manager, at=NOW)


def lock(manager: User) -> DatasetLock:
    chief = staff(Role.CHIEF_INVESTIGATOR, name="Dr Ruth Sayer")
    asked = locking.ask_lock(reason="Analysis", data_through=TODAY, proof=proof(manager), by=manager, at=NOW)
    return locking.agree_lock(lock=asked, proof=proof(chief), by=chief, at=NOW)


def requested(of: DatasetLock, by: User, variant: str = "blinded") -> Release:
    return actions.request_release(lock=of, variant=variant, purpose="Main analysis", by=by, at=NOW)


def built(of: DatasetLock, by: User, variant: str = "blinded") -> Release:
    return actions.build_release(release=requested(of, by, variant), by=by)


def agree_to_unblind(of: DatasetLock) -> Unblinding:
    chief, office = staff(Role.CHIEF_INVESTIGATOR), staff(Role.TRIAL_MANAGER)
    row = unblinding.ask_unblinding(lock=of, plan="SAP 1.0", reason="Analysis", proof=proof(chief), by=chief, at=NOW)
    return unblinding.agree_unblinding(unblinding=row, proof=proof(office), by=office, at=NOW)


def test_a_cut_is_stored_at_once(trial, manager):
    trial.randomised()

    made = cut(manager)

    row = CanonicalFile.objects.get(lock=made)
    assert (row.state, row.counts) == (JobState.DONE, {"consented": 1, "randomised": 1})
    assert row.path.is_file()


def test_the_stored_data_of_a_lock_never_change(manager):
    row = CanonicalFile.objects.get(lock=cut(manager))
    row.sha256 = "0" * 64

    with pytest.raises(IntegrityError, match="stored once"), transaction.atomic():
        row.save_by(manager, "no")


def test_a_release_is_built_tested_and_kept(manager, release_dir):
    release = built(cut(manager), manager)

    assert (release.state, release.rebuilt_equal) == (JobState.DONE, True)
    assert release.path == release_dir / "releases" / f"{release.sha256}.zip"
    assert all(outcome["passed"] for outcome in release.acceptance)
    assert release.formats == ["CSV", "Codebook", "Derivations"]


def test_asked_for_twice_it_is_the_same_release(manager):
    made = cut(manager)

    assert requested(made, manager) == requested(made, manager)


def test_a_release_that_was_built_never_changes(manager):
    release = built(cut(manager), manager)
    release.sha256 = "0" * 64

    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        release.save_by(manager, "no")


def test_built_again_it_says_whether_it_is_equal(manager):
    release = built(cut(manager), manager)

    again = actions.rebuild_release(release=release, by=manager)

    assert again.rebuilt_equal is True


def test_a_later_cut_is_compared_with_the_earlier_one(trial, manager):
    cut(manager)
    trial.consented()

    release = built(cut(manager), manager)

    people = next(change for change in release.changes if change["table"] == "participants")
    assert (people["rows"], people["added"]) == (1, 1)


def test_a_damaged_file_is_noticed(manager):
    made = cut(manager)
    row = CanonicalFile.objects.get(lock=made)
    row.path.chmod(0o600)
    row.path.write_bytes(b"other bytes")

    failed = tasks.build_release.enqueue(requested(made, manager).pk, manager.pk)

    release = Release.objects.get()
    assert (release.state, failed.is_finished) == (JobState.FAILED, True)
    assert "missing or was altered" in release.error


def test_a_file_that_failed_is_tried_again(manager, settings, tmp_path):
    settings.RELEASE_DIR = tmp_path / "a-file"
    settings.RELEASE_DIR.write_text("not a folder")
    made = cut(manager)
    failed = CanonicalFile.objects.get(lock=made).state
    settings.RELEASE_DIR.unlink()

    tasks.keep_data(made, manager)

    assert failed == JobState.FAILED
    assert CanonicalFile.objects.get(lock=made).state == JobState.DONE


def test_stored_already_nothing_happens(manager):
    row = CanonicalFile.objects.get(lock=cut(manager))

    again = storing.store_file(row=row, by=manager)

    assert (again.sha256, again.written_at) == (row.sha256, row.written_at)


def test_a_download_is_logged_with_its_hash(manager, statistician):
    release = built(cut(manager), manager)

    path = actions.download(release=release, purpose="Tables", by=statistician, at=NOW)

    logged = Download.objects.get()
    event = AccessEvent.objects.get(kind=AccessEvent.Kind.DOWNLOADED)
    assert path == release.path
    assert (logged.sha256, logged.purpose, logged.role) == (release.sha256, "Tables", "trial_statistician")
    assert release.sha256 in event.detail


def test_an_altered_release_is_not_given_out(manager, statistician):
    release = built(cut(manager), manager)
    release.path.chmod(0o600)
    release.path.write_bytes(b"other bytes")

    with pytest.raises(FileDamaged):
        actions.download(release=release, purpose="Tables", by=statistician, at=NOW)

    assert not Download.objects.exists()


@pytest.mark.parametrize(("purpose", "words"), [(" ", "Say what")])
def test_a_download_needs_a_purpose(manager, statistician, purpose, words):
    release = built(cut(manager), manager)

    with pytest.raises(ReleaseRefused, match=words):
        actions.download(release=release, purpose=purpose, by=statistician, at=NOW)


def test_a_data_manager_builds_and_does_not_download(manager):
    release = built(cut(manager), manager)

    with pytest.raises(ReleaseRefused, match="role"):
        actions.download(release=release, purpose="Tables", by=manager, at=NOW)


def test_arms_do_not_leave_with_a_cut(manager, unblinded):
    with pytest.raises(ReleaseRefused, match="final lock"):
        requested(cut(manager), unblinded, "unblinded")


def test_arms_do_not_leave_before_the_unblinding(manager, unblinded):
    with pytest.raises(ReleaseRefused, match="2 people"):
        requested(lock(manager), unblinded, "unblinded")


def test_a_blinded_person_never_makes_an_unblinded_release(manager):
    made = lock(manager)
    agree_to_unblind(made)

    with pytest.raises(ReleaseRefused, match="role"):
        requested(made, manager, "unblinded")


def test_the_database_refuses_an_unblinded_release_too_early(manager):
    made = lock(manager)

    with pytest.raises(IntegrityError, match="recorded unblinding"), transaction.atomic():
        Release(
            lock=made, variant="allocation", build_key="x", purpose="x", requested_by=manager, requested_at=NOW
        ).save_by(manager)


@pytest.mark.parametrize("variant", ["unblinded", "allocation"])
def test_after_the_unblinding_arms_leave_with_a_lock(manager, unblinded, variant):
    made = lock(manager)
    agree_to_unblind(made)

    release = built(made, unblinded, variant)

    assert release.state == JobState.DONE


def test_an_unblinding_takes_two_people(manager):
    made = lock(manager)
    chief = staff(Role.CHIEF_INVESTIGATOR)
    row = unblinding.ask_unblinding(lock=made, plan="SAP 1.0", reason="x", proof=proof(chief), by=chief, at=NOW)

    with pytest.raises(ReleaseRefused, match="somebody else"):
        unblinding.agree_unblinding(unblinding=row, proof=proof(chief), by=chief, at=NOW)

    assert not unblinding.is_unblinded()


def test_the_database_refuses_one_person_for_the_unblinding(manager):
    with pytest.raises(IntegrityError, match="unblinding_takes_two_people"), transaction.atomic():
        Unblinding(
            lock=lock(manager), plan="SAP", reason="x", asked_by=manager, asked_at=NOW, agreed_by=manager, agreed_at=NOW
        ).save_by(manager)


def test_an_unblinding_needs_a_final_lock(manager):
    chief = staff(Role.CHIEF_INVESTIGATOR)

    with pytest.raises(ReleaseRefused, match="final lock"):
        unblinding.ask_unblinding(lock=cut(manager), plan="SAP", reason="x", proof=proof(chief), by=chief, at=NOW)


def test_an_unblinding_is_recorded_once(manager):
    row = agree_to_unblind(lock(manager))
    row.plan = "Another plan"

    with pytest.raises(IntegrityError, match="recorded once"), transaction.atomic():
        row.save_by(manager, "no")


def test_a_release_outlives_the_unlock(manager, statistician):
    made = lock(manager)
    release = built(made, manager)
    chief = staff(Role.CHIEF_INVESTIGATOR)
    waiting = locking.ask_unlock(lock=made, reason="Paper found", proof=proof(manager), by=manager, at=NOW)
    locking.agree_unlock(lock=waiting, proof=proof(chief), by=chief, at=NOW)

    assert actions.download(release=release, purpose="Tables", by=statistician, at=NOW).is_file()
    assert actions.rebuild_release(release=release, by=manager).rebuilt_equal is True
