"""The hash-linked event log: one chain per scheme, from its first commitment (randomisation.md 8.6)."""

import hashlib
from datetime import UTC, datetime
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from randomisation import high_water, statements
from randomisation.engine.canonical import canonical_json
from randomisation.errors import LifeCycleRefused
from randomisation.models import EventLog, Scheme
from randomisation.sealing import token_digest

Approvers = tuple[AbstractBaseUser, ...]
"""One or two people who approved, each another than the rest."""


def check_approvers(approvers: Approvers, *, n_needed: int = 2) -> None:
    """Refuse fewer people than needed, or one person twice.

    Raises:
        LifeCycleRefused: says how many different people are needed.
    """
    if len({person.pk for person in approvers}) < n_needed or len(approvers) != n_needed:
        raise LifeCycleRefused("Two different people must approve this." if n_needed == 2 else "Somebody must approve.")


def append(
    *,
    scheme: Scheme,
    event: EventLog.Event,
    at: datetime,
    actor: AbstractBaseUser,
    facts: dict[str, object],
    seq: int | None = None,
    token: str = "",
    approvers: Approvers | None = None,
    last: EventLog | None = None,
) -> EventLog:
    """Add the next entry, and raise the mark outside the database once it is committed (9.15).

    The caller holds the lock on the scheme's row, and has counted the allocation that the entry tells of.

    Args:
        facts: what happened, without arm, participant or restricted parameter.
        token: the sealed token the event is about; its SHA-256 enters the entry.
        last: the newest entry, where it has been read already.
    """
    last = last or newest(scheme)
    n = last.n + 1 if last else 1
    if approvers:
        facts = {**facts, "approvers": [str(person.pk) for person in approvers]}
    entry = canonical_json(
        {
            "n": n,
            "time": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "event": event.value,
            "seq": seq,
            "actor": str(actor.pk),
            "facts": facts,
            "token_sha256": token_digest(token) if token else None,
        }
    )
    digest = link(last.digest if last else chain_start(scheme), entry)
    mark = high_water.Mark(n, scheme.next_seq - 1, digest)
    transaction.on_commit(partial(high_water.advance, scheme, mark), robust=True)
    first, second = (*(person.pk for person in approvers or ()), None, None)[:2]
    return statements.insert(
        EventLog(
            scheme=scheme,
            n=n,
            at=at,
            event=event,
            seq=seq,
            actor_id=actor.pk,
            first_approver_id=first,
            second_approver_id=second,
            entry=entry.decode("ascii"),
            digest=digest,
        )
    )


def newest(scheme: Scheme) -> EventLog | None:
    """The newest entry."""
    return statements.first(EventLog, "scheme_id = %s ORDER BY n DESC LIMIT 1", scheme.pk)


def chain_start(scheme: Scheme) -> str:
    """`digest[0]`: the commitment of revision 1, in hexadecimal."""
    return scheme.revisions.get(number=1).commitment


def link(digest_before: str, entry: bytes) -> str:
    """SHA-256 of the digest before, as 32 bytes, and the entry's bytes; in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(digest_before) + entry).hexdigest()
