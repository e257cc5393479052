"""allocate(): the only way to open the next allocation (randomisation.md sections 7 and 8)."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from randomisation import events
from randomisation.engine.source import VERSION, check_label_code
from randomisation.errors import (
    ListMismatch,
    NotAllocated,
    ParametersRefused,
    RandomisationError,
    Refusal,
    SealError,
)
from randomisation.models import (
    Allocation,
    AllocationMember,
    EventLog,
    Revision,
    Scheme,
    SealedRow,
    State,
    StratumCursor,
)
from randomisation.preconditions import cursor_of, refusals_of
from randomisation.services import pause_scheme
from randomisation.transactions import in_own_transaction
from randomisation.unsealed import Unsealed, unseal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AllocationOutcome:
    """The allocation, whether this call made it, and the digest of its log entry. Carries no arm."""

    allocation: Allocation
    created: bool
    digest: str


@dataclass(frozen=True, slots=True)
class _Request:
    scheme_id: int
    unit: str
    participant_ids: tuple[int, ...]
    levels: dict[str, str]
    key: str
    by: AbstractBaseUser
    site: str
    at: datetime
    software_version: str


@sensitive_variables()
def allocate(
    *,
    scheme: Scheme,
    unit: str,
    participant_ids: Sequence[int],
    levels: Mapping[str, str],
    request_key: str,
    by: AbstractBaseUser,
    site: str,
    at: datetime,
    software_version: str,
    check: Callable[[], list[Refusal]],
    after_allocate: Callable[[Allocation], None] | None = None,
) -> AllocationOutcome:
    """Allocate one unit in a transaction of its own; called again, it returns the same allocation.

    Args:
        unit: code of what is allocated, such as the study ID; 1 to 64 printable ASCII characters.
        participant_ids: primary keys of the unit's members.
        levels: the level of every factor, as confirmed by the person who randomises.
        request_key: made when the confirmation page was rendered; one for each unit.
        site: code of the recruiting site.
        at: the server's time.
        software_version: of the calling product, kept with the allocation.
        check: the caller's preconditions (section 7), read from the database inside the transaction.
        after_allocate: what the caller writes in the same transaction, such as outbox messages.

    Raises:
        NotAllocated: with every reason; nothing was allocated and no position is used. The refusal is logged.
        ParametersRefused: unit, request key or site cannot be recorded, or there is no member.
    """
    for field, code in (("unit", unit), ("request_key", request_key), ("site", site)):
        check_label_code(field, code)
    if not participant_ids:
        raise ParametersRefused("participant_ids", "must name at least one person")
    request = _Request(
        scheme.pk, unit, tuple(participant_ids), dict(levels), request_key, by, site, at, software_version
    )
    try:
        return in_own_transaction(lambda: _allocate_locked(request, check, after_allocate))
    except NotAllocated as refused:
        _log_refusal(request, refused.codes)
        raise
    except (SealError, ListMismatch) as failed:
        logger.critical("%s in scheme %s", failed.code, scheme.code)
        _log_refusal(request, [failed.code])
        raise NotAllocated([Refusal(failed.code, failed.text)]) from None


def _allocate_locked(
    request: _Request,
    check: Callable[[], list[Refusal]],
    after_allocate: Callable[[Allocation], None] | None,
) -> AllocationOutcome:
    """The steps of 8.1, in their order: the scheme's row is locked first, then its list's cursor."""
    scheme = Scheme.objects.select_for_update().get(pk=request.scheme_id)
    if existing := _existing(scheme, request):
        return AllocationOutcome(existing, created=False, digest=_digest(existing))
    revision = scheme.revision_in_force
    cursor = cursor_of(revision, request.levels, lock=True) if revision else None
    refusals = [*refusals_of(scheme, revision, cursor, request.participant_ids, request.at), *check()]
    if refusals or revision is None or cursor is None:
        raise NotAllocated(refusals)
    unsealed = unseal(revision)
    arm = _next_arm(unsealed, cursor)
    allocation = _insert(request, scheme, revision, cursor, unsealed, arm)
    digest = _advance(scheme, cursor, allocation, request.by)
    if after_allocate:
        after_allocate(allocation)
    return AllocationOutcome(allocation, created=True, digest=digest)


def _existing(scheme: Scheme, request: _Request) -> Allocation | None:
    """The allocation this request made before, or that its unit has."""
    found = list(Allocation.objects.filter(Q(request_key=request.key) | Q(scheme=scheme, unit=request.unit)))
    own = [a for a in found if a.scheme_id == scheme.pk and a.unit == request.unit]
    if len(own) < len(found):
        raise NotAllocated([Refusal("E_REQUEST_KEY", "This page was opened for somebody else. Open it again.")])
    return own[0] if own else None


def _next_arm(unsealed: Unsealed, cursor: StratumCursor) -> int:
    """The arm of the next row, once the stored row and the seed agree on it (6.2)."""
    position = cursor.next_position
    row = SealedRow.objects.filter(
        revision_id=cursor.revision_id, purpose=cursor.purpose, key=cursor.key, position=position
    ).first()
    if row is None:
        raise ListMismatch
    arm = unsealed.open_row(row)
    derived = unsealed.list_arms(purpose=cursor.purpose, key=cursor.key, n_rows=position)
    if derived[position - 1] != arm:
        raise ListMismatch
    return arm


def _insert(
    request: _Request, scheme: Scheme, revision: Revision, cursor: StratumCursor, unsealed: Unsealed, arm: int
) -> Allocation:
    context = unsealed.allocation_context(unit=request.unit, seq=scheme.next_seq)
    allocation = Allocation.objects.create(
        scheme=scheme,
        seq=scheme.next_seq,
        revision=revision,
        unit=request.unit,
        purpose=cursor.purpose,
        stratum_key=cursor.key,
        position=cursor.next_position,
        factors=request.levels,
        arm_sealed=unsealed.seal.seal_arm(arm, context),
        request_key=request.key,
        by_id=request.by.pk,
        site=request.site,
        at=request.at,
        engine_version=VERSION,
        software_version=request.software_version,
    )
    for participant_id in request.participant_ids:
        AllocationMember.objects.create(allocation=allocation, scheme=scheme, participant_id=participant_id)
    return allocation


def _advance(scheme: Scheme, cursor: StratumCursor, allocation: Allocation, by: AbstractBaseUser) -> str:
    """Count the allocation and its row as used, and log it; the digest of the log entry."""
    cursor.next_position += 1
    cursor.save(update_fields=["next_position"])
    scheme.next_seq += 1
    scheme.save(update_fields=["next_seq"])
    entry = events.append(
        scheme=scheme,
        event=EventLog.Event.ALLOCATE,
        at=allocation.at,
        actor=by,
        seq=allocation.seq,
        facts={
            "revision": allocation.revision.number,
            "purpose": allocation.purpose,
            "stratum": allocation.stratum_key,
            "position": allocation.position,
            "factors": allocation.factors,
            "site": allocation.site,
        },
        token=allocation.arm_sealed,
    )
    return entry.digest


def _digest(allocation: Allocation) -> str:
    entry = EventLog.objects.get(scheme_id=allocation.scheme_id, event=EventLog.Event.ALLOCATE, seq=allocation.seq)
    return entry.digest


def _log_refusal(request: _Request, codes: list[str]) -> None:
    """Log a refusal outside the transaction it rolled back, and pause when the list failed its check."""
    if codes == ["E_BUSY"]:
        return
    try:
        in_own_transaction(lambda: _write_refusal(request, codes))
    except RandomisationError:
        logger.exception("A refusal could not be logged: %s", ", ".join(codes))


def _write_refusal(request: _Request, codes: list[str]) -> None:
    scheme = Scheme.objects.select_for_update().get(pk=request.scheme_id)
    if not scheme.revisions.exists():
        return
    events.append(
        scheme=scheme,
        event=EventLog.Event.REFUSED,
        at=request.at,
        actor=request.by,
        facts={"codes": codes, "site": request.site},
    )
    if "E_LIST_MISMATCH" in codes and scheme.state == State.OPEN:
        pause_scheme(scheme=scheme, reason="E_LIST_MISMATCH", by=request.by, at=request.at)
