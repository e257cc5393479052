"""Rebuild lists, margins and allocations from their seed and compare; check that the event log is whole."""

import json
from collections.abc import Mapping
from datetime import UTC

from django.views.decorators.debug import sensitive_variables

from randomisation.engine.replay import verify
from randomisation.errors import ListMismatch, SealError
from randomisation.events import chain_start, link
from randomisation.margins import load, rebuilt
from randomisation.models import BEFORE_LOCK, Allocation, EventLog, Revision, Scheme, SealedRow, StratumCursor
from randomisation.reveal import contents
from randomisation.sealed_lists import imported_arms
from randomisation.sealing import token_digest
from randomisation.unsealed import DerivedRow, Unsealed, unseal

_ALLOCATED = (EventLog.Event.ALLOCATE, EventLog.Event.BACKUP, EventLog.Event.RECOVERED)
UNKNOWN = "?"
"""Stands for an arm that does not open; no arm has this code."""


@sensitive_variables()
def verify_list(scheme: Scheme) -> int:
    """How many rows, margins and allocations differ from what seed, file and log give; missing ones count.

    Raises:
        SealError: E_SEAL_KEY, no usable key; E_SEAL_CONTEXT, secret or parameters were altered.
    """
    revisions = list(scheme.revisions.exclude(state__in=BEFORE_LOCK).order_by("number"))
    n_listed = sum(_n_differences(scheme, revision) for revision in revisions if revision.contribution_sealed)
    if not revisions or not scheme.allocations.exists():
        return n_listed
    return n_listed + len(replay_differences(scheme, revisions))


@sensitive_variables()
def replay_differences(scheme: Scheme, revisions: list[Revision]) -> list[int | None]:
    """The numbers of the allocations that a replay of the log does not reproduce; None for one without a number."""

    def arm_of(allocation: Allocation, unsealed: Unsealed) -> str:
        try:
            return unsealed.arm_code(allocation)
        except SealError:
            return UNKNOWN

    report = verify(contents(scheme, revisions, arm_of=arm_of))
    return [difference.seq for difference in report.differences]


def verify_event_log(scheme: Scheme) -> int | None:
    """The number of the first log entry that is missing, altered or at odds with its allocation, if any."""
    digest = chain_start(scheme) if scheme.events.exists() else ""
    allocations: dict[int | None, Allocation] = {allocation.seq: allocation for allocation in scheme.allocations.all()}
    n = 0
    for n, event in enumerate(scheme.events.order_by("n"), start=1):
        digest = link(digest, event.entry.encode("ascii"))
        if event.n != n or event.digest != digest or not _is_told_by_entry(event, allocations):
            return n
    n_allocated = Scheme.objects.get(pk=scheme.pk).next_seq - 1
    n_logged = scheme.events.filter(event__in=_ALLOCATED).count()
    return None if n_logged == n_allocated == len(allocations) else n + 1


def _n_differences(scheme: Scheme, revision: Revision) -> int:
    unsealed = unseal(revision)
    imported = imported_arms(revision, unsealed)
    n_listed = sum(_n_list_differences(unsealed, cursor, imported) for cursor in revision.cursors.order_by("pk"))
    return n_listed + _margins_differ(scheme, revision, unsealed)


def _margins_differ(scheme: Scheme, revision: Revision, unsealed: Unsealed) -> int:
    """1 when the margins kept between allocations are not those of the log."""
    if not unsealed.is_minimisation or revision != scheme.revision_last_in_force:
        return 0
    try:
        return int(load(revision, unsealed).counts() != rebuilt(scheme, revision, unsealed).margins.counts())
    except (SealError, ListMismatch, ValueError):
        return 1


def _n_list_differences(unsealed: Unsealed, cursor: StratumCursor, imported: Mapping[str, list[int]]) -> int:
    if unsealed.is_derived(cursor.purpose):
        derived = unsealed.derived_rows(purpose=cursor.purpose, key=cursor.key, n_rows=cursor.rows_requested)
    else:
        derived = [DerivedRow(arm, None, 0) for arm in imported.get(cursor.key, [])]
    expected: dict[int | None, DerivedRow] = dict(enumerate(derived, start=1))
    rows = SealedRow.objects.filter(revision_id=cursor.revision_id, purpose=cursor.purpose, key=cursor.key)
    n_missing = len(expected.keys() - {row.position for row in rows})
    n_rows_wrong = sum(_opened(unsealed, row) != expected.get(row.position) for row in rows)
    n_fingerprint_wrong = int(unsealed.fingerprint_of(cursor, [row.arm for row in derived]) != cursor.fingerprint)
    return n_missing + n_rows_wrong + n_fingerprint_wrong


def _opened(unsealed: Unsealed, row: SealedRow) -> DerivedRow:
    """What is sealed in this place; the arm -1, which no row has, when it does not open there."""
    try:
        start, offset = unsealed.open_start(row) if unsealed.is_derived(row.purpose) else (None, 0)
        return DerivedRow(unsealed.open_row(row), start, offset)
    except SealError:
        return DerivedRow(-1, None, 0)


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
    if event.event not in _ALLOCATED:
        return True
    allocation = allocations.get(event.seq)
    return allocation is not None and entry["token_sha256"] == token_digest(allocation.arm_sealed)
