"""allocate(): the only way to open the next allocation (randomisation.md sections 5, 7 and 8)."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError
from django.views.decorators.debug import sensitive_variables

from randomisation import events, high_water, statements
from randomisation.engine.labels import batch_order
from randomisation.engine.source import check_label_code
from randomisation.errors import (
    ListMismatch,
    NotAllocated,
    RandomisationError,
    Refusal,
    SealError,
)
from randomisation.models import DUTIES, Allocation, EventLog, Scheme, State
from randomisation.opened import Opened, open_in_force, still_in_force
from randomisation.recording import record_next, situation_for
from randomisation.requests import UnitRequest
from randomisation.states import pause_all, pause_scheme
from randomisation.transactions import in_own_transaction

__all__ = ["AllocationOutcome", "alarm", "allocate", "allocate_batch"]

logger = logging.getLogger(__name__)

Check = Callable[[UnitRequest], list[Refusal]]
After = Callable[[Allocation], None]


@dataclass(frozen=True, slots=True)
class AllocationOutcome:
    """The allocation, whether this call made it, and the digest of its log entry. Carries no arm."""

    allocation: Allocation
    created: bool
    digest: str
    n: int = 0
    """Number of that entry, where this call wrote it."""


@sensitive_variables()
def allocate(
    *, scheme: Scheme, request: UnitRequest, check: Check, after_allocate: After | None = None
) -> AllocationOutcome:
    """Allocate one unit in a transaction of its own; called again, it returns the same allocation.

    Args:
        check: the caller's preconditions (section 7), read from the database inside the transaction.
        after_allocate: what the caller writes in the same transaction, such as outbox messages.

    Raises:
        NotAllocated: with every reason; nothing was allocated and no position is used. The refusal is logged.
        ParametersRefused: unit, request key or site cannot be recorded, or there is no member.
    """
    return _in_one(scheme, [request.check()], check, after_allocate, order=None)[0]


@sensitive_variables()
def allocate_batch(
    *, scheme: Scheme, batch: str, requests: Sequence[UnitRequest], check: Check, after_allocate: After | None = None
) -> list[AllocationOutcome]:
    """Allocate ready units together, in the order that the stream of the batch gives; all of them or none (5).

    Called again with the same units it returns the same allocations, in the same order.

    Raises:
        NotAllocated: with every reason of every unit; nobody was allocated.
        ParametersRefused: a batch code or unit cannot be recorded, or there is no unit.
    """
    check_label_code("batch", batch)
    if not requests:
        raise NotAllocated([Refusal("E_HOUSEHOLD", "A batch needs at least one person.")])
    by_unit = {request.unit: request.participant_ids for request in requests}
    everybody = [person for people in by_unit.values() for person in people]
    if len(set(everybody)) < len(everybody):
        raise NotAllocated([Refusal("E_DUPLICATE", "A person belongs to two units of this batch.")])
    named = [replace(request, batch=batch).check() for request in requests]
    return _in_one(scheme, named, check, after_allocate, order=batch)


def _in_one(
    scheme: Scheme, requests: Sequence[UnitRequest], check: Check, after: After | None, *, order: str | None
) -> list[AllocationOutcome]:
    first = requests[0]
    opened = open_in_force(scheme)
    try:
        outcomes = in_own_transaction(partial(_allocate_locked, scheme.pk, opened, requests, check, after, order))
    except NotAllocated as refused:
        _log_refusal(scheme, refused.codes, by=first.by, at=first.at, site=first.site)
        raise
    except (SealError, ListMismatch) as failed:
        alarm(scheme, failed, by=first.by, at=first.at, site=first.site)
        raise NotAllocated([Refusal(failed.code, failed.text)]) from None
    _advance_mark(scheme, outcomes)
    return outcomes


@contextmanager
def _duties_told() -> Iterator[None]:
    """The database itself keeps those who configured the scheme or approved its lock from randomising (6.1)."""
    try:
        yield
    except IntegrityError as error:
        if DUTIES not in str(error):
            raise
        text = "You configured this scheme or approved its lock, so you may not randomise in it."
        raise NotAllocated([Refusal("E_SITE_CLOSED", text)]) from None


@_duties_told()
def _allocate_locked(
    scheme_id: int,
    opened: Opened | None,
    requests: Sequence[UnitRequest],
    check: Check,
    after: After | None,
    order: str | None,
) -> list[AllocationOutcome]:
    """The steps of 8.1, in their order: the scheme's row is locked first, then its list's cursor."""
    (scheme,) = statements.rows(Scheme, "id = %s", scheme_id, lock=True)
    situations = {request.unit: situation_for(scheme, request) for request in requests}
    if any(situation.is_known for situation in situations.values()):
        return _made_before(scheme, requests)
    opened = still_in_force(scheme, opened, situations[requests[0].unit])
    outcomes: list[AllocationOutcome] = []
    refusals: list[Refusal] = []
    for request in _ordered(opened, requests, order):
        try:
            recorded = record_next(
                scheme, request, situation=situations[request.unit], opened=opened, check=partial(check, request)
            )
            if after:
                after(recorded.allocation)
            outcomes.append(AllocationOutcome(recorded.allocation, True, recorded.digest, recorded.n))
        except NotAllocated as refused:
            # The others are still asked, so that all reasons are told at once; the transaction is undone below.
            refusals += [reason for reason in refused.refusals if reason not in refusals]
    if refusals:
        raise NotAllocated(refusals)
    return outcomes


def _made_before(scheme: Scheme, requests: Sequence[UnitRequest]) -> list[AllocationOutcome]:
    """The allocations of a request that comes again.

    Raises:
        NotAllocated: a request key belongs to another unit, or only some of a batch are allocated.
    """
    done = [made for request in requests if (made := existing(scheme, request))]
    if len(done) < len(requests):
        raise NotAllocated([Refusal("E_DUPLICATE", "Somebody in this batch has been randomised already.")])
    in_order = sorted(done, key=lambda allocation: allocation.seq)
    return [AllocationOutcome(one, created=False, digest=digest_of(one)) for one in in_order]


def _ordered(opened: Opened | None, requests: Sequence[UnitRequest], batch: str | None) -> list[UnitRequest]:
    if batch is None or opened is None:
        return list(requests)
    unsealed = opened.unsealed()
    by_unit = {request.unit: request for request in requests}
    locked = unsealed.locked
    order = batch_order(
        unsealed.seed, scheme=locked.scheme, revision=locked.revision, batch=batch, units=[r.unit for r in requests]
    )
    return [by_unit[unit] for unit in order]


def existing(scheme: Scheme, request: UnitRequest) -> Allocation | None:
    """The allocation this request made before, or that its unit has.

    Raises:
        NotAllocated: the request key belongs to another unit.
    """
    is_its_own = "request_key = %s OR (scheme_id = %s AND unit = %s)"
    found = statements.rows(Allocation, is_its_own, request.key, scheme.pk, request.unit)
    own = [a for a in found if a.scheme_id == scheme.pk and a.unit == request.unit]
    if len(own) < len(found):
        raise NotAllocated([Refusal("E_REQUEST_KEY", "This page was opened for somebody else. Open it again.")])
    return own[0] if own else None


def digest_of(allocation: Allocation) -> str:
    """The digest of the log entry that tells of an allocation."""
    entry = EventLog.objects.filter(
        scheme_id=allocation.scheme_id, seq=allocation.seq, event__in=("allocate", "backup", "recovered")
    )
    return entry.get().digest


def _advance_mark(scheme: Scheme, outcomes: Sequence[AllocationOutcome]) -> None:
    """Raise the mark before anybody is shown the result, also where no callback runs at the commit."""
    for outcome in outcomes:
        if outcome.created:
            mark = high_water.Mark(outcome.n, outcome.allocation.seq, outcome.digest)
            high_water.advance(scheme, mark)


def alarm(
    scheme: Scheme, failed: SealError | ListMismatch, *, by: AbstractBaseUser, at: datetime, site: str = ""
) -> None:
    """Tell the custodian that a check of the lists failed, log the refusal, and pause (6.2).

    For any allocation, online or entered late, and for envelopes, once the transaction is rolled back.

    Raises:
        RuntimeError: called inside a transaction, with which the alarm would be lost.
    """
    logger.critical("%s in scheme %s", failed.code, scheme.code)
    _log_refusal(scheme, [failed.code], by=by, at=at, site=site)


def _log_refusal(scheme: Scheme, codes: list[str], *, by: AbstractBaseUser, at: datetime, site: str) -> None:
    """Log a refusal outside the transaction it rolled back, and pause when a check of the lists failed."""
    if codes == ["E_BUSY"]:
        return
    try:
        in_own_transaction(partial(_write_refusal, scheme.pk, codes, by, at, site))
    except RandomisationError:
        logger.exception("A refusal could not be logged: %s", ", ".join(codes))


def _write_refusal(scheme_id: int, codes: list[str], by: AbstractBaseUser, at: datetime, site: str) -> None:
    scheme = Scheme.objects.select_for_update().get(pk=scheme_id)
    if not scheme.events.exists():
        return
    events.append(
        scheme=scheme,
        event=EventLog.Event.REFUSED,
        at=at,
        actor=by,
        facts={"codes": codes, "site": site},
    )
    if scheme.state == State.OPEN and {"E_LIST_MISMATCH", "E_SEAL_CONTEXT"} & set(codes):
        pause_scheme(scheme=scheme, reason=codes[0], by=by, at=at)
    if high_water.compare(scheme) is not high_water.Standing.LEVEL:
        pause_all(reason="high-water mark", by=by, at=at)
