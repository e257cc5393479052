"""The acceptance test as a job. How far it is stands in the cache of all workers: it is no record of the trial."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django_tasks import task

from randomisation.models import DraftDocument, Revision, State
from trial.access.models import User
from trial.allocation import schemes
from trial.allocation.acceptance.case import Status
from trial.allocation.acceptance.running import run_cases
from trial.allocation.errors import AllocationRefused

WAITING, RUNNING, FAILED = "waiting", "running", "failed"
TROUBLE = "The test could not be run. Tell the administrator; nothing is lost, and it can be tried again."
GIVEN_UP_AFTER = timedelta(minutes=10)
_KEPT_S = 3600


@dataclass(frozen=True)
class Progress:
    """How far a test is. `started_at` is aware; `error` is for people."""

    state: str
    started_at: datetime
    done: int = 0
    total: int = 0
    error: str = ""

    @property
    def percent(self) -> int | None:
        """Of the cases; None before the first."""
        return self.done * 100 // self.total if self.total else None

    def is_on_its_way(self, now: datetime) -> bool:
        """Whether it waits or runs; a worker that has not answered for long has died."""
        return self.state in (WAITING, RUNNING) and now - self.started_at < GIVEN_UP_AFTER


def progress_of(revision: Revision) -> Progress | None:
    """How far the test of this draft is; None when none runs and none failed."""
    kept: Progress | None = cache.get(_key(revision))
    return kept


def ask(*, revision: Revision, by: User, at: datetime) -> None:
    """Start the test of a simulated draft as a job, unless one is on its way (TEST_SCHEME).

    Raises:
        AllocationRefused: the draft is not simulated, or was tested and signed.
    """
    _check(revision)
    found = progress_of(revision)
    if found and found.is_on_its_way(at):
        return
    _note(revision, Progress(WAITING, at))
    acceptance_test.enqueue(revision.pk, by.pk)


@task()
def acceptance_test(revision_id: int, user_id: int) -> None:
    """Run it, and keep what was found or why it failed."""
    revision, by = Revision.objects.get(pk=revision_id), User.objects.get(pk=user_id)
    began = timezone.now()

    def tell(done: int, total: int) -> None:
        _note(revision, Progress(RUNNING, began, done, total))

    try:
        perform(revision=revision, by=by, at=began, progress=tell)
    except AllocationRefused as refused:
        _note(revision, Progress(FAILED, began, error=str(refused)))
    except Exception:
        _note(revision, Progress(FAILED, began, error=TROUBLE))
        raise
    else:
        cache.delete(_key(revision))


@sensitive_variables()
def perform(*, revision: Revision, by: User, at: datetime, progress: Any = lambda done, total: None) -> DraftDocument:
    """Run every case and keep the outcome with the draft.

    Raises:
        AllocationRefused: the draft is not simulated, changed meanwhile, or the test did not come to its end.
    """
    _check(revision)
    configured_at = revision.configured_at
    document = {**run_cases(revision, progress), "began": at.isoformat()}
    revision.refresh_from_db()
    if revision.configured_at != configured_at:
        raise AllocationRefused("The design was changed while it was tested. Simulate it, then test it again.")
    counted = [one["status"] for one in document["cases"]]
    return schemes.keep_acceptance_test(
        revision=revision,
        document=document,
        n_passed=counted.count(Status.PASSED),
        n_failed=counted.count(Status.FAILED),
        by=by,
        at=at,
    )


def _check(revision: Revision) -> None:
    if revision.state != State.SIMULATED:
        raise AllocationRefused("Only a design that is simulated, and not yet tested and signed, can be tested.")


def _key(revision: Revision) -> str:
    return f"acceptance-test-{revision.pk}"


def _note(revision: Revision, progress: Progress) -> None:
    cache.set(_key(revision), progress, _KEPT_S)
