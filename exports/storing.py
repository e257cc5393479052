"""The data of a cut or lock, read once and kept."""

from pathlib import Path

from django.conf import settings
from django.utils import timezone

from exports import software
from exports.archive import sha256_of
from exports.canonical import masked_key_of, opened
from exports.errors import FileDamaged
from exports.freezing import Moment, freeze
from exports.jobs import failing_into, started
from exports.models import CanonicalFile, JobState
from exports.release import Source
from exports.variants import VARIANTS
from trial.access.models import Signature, User
from trial.allocation.reads import arms_for_release, letters_for_release
from trial.base import audit
from trial.locking.models import DatasetLock


def wants_file(lock: DatasetLock, by: User) -> CanonicalFile:
    """Note that the data of a cut or lock are to be stored. Asked again, a file that failed waits once more."""
    row, _ = _file_row(lock, by)
    if row.state == JobState.FAILED:
        row.state, row.error = JobState.WAITING, ""
        row.save_by(by, "Tried again")
    return row


def _file_row(lock: DatasetLock, by: User) -> tuple[CanonicalFile, bool]:
    existing = CanonicalFile.objects.filter(lock=lock).first()
    if existing is not None:
        return existing, False
    return CanonicalFile(lock=lock, previous=_file_before(lock)).save_by(by), True


def _file_before(lock: DatasetLock) -> CanonicalFile | None:
    """The file to compare with: the last of the same kind, else the last of any."""
    earlier = CanonicalFile.objects.filter(state=JobState.DONE, lock__lt=lock.pk).order_by("-lock_id")
    return earlier.filter(lock__kind=lock.kind).first() or earlier.first()


def store_file(*, row: CanonicalFile, by: User) -> CanonicalFile:
    """Read the data of a cut or lock once and keep them; stored already, nothing happens."""
    row = started(row, by)
    if row.state == JobState.DONE:
        return row
    with failing_into(row, by):
        stored = freeze(
            _moment(row.lock),
            read_arms=lambda: arms_for_release(by=by, at=timezone.now(), reason=f"Data of {row.lock.code}"),
            read_letters=letters_for_release,
            previous=row.previous.path if row.previous else None,
        )
        row.sha256, row.wrapped_key = stored.sha256, stored.wrapped_key
        row.stored_as = str(stored.path.relative_to(settings.RELEASE_DIR))
        row.n_bytes, row.counts = stored.path.stat().st_size, _counts(stored.path)
        row.state, row.written_at = JobState.DONE, timezone.now()
        row.save_by(by, "Stored")
    return row


def _moment(lock: DatasetLock) -> Moment:
    signed = Signature.objects.filter(record=f"{lock._meta.db_table}:{lock.pk}").order_by("signed_at", "pk")
    people = [f"{one.role} user {one.signer_id}" for one in signed]
    first = lock.history.order_by("history_id").first()
    asked = f"{first.history_role if first else 'system'} user {lock.asked_by_id}"
    return Moment(
        lock_id=lock.code,
        kind=lock.kind,
        at=lock.locked_at or lock.asked_at,
        through=lock.data_through,
        audit_head=audit.head(),
        locked_by=asked,
        authorised_by=tuple(people[1:]),
        schema_version=software.schema_version(),
    )


def _counts(path: Path) -> dict[str, int]:
    with opened(path) as canonical:
        table = canonical.model.table("participants")
        randomised = table.blinded().position("randomised")  # type: ignore[union-attr]  # it always has open columns
        flags = [row[randomised] for row in canonical.open_rows("participants")]
    return {"consented": len(flags), "randomised": sum(flag == 1 for flag in flags)}


def source_of(row: CanonicalFile, variant: str) -> Source:
    """The stored file, with the key that this variant may have and no other.

    Raises:
        FileDamaged: it is gone or its bytes are not those that were stored.
    """
    if not row.path.is_file() or sha256_of(row.path) != row.sha256:
        raise FileDamaged(str(row.lock))
    chosen = VARIANTS[variant]
    if chosen.masked:
        return Source(row.path, masked_key=masked_key_of(row.path, row.wrapped_key))
    return Source(row.path, row.wrapped_key if chosen.reveals_allocation else "")
