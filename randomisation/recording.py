"""Writing one allocation and its log entry, inside the caller's transaction (randomisation.md 8.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser

from randomisation import events, margins, statements
from randomisation.drawing import Drawn, draw_by_minimisation, draw_from_list
from randomisation.engine.source import VERSION
from randomisation.errors import NotAllocated, Refusal
from randomisation.models import (
    Allocation,
    AllocationMember,
    EventLog,
    Purpose,
    Revision,
    Scheme,
    StratumCursor,
)
from randomisation.opened import Opened, still_in_force
from randomisation.preconditions import cursor_of, factor_refusals, refusals_of
from randomisation.requests import UnitRequest
from randomisation.situation import Situation, situation_of
from randomisation.unsealed import Unsealed

Source = Allocation.Source
_EVENTS = {
    Source.ONLINE: EventLog.Event.ALLOCATE,
    Source.BACKUP: EventLog.Event.BACKUP,
    Source.RECOVERED: EventLog.Event.RECOVERED,
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """An allocation that was just written, with its entry's digest. Carries no arm."""

    allocation: Allocation
    digest: str
    n: int


def record_next(
    scheme: Scheme,
    request: UnitRequest,
    *,
    check: Callable[[], list[Refusal]],
    situation: Situation | None = None,
    opened: Opened | None = None,
) -> Recorded:
    """Allocate a unit online. The caller holds the lock on the scheme's row.

    Args:
        situation: where it has been read already, in this transaction.
        opened: the revision in force, where it has been opened already.

    Raises:
        NotAllocated: with every reason.
        ListMismatch, SealError: the list or the margins failed their check.
    """
    situation = situation or situation_for(scheme, request)
    opened = still_in_force(scheme, opened, situation)
    refusals = refusals_of(scheme, situation, request.levels, request.site, request.at)
    if opened is None:
        raise NotAllocated([*refusals, *check()])
    revision, factors = opened.revision, opened.factors
    cursor = cursor_of(revision, factors, request.levels, lock=True)
    refusals += [*factor_refusals(revision, factors, cursor, request.levels), *opened.refusals(), *check()]
    if refusals:
        raise NotAllocated(refusals)
    unsealed = opened.unsealed()
    return write(scheme, revision, unsealed, request, draw_next(scheme, revision, unsealed, cursor, request))


def situation_for(scheme: Scheme, request: UnitRequest) -> Situation:
    """How this request stands to what was recorded before it."""
    return situation_of(
        scheme, unit=request.unit, key=request.key, participant_ids=request.participant_ids, site=request.site
    )


def draw_next(
    scheme: Scheme, revision: Revision, unsealed: Unsealed, cursor: StratumCursor | None, request: UnitRequest
) -> Drawn:
    """The next arm by the revision's own method.

    Raises:
        ListMismatch, SealError: the list or the margins failed their check.
    """
    if cursor is None:
        return draw_by_minimisation(unsealed, revision, members=request.levels, seq=scheme.next_seq)
    return draw_from_list(unsealed, cursor)


def write(
    scheme: Scheme,
    revision: Revision,
    unsealed: Unsealed,
    request: UnitRequest,
    drawn: Drawn,
    *,
    source: Source = Source.ONLINE,
    entered_at: datetime | None = None,
    approver: AbstractBaseUser | None = None,
) -> Recorded:
    """Insert the allocation, advance every counter, and log it."""
    allocation = _insert(scheme, revision, unsealed, request, drawn, source, entered_at or request.at)
    last = events.newest(scheme)
    with statements.together():
        _insert_members(scheme, allocation, request)
        _advance(scheme, revision, drawn)
        entry = events.append(
            scheme=scheme,
            event=_EVENTS[source],
            at=allocation.entered_at,
            actor=request.by,
            seq=allocation.seq,
            facts=_facts(allocation, request),
            token=allocation.arm_sealed,
            approvers=(approver,) if approver else None,
            last=last,
        )
    _count(allocation, revision, unsealed, drawn, request, entry.n)
    return Recorded(allocation, entry.digest, entry.n)


def _insert(
    scheme: Scheme,
    revision: Revision,
    unsealed: Unsealed,
    request: UnitRequest,
    drawn: Drawn,
    source: Source,
    entered_at: datetime,
) -> Allocation:
    context = unsealed.allocation_context(unit=request.unit, seq=scheme.next_seq)
    allocation = Allocation(
        scheme=scheme,
        seq=scheme.next_seq,
        revision=revision,
        unit=request.unit,
        source=source,
        purpose=drawn.purpose,
        stratum_key=drawn.stratum,
        position=drawn.position,
        factors=request.levels[0],
        batch=request.batch,
        scores_sealed=drawn.scores,
        arm_sealed=unsealed.seal.seal_arm(drawn.sealed_arm, context),
        request_key=request.key,
        by_id=request.by.pk,
        site=request.site,
        at=request.at,
        entered_at=entered_at,
        engine_version=VERSION,
        software_version=request.software_version,
    )
    return statements.insert(allocation)


def _insert_members(scheme: Scheme, allocation: Allocation, request: UnitRequest) -> None:
    for place, member in enumerate(request.members, start=1):
        statements.insert(
            AllocationMember(
                allocation=allocation,
                scheme=scheme,
                participant_id=member.participant_id,
                place=place,
                factors=dict(member.levels),
            ),
            returning=False,
        )


def _advance(scheme: Scheme, revision: Revision, drawn: Drawn) -> None:
    """Count the allocation and its row as used; the caller holds both locks."""
    if drawn.position is not None:
        place = (revision.pk, drawn.purpose.value, drawn.stratum)
        statements.update(StratumCursor, "next_position = %s", statements.ONE_LIST, drawn.position + 1, *place)
    scheme.next_seq += 1
    statements.update(Scheme, "next_seq = %s", "id = %s", scheme.next_seq, scheme.pk)


def _facts(allocation: Allocation, request: UnitRequest) -> dict[str, object]:
    return {
        "revision": allocation.revision.number,
        "source": str(allocation.source),
        "purpose": str(allocation.purpose),
        "stratum": allocation.stratum_key,
        "position": allocation.position,
        "members": request.levels,
        "site": allocation.site,
        **({"batch": allocation.batch} if allocation.batch else {}),
    }


def _count(
    allocation: Allocation, revision: Revision, unsealed: Unsealed, drawn: Drawn, request: UnitRequest, n: int
) -> None:
    """Keep the margins of a minimisation level with the log."""
    if not unsealed.is_minimisation:
        return
    counted = drawn.margins
    if counted is None:
        counted = margins.load(revision, unsealed, before=n)
        arm_code = unsealed.parameters.arms[drawn.sealed_arm]
        margins.place(allocation, arm_code, counted, revision, unsealed, members=request.levels)
    margins.store(revision, unsealed, counted, n=n)


__all__ = ["Purpose", "Recorded", "Source", "draw_next", "record_next", "situation_for", "write"]
