"""Long jobs. Each is safe to run twice; its progress stands on its row, so a page may be closed meanwhile."""

from django_tasks import task

from exports import actions, storing
from exports.models import CanonicalFile, Release
from trial.access.models import User
from trial.locking.models import DatasetLock


@task()
def store_file(row_id: int, user_id: int) -> None:
    """Store the data of a cut or lock."""
    storing.store_file(row=CanonicalFile.objects.get(pk=row_id), by=User.objects.get(pk=user_id))


@task()
def build_release(release_id: int, user_id: int) -> None:
    """Build a release."""
    actions.build_release(release=Release.objects.get(pk=release_id), by=User.objects.get(pk=user_id))


@task()
def rebuild_release(release_id: int, user_id: int) -> None:
    """Build a release again and compare."""
    actions.rebuild_release(release=Release.objects.get(pk=release_id), by=User.objects.get(pk=user_id))


def keep_data(lock: DatasetLock, by: User) -> None:
    """Store the data of a cut or lock, as a job; called once the lock is committed."""
    row = storing.wants_file(lock, by)
    store_file.enqueue(row.pk, by.pk)
