"""Sending what waits in the outbox: each message once, whatever fails on the way."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import transaction

from trial.base.keys import SealBroken
from trial.messages.models import OutboxMessage
from trial.participants import identity

MAX_ATTEMPTS = 5
may_still_go: list[Callable[[OutboxMessage], bool]] = []
"""Questions that higher features ask before a message leaves; set in trial.wiring."""
body_of: dict[str, Callable[[OutboxMessage, datetime], str]] = {}
"""What fills in the body of a kind of message as it leaves: a link that is stored nowhere. Set in trial.wiring."""


def send_due(*, at: datetime) -> tuple[int, int]:
    """Send the messages whose time has come; returns how many were sent and how many were not."""
    waiting = OutboxMessage.objects.filter(state="queued", send_after__lte=at).values_list("pk", flat=True)
    results = [_send_one(pk, at) for pk in list(waiting)]
    return results.count(True), results.count(False)


@transaction.atomic
def _send_one(pk: int, at: datetime) -> bool:
    message = OutboxMessage.objects.select_for_update(of=("self",)).select_related("referral__person").get(pk=pk)
    if message.state != OutboxMessage.State.QUEUED:
        return False
    if not all(allowed(message) for allowed in may_still_go):
        message.state = OutboxMessage.State.STOPPED
        message.save_by(None, "No longer wanted")
        return False
    message.n_attempts += 1
    try:
        with transaction.atomic():
            EmailMessage(message.heading, _body(message, at), to=[_address(message)]).send()
    except (OSError, ValueError, SealBroken) as error:
        _failed(message, error, at)
        return False
    message.state, message.sent_at = OutboxMessage.State.SENT, at
    message.save_by(None, "Sent")
    return True


def _body(message: OutboxMessage, at: datetime) -> str:
    fill_in = body_of.get(message.kind)
    return fill_in(message, at) if fill_in else message.body


def _address(message: OutboxMessage) -> str:
    """Staff have their address in the message; a participant's is read from the vault at this moment.

    Raises:
        ValueError: nobody to send it to.
    """
    referral = message.referral
    address = message.address or (identity.read(referral.person).email if referral else "")
    if not address:
        raise ValueError("no address")
    return address


def _failed(message: OutboxMessage, error: Exception, at: datetime) -> None:
    message.last_error = type(error).__name__
    message.send_after = at + timedelta(minutes=5 * 2**message.n_attempts)
    if message.n_attempts >= MAX_ATTEMPTS:
        message.state = OutboxMessage.State.FAILED
    message.save_by(None, "Not sent")
