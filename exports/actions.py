"""Releases asked for, built, built again and fetched."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from exports import software
from exports.acceptance import Outcome, accept
from exports.archive import keep, sha256_of
from exports.errors import FileDamaged, ReleaseRefused
from exports.jobs import failing_into, started, work_folder
from exports.models import REVEALING, CanonicalFile, Download, JobState, Release, variants_for
from exports.release import OPTIONS, Built, build, open_source
from exports.storing import source_of
from exports.unblinding import is_unblinded
from exports.variants import dataset_of
from exports.writers import WRITERS
from trial.access.models import AccessEvent, User
from trial.access.policy import Action
from trial.base.models import role_of
from trial.locking.models import DatasetLock
from trial.rights.requests import restricted_since

RELEASE_FOLDER = "releases"


def request_release(*, lock: DatasetLock, variant: str, purpose: str, by: User, at: datetime) -> Release:
    """Ask for one variant of a cut or lock. The same one by the same code is the one that is there already.

    Raises:
        ReleaseRefused: not this person's to ask for, no purpose, the data are not stored, or arms may not leave yet.
    """
    if not by.access.may(Action.BUILD_RELEASE) or variant not in variants_for(by):
        raise ReleaseRefused("Your role does not let you make a release.")
    if not purpose.strip():
        raise ReleaseRefused("Say what the release is for.")
    if variant in REVEALING:
        _check_unblinded(lock)
    if not CanonicalFile.objects.filter(lock=lock, state=JobState.DONE).exists():
        raise ReleaseRefused(f"The data of {lock} are not stored yet. Try again in a minute.")
    code = software.current().key
    build_key = _build_key(lock, variant, code)
    if restricted_since(lock.asked_at) and not Release.objects.filter(build_key=build_key).exists():
        raise ReleaseRefused(
            f"Somebody's data may not be processed since {lock} was read. Make a new cut, which leaves them out, or"
            " decide the request first."
        )
    made = Release(
        lock=lock,
        variant=variant,
        options=dict(OPTIONS),
        software=code,
        build_key=build_key,
        purpose=purpose.strip(),
        requested_by=by,
        requested_at=at,
    )
    try:
        with transaction.atomic():
            return Release.objects.filter(build_key=build_key).first() or made.save_by(by)
    except IntegrityError:
        return Release.objects.get(build_key=build_key)


def _check_unblinded(lock: DatasetLock) -> None:
    if lock.kind != DatasetLock.Kind.FINAL:
        raise ReleaseRefused("Arms leave only with a final lock.")
    if not is_unblinded():
        raise ReleaseRefused("Arms leave only after 2 people have recorded the unblinding.")


def _build_key(lock: DatasetLock, variant: str, code: str) -> str:
    text = json.dumps([lock.code, variant, dict(OPTIONS), code, list(WRITERS)], sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def build_release(*, release: Release, by: User) -> Release:
    """Build the zip twice, test it and keep it; built already, nothing happens."""
    release = started(release, by)
    if release.state == JobState.DONE:
        return release
    with failing_into(release, by), work_folder() as work:
        built, again = _build(release, work / "first"), _build(release, work / "second")
        outcomes = _tested(release, built, again)
        path, sha256 = keep(built.path, Path(settings.RELEASE_DIR) / RELEASE_FOLDER, ".zip")
        release.sha256, release.stored_as = sha256, str(path.relative_to(settings.RELEASE_DIR))
        release.file_name, release.n_bytes, release.n_files = built.name, built.n_bytes, built.n_files
        release.content_sha256 = built.content_sha256
        release.counts = {**built.counts, "formats": [writer.label for writer in WRITERS.values()]}
        release.changes = [asdict(change) for change in built.changes] if built.changes is not None else None
        release.acceptance = [asdict(outcome) for outcome in outcomes]
        release.state = JobState.DONE
        release.built_at = release.rebuilt_at = timezone.now()
        release.rebuilt_equal = built.sha256 == again.sha256
        release.save_by(by, "Built")
    return release


def _tested(release: Release, built: Built, again: Built) -> list[Outcome]:
    """What the zip was tested for.

    Raises:
        ReleaseRefused: a test failed, or a second build gave other bytes.
    """
    source = source_of(CanonicalFile.objects.get(lock=release.lock), release.variant)
    with open_source(source, release.variant) as canonical:
        outcomes = accept(dataset_of(canonical, release.variant, OPTIONS), built.path)
    failed = [outcome.text for outcome in outcomes if not outcome.passed]
    if built.sha256 != again.sha256:
        failed.append("built a second time its bytes differ")
    if failed:
        raise ReleaseRefused(f"The release was not offered, because a test failed: {'; '.join(failed)}.")
    return outcomes


def rebuild_release(*, release: Release, by: User) -> Release:
    """Build the zip again and note whether its bytes are the stored ones (BR-66)."""
    with work_folder() as work:
        again = _build(release, work / "again")
    release.refresh_from_db()
    release.rebuilt_at, release.rebuilt_equal = timezone.now(), again.sha256 == release.sha256
    return release.save_by(by, "Built again")


def _build(release: Release, folder: Path) -> Built:
    folder.mkdir()
    row = CanonicalFile.objects.get(lock=release.lock)
    previous = source_of(row.previous, release.variant) if row.previous else None
    return build(source_of(row, release.variant), release.variant, folder, previous=previous)


def download(*, release: Release, purpose: str, by: User, at: datetime) -> Path:
    """Give out a release and log it with its hash (R-07).

    Raises:
        ReleaseRefused: not this person's to fetch, no purpose, or it is not built.
        FileDamaged: the stored file is gone or was altered.
    """
    if not by.access.may(release.needs):
        raise ReleaseRefused("Your role does not let you download this release.")
    if not purpose.strip():
        raise ReleaseRefused("Say what you will use it for.")
    if release.state != JobState.DONE:
        raise ReleaseRefused("This release is not built yet.")
    if not release.path.is_file() or sha256_of(release.path) != release.sha256:
        raise FileDamaged(release.file_name)
    with transaction.atomic():
        role = role_of(by)
        Download(release=release, by=by, role=role, at=at, sha256=release.sha256, purpose=purpose.strip()).save()
        AccessEvent(
            user=by,
            role=role,
            kind=AccessEvent.Kind.DOWNLOADED,
            record=release.file_name,
            detail=f"SHA-256 {release.sha256}",
            at=at,
        ).save()
    return release.path
