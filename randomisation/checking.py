"""Rebuild the lists from their seed and compare; check that the event log is whole."""

import json
from collections.abc import Mapping
from datetime import UTC

from django.views.decorators.debug import sensitive_variables

from randomisation.errors import SealError
from randomisation.events import chain_start, link
from randomisation.models import Allocation, EventLog, Revision, Scheme, SealedRow, StratumCursor
from randomisation.sealing import token_digest
from randomisation.unsealed import Unsealed, unseal


@sensitive_variables()
def verify_list(scheme: Scheme) -> int:
    """How many rows and allocations differ from what the seed gives; missing and surplus ones count.

    Raises:
        SealError: E_SEAL_KEY, no usable key; E_SEAL_CONTEXT, secret or parameters were altered.
    """
    revisions = scheme.revisions.exclude(contribution_sealed="")
    return sum(_n_differences(revision) for revision in revisions)


def verify_event_log(scheme: Scheme) -> int | None:
    """The number of the first log entry that is missing, altered or at odds with its allocation, if any."""
    digest = chain_start(scheme) if scheme.revisions.exists() else ""
    allocations: dict[int | None, Allocation] = {allocation.seq: allocation for allocation in scheme.allocations.all()}
    n = 0
    for n, event in enumerate(scheme.events.order_by("n"), start=1):
        digest = link(digest, event.entry.encode("ascii"))
        if event.n != n or event.digest != digest or not _is_told_by_entry(event, allocations):
            return n
    n_allocated = Scheme.objects.get(pk=scheme.pk).next_seq - 1
    n_logged = scheme.events.filter(event=EventLog.Event.ALLOCATE).count()
    return None if n_logged == n_allocated == len(allocations) else n + 1


def _n_differences(revision: Revision) -> int:
    unsealed = unseal(revision)
    return sum(_n_list_differences(unsealed, cursor) for cursor in revision.cursors.order_by("pk"))


def _n_list_differences(unsealed: Unsealed, cursor: StratumCursor) -> int:
    derived = unsealed.list_arms(purpose=cursor.purpose, key=cursor.key, n_rows=cursor.rows_requested)
    expected: dict[int | None, int] = dict(enumerate(derived, start=1))
    place = {"revision_id": cursor.revision_id, "purpose": cursor.purpose}
    rows = SealedRow.objects.filter(**place, key=cursor.key)
    allocations = Allocation.objects.filter(**place, stratum_key=cursor.key)
    n_missing = len(expected.keys() - {row.position for row in rows})
    n_rows_wrong = sum(_opened(unsealed, row) != expected.get(row.position) for row in rows)
    n_allocated_wrong = sum(_opened(unsealed, a) != expected.get(a.position) for a in allocations)
    n_fingerprint_wrong = int(unsealed.fingerprint_of(cursor, derived) != cursor.fingerprint)
    return n_missing + n_rows_wrong + n_allocated_wrong + n_fingerprint_wrong


def _opened(unsealed: Unsealed, place: SealedRow | Allocation) -> int | None:
    """The arm index sealed in this place; -1, which no row has, when it does not open there."""
    try:
        return unsealed.open_row(place) if isinstance(place, SealedRow) else unsealed.open_allocation(place)
    except SealError:
        return -1


def _is_told_by_entry(event: EventLog, allocations: Mapping[int | None, Allocation]) -> bool:
    """The row's columns, and the allocation it tells of, agree with the entry that the digest covers."""
    entry: dict[str, object] = json.loads(event.entry)
    columns = {
        "n": event.n,
        "time": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "event": event.event,
        "seq": event.seq,
        "actor": str(event.actor_id),
    }
    if not columns.items() <= entry.items():
        return False
    if event.event != EventLog.Event.ALLOCATE:
        return True
    allocation = allocations.get(event.seq)
    return allocation is not None and entry["token_sha256"] == token_digest(allocation.arm_sealed)
