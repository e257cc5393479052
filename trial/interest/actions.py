"""Entries in from the public page, out as a referral or with a reason; what a person left goes either way."""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from trial.access.models import AccessEvent, Site, User
from trial.access.policy import Role
from trial.base import keys
from trial.base.errors import TrialError
from trial.base.words import local_day, long_date
from trial.interest.models import Interest, InterestSource
from trial.locking.rules import require_unlocked
from trial.messages import actions as tasks
from trial.participants.models import Referral
from trial.protocol.versions import current
from trial.protocol.working_time import add_working_days

State = Interest.State
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that a poster makes look alike."""


class NoConsentToContact(TrialError):
    """Nobody is called who did not say that we may (BR-01)."""


class AlreadySettled(TrialError):
    """The entry became a referral, or was closed."""


@dataclass(frozen=True)
class Left:
    """What somebody left on the public page. No health, no free text."""

    name: str
    phone: str = ""
    email: str = ""
    times: tuple[str, ...] = ()


@transaction.atomic
def add_source(
    *, site: Site, name: str, source_type: str, referral_model: str, by: User, at: datetime
) -> InterestSource:
    """A new place for a poster, with a code that nobody can guess from another one."""
    code = "".join(secrets.choice(LETTERS) for _ in range(8))
    return InterestSource(
        site=site, code=code, name=name, source_type=source_type, referral_model=referral_model, made_at=at
    ).save_by(by)


@transaction.atomic
def close_source(*, source: InterestSource, by: User, at: datetime) -> InterestSource:
    """Take a page down: its address says then that nothing is there. Asked again, nothing changes."""
    source = InterestSource.objects.select_for_update().get(pk=source.pk)
    if source.closed_at is None:
        source.closed_at = at
        source.save_by(by, "Taken down")
    return source


@transaction.atomic
def receive(*, source: InterestSource, left: Left, consents: bool, at: datetime) -> Interest:
    """Keep an entry sealed, and ask a coordinator to call. Whether the person is known is not looked up.

    Raises:
        NoConsentToContact: the box was not ticked.
        DatasetLocked: a final lock is in force.
    """
    require_unlocked()
    if not consents:
        raise NoConsentToContact("Tick the box if we may contact you.")
    wrapped = keys.new_data_key()
    entry = Interest(
        source=source,
        received_at=at,
        consents_to_contact=True,
        wrapped_key=wrapped,
        sealed=keys.seal(wrapped, json.dumps(asdict(left))),
    ).save_by(None)
    spec = current().spec
    tasks.open_task(
        key=f"interest:{entry.pk}",
        kind="interest",
        role=Role.COORDINATOR,
        site=source.site,
        referral=None,
        title="Call somebody who asked for it",
        detail=f"From {source.name}, {long_date(local_day(at))}"[:200],
        link=f"/people/interest/{entry.pk}/",
        due_date=add_working_days(spec, local_day(at), spec.contact.first_contact_working_days),
        at=at,
    )
    return entry


def left_by(entry: Interest) -> Left | None:
    """What the person left; None once it is gone. Callers show it to permitted people only, and log that they did.

    Raises:
        SealBroken: the keys do not fit.
    """
    if not entry.sealed:
        return None
    found = json.loads(keys.unseal(entry.wrapped_key, entry.sealed))
    return Left(found["name"], found["phone"], found["email"], tuple(found["times"]))


def show(*, entry: Interest, by: User, at: datetime) -> Left | None:
    """What the person left, for one person to look at; each showing is logged (R-07, R-34)."""
    left = left_by(entry)
    if left is not None:
        AccessEvent(
            user=by,
            role=by.role_code,
            kind=AccessEvent.Kind.IDENTITY_VIEWED,
            record=f"Entry {entry.pk}",
            detail="To call somebody who asked for it",
            at=at,
        ).save()
    return left


@transaction.atomic
def became(*, entry: Interest, referral: Referral, by: User, at: datetime) -> Interest:
    """Note that an entry became a referral; what it held lies in the vault now, so it goes here.

    Raises:
        AlreadySettled: it became one before, or was closed.
    """
    entry = _open(entry)
    entry.state, entry.referral = State.REFERRED, referral
    return _settle(entry, by, at, "Became a referral")


@transaction.atomic
def close(*, entry: Interest, reason: str, by: User | None, at: datetime) -> Interest:
    """Close an entry with its reason; name and ways to be reached are removed at once.

    Raises:
        AlreadySettled: it became a referral, or was closed before.
    """
    entry = _open(entry)
    entry.state, entry.close_reason = State.CLOSED, reason
    return _settle(entry, by, at, "Closed")


def forget_old(*, at: datetime) -> int:
    """Close entries that nobody could reach in time, for the scheduled job; returns how many."""
    before = at - timedelta(days=settings.INTEREST_KEPT_DAYS)
    old = Interest.objects.filter(state=State.OPEN, received_at__lt=before)
    return len([close(entry=one, reason=Interest.Reason.NOT_REACHED, by=None, at=at) for one in old])


def _open(entry: Interest) -> Interest:
    entry = Interest.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    if entry.state != State.OPEN:
        raise AlreadySettled(f"This entry is settled already: {entry.get_state_display().lower()}.")
    return entry


def _settle(entry: Interest, by: User | None, at: datetime, why: str) -> Interest:
    entry.wrapped_key = entry.sealed = ""
    entry.settled_at, entry.settled_by = at, by
    entry.save_by(by, why)
    tasks.close_task(key=f"interest:{entry.pk}", by=by, at=at)
    return entry
