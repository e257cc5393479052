"""Tasks opened and closed by their causes, messages written beside the fact that causes them."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from trial.access.models import Site, User
from trial.base.errors import TrialError
from trial.messages.models import OutboxMessage, Task
from trial.participants.models import Referral


@transaction.atomic(savepoint=False)
def open_task(
    *,
    key: str,
    kind: str,
    role: str,
    site: Site | None,
    referral: Referral | None,
    title: str,
    detail: str,
    link: str,
    due_date: date,
    at: datetime,
    is_urgent: bool = False,
    reveals_arm: bool = False,
    by: User | None = None,
    is_new: bool = False,
) -> Task:
    """The task of this cause: made once, however often the cause is met. One that was done stays done.

    Args:
        is_new: the cause came into being in this transaction, so that there can be no task of it.
    """
    existing = None if is_new else Task.objects.filter(key=key).first()
    return existing or Task(
        key=key,
        kind=kind,
        role=role,
        site=site,
        referral=referral,
        title=title,
        detail=detail,
        link=link,
        due_date=due_date,
        is_urgent=is_urgent,
        reveals_arm=reveals_arm,
        created_at=at,
    ).save_by(by)


@transaction.atomic
def reopen_task(*, key: str, detail: str, due_date: date, at: datetime, by: User | None = None) -> None:
    """Open a task again because its cause has grown: an alert that a later answer raised."""
    for task in Task.objects.select_for_update().filter(key=key):
        task.detail, task.due_date, task.done_at, task.done_by = detail, due_date, None, None
        task.save_by(by, "Opened again")


@transaction.atomic
def close_task(*, key: str, by: User | None, at: datetime) -> None:
    """Mark the task of this cause as done, if it is open."""
    _close(Task.objects.select_for_update().filter(key=key, done_at__isnull=True), by, at)


@transaction.atomic
def close_tasks_of(*, referral: Referral, by: User | None, at: datetime, kinds: Iterable[str] | None = None) -> None:
    """Close every open task about a referral, or those of some kinds: nobody chases somebody who left."""
    tasks = Task.objects.select_for_update().filter(referral=referral, done_at__isnull=True)
    _close(tasks if kinds is None else tasks.filter(kind__in=list(kinds)), by, at)


def _close(tasks: Iterable[Task], by: User | None, at: datetime) -> None:
    for task in tasks:
        task.done_at, task.done_by = at, by
        task.save_by(by, "Done")


@transaction.atomic
def write_message(
    *,
    key: str,
    kind: str,
    heading: str,
    body: str,
    at: datetime,
    to_user: User | None = None,
    referral: Referral | None = None,
    send_after: datetime | None = None,
    by: User | None = None,
) -> OutboxMessage:
    """Write one message to the outbox, once for each key; `tick` sends it later.

    Heading and body name no arm and no participant's name: they also lie in previews and logs (BR-26).
    """
    existing = OutboxMessage.objects.filter(key=key).first()
    return existing or OutboxMessage(
        key=key,
        kind=kind,
        heading=heading,
        body=body,
        referral=referral,
        to_user=to_user,
        address=to_user.email if to_user else "",
        written_at=at,
        send_after=send_after or at,
    ).save_by(by)


@transaction.atomic
def stop_messages(*, referral: Referral, at: datetime, by: User | None, kinds: Iterable[str] | None = None) -> None:
    """Stop what is still queued for a person, all or some kinds, in the transaction of what ends it (BR-62)."""
    queued = OutboxMessage.objects.select_for_update().filter(referral=referral, state="queued")
    for message in queued if kinds is None else queued.filter(kind__in=list(kinds)):
        message.state = OutboxMessage.State.STOPPED
        message.save_by(by, "Stopped by a participation change")


class NotFailed(TrialError):
    """Only a message that could not be sent is sent again."""

    def __init__(self) -> None:
        super().__init__("This message waits, was sent, or was stopped. Only one that failed is sent again.")


@transaction.atomic
def requeue(*, message: OutboxMessage, by: User, at: datetime) -> OutboxMessage:
    """Put a message that failed back into the queue.

    Raises:
        NotFailed: it did not fail.
    """
    message = OutboxMessage.objects.select_for_update().get(pk=message.pk)
    if message.state != OutboxMessage.State.FAILED:
        raise NotFailed
    message.state, message.send_after, message.n_attempts = OutboxMessage.State.QUEUED, at, 0
    return message.save_by(by, "Sent again")
