"""Long jobs on rows of our own: waiting, running, done or failed, so that a page may be closed meanwhile."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import transaction

from exports.models import CanonicalFile, JobState, Release
from trial.access.models import User
from trial.base.errors import TrialError

TROUBLE = "The file could not be written. Tell the administrator; nothing is lost, and it can be tried again."

Job = TypeVar("Job", CanonicalFile, Release)


def started(row: Job, by: User) -> Job:
    """Mark a waiting job as running, unless it is done."""
    with transaction.atomic():
        row = type(row).objects.select_for_update(of=("self",)).get(pk=row.pk)
        if row.state != JobState.DONE:
            row.state, row.error = JobState.RUNNING, ""
            row.save_by(by, "Started")
    return row


@contextmanager
def failing_into(row: CanonicalFile | Release, by: User) -> Iterator[None]:
    """Note on the row why a job failed; what a person can read is shown, anything else goes to the log."""
    try:
        yield
    except Exception as error:
        row.refresh_from_db()
        row.state, row.error = JobState.FAILED, str(error) if isinstance(error, TrialError) else TROUBLE
        row.save_by(by, "Failed")
        if not isinstance(error, TrialError):
            raise


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder on the disk of the releases, so that a finished file moves there whole."""
    root = Path(settings.RELEASE_DIR)
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=root) as name:
        yield Path(name)
