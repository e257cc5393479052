"""allocate(): the only way to open the next allocation (randomisation.md sections 5, 7 and 8)."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from django.db import IntegrityError
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from randomisation import events, high_water
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
from randomisation.recording import record_next
from randomisation.requests import UnitRequest
from randomisation.states import pause_all, pause_scheme
from randomisation.transactions import in_own_transaction
from randomisation.unsealed import unseal

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
    named = [replace(request, batch=batch).check() for request in requests]
    return _in_one(scheme, named, check, after_allocate, order=batch)


def _in_one(
    scheme: Scheme, requests: Sequence[UnitRequest], check: Check, after: After | None, *, order: str | None
) -> list[AllocationOutcome]:
    first = requests[0]
    try:
        outcomes = in_own_transaction(partial(_by_whoever_may, scheme.pk, requests, check, after, order))
    except NotAllocated as refused:
        _log_refusal(scheme, first, refused.codes)
        raise
    except (SealError, ListMismatch) as failed:
        alarm(scheme, first, failed)
        raise NotAllocated([Refusal(failed.code, failed.text)]) from None
    _advance_mark(scheme, outcomes)
    return outcomes


def _by_whoever_may(
    scheme_id: int, requests: Sequence[UnitRequest], check: Check, after: After | None, order: str | None
) -> list[AllocationOutcome]:
    """The database itself keeps those who configured the scheme or approved its lock from randomising (6.1)."""
    try:
        return _allocate_locked(scheme_id, requests, check, after, order)
    except IntegrityError as error:
        if DUTIES not in str(error):
            raise
        text = "You configured this scheme or approved its lock, so you may not randomise in it."
        raise NotAllocated([Refusal("E_SITE_CLOSED", text)]) from None


def _allocate_locked(
    scheme_id: int, requests: Sequence[UnitRequest], check: Check, after: After | None, order: str | None
) -> list[AllocationOutcome]:
    """The steps of 8.1, in their order: the scheme's row is locked first, then its list's cursor."""
    scheme = Scheme.objects.select_for_update().get(pk=scheme_id)
    done = [made for request in requests if (made := existing(scheme, request))]
    if len(done) == len(requests):
        in_order = sorted(done, key=lambda allocation: allocation.seq)
        return [AllocationOutcome(one, created=False, digest=digest_of(one)) for one in in_order]
    if done:
        raise NotAllocated([Refusal("E_DUPLICATE", "Somebody in this batch has been randomised already.")])
    outcomes: list[AllocationOutcome] = []
    refusals: list[Refusal] = []
    for request in _ordered(scheme, requests, order):
        try:
            outcomes.append(_record(scheme, request, check, after))
        except NotAllocated as refused:
            # The others are still asked, so that all reasons are told at once; the transaction is undone below.
            refusals += [reason for reason in refused.refusals if reason not in refusals]
    if refusals:
        raise NotAllocated(refusals)
    return outcomes


def _record(scheme: Scheme, request: UnitRequest, check: Check, after: After | None) -> AllocationOutcome:
    recorded = record_next(scheme, request, check=partial(check, request))
    if after:
        after(recorded.allocation)
    return AllocationOutcome(recorded.allocation, created=True, digest=recorded.digest, n=recorded.n)


def _ordered(scheme: Scheme, requests: Sequence[UnitRequest], batch: str | None) -> list[UnitRequest]:
    revision = scheme.revision_in_force if batch is not None else None
    if batch is None or revision is None:
        return list(requests)
    seed = unseal(revision).seed
    by_unit = {request.unit: request for request in requests}
    order = batch_order(
        seed, scheme=scheme.code, revision=revision.number, batch=batch, units=[r.unit for r in requests]
    )
    return [by_unit[unit] for unit in order]


def existing(scheme: Scheme, request: UnitRequest) -> Allocation | None:
    """The allocation this request made before, or that its unit has.

    Raises:
        NotAllocated: the request key belongs to another unit.
    """
    found = list(Allocation.objects.filter(Q(request_key=request.key) | Q(scheme=scheme, unit=request.unit)))
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
            high_water.advance(scheme.code, mark)


def alarm(scheme: Scheme, request: UnitRequest, failed: SealError | ListMismatch) -> None:
    """Tell the custodian that a check of the lists failed, log the refusal, and pause (6.2).

    For any allocation, online or entered late, once its transaction is rolled back.

    Raises:
        RuntimeError: called inside a transaction, with which the alarm would be lost.
    """
    logger.critical("%s in scheme %s", failed.code, scheme.code)
    _log_refusal(scheme, request, [failed.code])


def _log_refusal(scheme: Scheme, request: UnitRequest, codes: list[str]) -> None:
    """Log a refusal outside the transaction it rolled back, and pause when a check of the lists failed."""
    if codes == ["E_BUSY"]:
        return
    try:
        in_own_transaction(lambda: _write_refusal(scheme.pk, request, codes))
    except RandomisationError:
        logger.exception("A refusal could not be logged: %s", ", ".join(codes))


def _write_refusal(scheme_id: int, request: UnitRequest, codes: list[str]) -> None:
    scheme = Scheme.objects.select_for_update().get(pk=scheme_id)
    if not scheme.events.exists():
        return
    events.append(
        scheme=scheme,
        event=EventLog.Event.REFUSED,
        at=request.at,
        actor=request.by,
        facts={"codes": codes, "site": request.site},
    )
    if scheme.state == State.OPEN and {"E_LIST_MISMATCH", "E_SEAL_CONTEXT"} & set(codes):
        pause_scheme(scheme=scheme, reason=codes[0], by=request.by, at=request.at)
    if high_water.compare(scheme) is not high_water.Standing.LEVEL:
        pause_all(reason="high-water mark", by=request.by, at=request.at)
