"""The margins of a minimisation, kept sealed between allocations (randomisation.md 4.4 and 8.1)."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from randomisation import statements
from randomisation.engine.ledger import Ledger
from randomisation.engine.margins import Margins
from randomisation.engine.source import VERSION
from randomisation.errors import ListMismatch, SealError
from randomisation.models import Allocation, EventLog, Placement, Purpose, Revision, Scheme, SealedMargins
from randomisation.unsealed import Unsealed, unseal

Event = EventLog.Event
COUNTED = (Event.ALLOCATE, Event.BACKUP, Event.RECOVERED, Event.EXCLUDE, Event.CORRECT, Event.ADD_LEVEL)
"""Entries of the log that may change who counts where."""
PLACEMENT = "placement"
_BYTES = 4
_NEVER = 2**62
"""Above the number of any entry."""


def members_of(allocation: Allocation) -> list[dict[str, str]]:
    """The levels with which each member counts now: corrected ones once they are approved (9.3)."""
    follow = allocation.scheme.corrections_count
    found = []
    for member in allocation.members.prefetch_related("corrections"):
        corrections = list(member.corrections.all()) if follow else []
        found.append(dict(corrections[-1].factors if corrections else member.factors))
    return found


def load(revision: Revision, unsealed: Unsealed, *, before: int | None = None) -> Margins:
    """The margins as of the newest entry of the log, or of the newest before entry `before`.

    Raises:
        SealError: E_SEAL_CONTEXT, they were altered.
        ListMismatch: they are older than the log, or missing.
    """
    kept = statements.first(SealedMargins, "revision_id = %s", revision.pk)
    if kept is None or _is_older(kept, revision, before):
        raise ListMismatch
    value = unsealed.seal.open(kept.token)
    digest, packed = value[:32], value[32:]
    if digest != _digest(unsealed, kept.n):
        raise SealError("E_SEAL_CONTEXT", "A sealed value failed its check. Tell the trial manager.")
    counts = [int.from_bytes(packed[at : at + _BYTES], "big") for at in range(0, len(packed), _BYTES)]
    with _mismatch_told():
        return Margins.from_counts(unsealed.design(), counts)


@contextmanager
def _mismatch_told() -> Iterator[None]:
    """Margins that are not of this design, or that lack people they must count, failed their check."""
    try:
        yield
    except ValueError:
        raise ListMismatch from None


def _is_older(kept: SealedMargins, revision: Revision, before: int | None) -> bool:
    """Whether an entry that counts came after the margins: the newest one is asked for, which is next to the end."""
    counted = ", ".join(["%s"] * len(COUNTED))
    is_newest = f"scheme_id = %s AND n < %s AND event IN ({counted}) ORDER BY n DESC LIMIT 1"
    newest = statements.first(EventLog, is_newest, revision.scheme_id, before or _NEVER, *map(str, COUNTED))
    return newest is not None and newest.n > kept.n


def store(revision: Revision, unsealed: Unsealed, margins: Margins, *, n: int) -> None:
    """Keep the margins as of entry `n` of the log."""
    packed = b"".join(count.to_bytes(_BYTES, "big") for count in margins.counts())
    token = unsealed.seal.seal(_digest(unsealed, n) + packed)
    if not statements.update(SealedMargins, "n = %s, token = %s", "revision_id = %s", n, token, revision.pk):
        statements.insert(SealedMargins(revision=revision, n=n, token=token))


def _digest(unsealed: Unsealed, n: int) -> bytes:
    parameters = unsealed.parameters
    context = f"{VERSION}|{parameters.scheme}|{parameters.revision}|margins|{n}"
    return hashlib.sha256(context.encode("ascii")).digest()


def carried(scheme: Scheme) -> Revision | None:
    """The revision whose margins are kept level with the log: the last in force, if its method is minimisation.

    Those of earlier revisions stay as they were when the next one opened: nobody is drawn by them any more.
    """
    last = scheme.revision_last_in_force
    return last if last is not None and SealedMargins.objects.filter(revision=last).exists() else None


def start_margins(scheme: Scheme, revision: Revision) -> None:
    """Count what earlier revisions allocated, when a revision of minimisation opens (9.11)."""
    unsealed = unseal(revision)
    if not unsealed.is_minimisation:
        return
    ledger = rebuilt(scheme, revision, unsealed)
    for allocation in scheme.allocations.all():
        working_arm = ledger.placed.get(allocation.seq)
        if working_arm is not None:
            _keep_place(allocation, working_arm, revision, unsealed)
    store(revision, unsealed, ledger.margins, n=_newest(scheme))


def rebuilt(scheme: Scheme, revision: Revision, unsealed: Unsealed) -> Ledger:
    """Everybody counted again from the log and the sealed arms, as a replay would (4.4)."""
    ledger = Ledger(unsealed.design())
    arms = unsealed.parameters.arms
    opened: dict[int, Unsealed] = {revision.pk: unsealed}
    allocations = {a.seq: a for a in scheme.allocations.select_related("revision")}
    for entry in scheme.events.filter(event__in=COUNTED, seq__isnull=False).order_by("n"):
        allocation = allocations[entry.seq or 0]
        if entry.event == Event.EXCLUDE:
            ledger.exclude(allocation.seq)
        elif entry.event == Event.CORRECT:
            ledger.correct(allocation.seq, entry.facts["members"])
        elif allocation.revision_id == revision.pk and allocation.purpose == Purpose.MIN:
            ledger.count(allocation.seq, unsealed.open_sealed(allocation), entry.facts["members"])
        else:
            if allocation.revision_id not in opened:
                opened[allocation.revision_id] = unseal(allocation.revision)
            code = opened[allocation.revision_id].arm_code(allocation)
            ledger.place(allocation.seq, arms.index(code) if code in arms else None, entry.facts["members"])
    return ledger


def _newest(scheme: Scheme) -> int:
    return scheme.events.order_by("-n").values_list("n", flat=True)[0]


def place(
    allocation: Allocation,
    arm_code: str,
    margins: Margins,
    revision: Revision,
    unsealed: Unsealed,
    *,
    members: Sequence[Mapping[str, str]],
) -> None:
    """Count an allocation known only by its arm, where it stays (4.4); an arm that is no more counts nowhere."""
    arms = unsealed.parameters.arms
    if arm_code not in arms:
        return
    working_arm = margins.place(arms.index(arm_code), [dict(member) for member in members])
    _keep_place(allocation, working_arm, revision, unsealed)


def _keep_place(allocation: Allocation, working_arm: int, revision: Revision, unsealed: Unsealed) -> None:
    context = unsealed.context(purpose=PLACEMENT, key=allocation.unit, position=allocation.seq)
    Placement.objects.create(
        revision=revision, allocation=allocation, token=unsealed.seal.seal_arm(working_arm, context)
    )


def working_arm_of(allocation: Allocation, revision: Revision, unsealed: Unsealed) -> int | None:
    """Where an allocation counts in this revision; None when it does not.

    Raises:
        SealError: E_SEAL_CONTEXT.
    """
    if allocation.revision_id == revision.pk and allocation.purpose == Purpose.MIN:
        return unsealed.open_sealed(allocation)
    placed = Placement.objects.filter(revision=revision, allocation=allocation).first()
    if placed is None:
        return None
    context = unsealed.context(purpose=PLACEMENT, key=allocation.unit, position=allocation.seq)
    return unsealed.seal.open_arm(placed.token, context)


def uncount(
    allocation: Allocation,
    margins: Margins,
    revision: Revision,
    unsealed: Unsealed,
    *,
    members: Sequence[Mapping[str, str]],
) -> None:
    """Count an excluded allocation no longer."""
    working_arm = working_arm_of(allocation, revision, unsealed)
    if working_arm is not None:
        with _mismatch_told():
            margins.remove(working_arm, [dict(member) for member in members])


def recount(
    allocation: Allocation,
    margins: Margins,
    revision: Revision,
    unsealed: Unsealed,
    before: Sequence[Mapping[str, str]],
    after: Sequence[Mapping[str, str]],
) -> None:
    """Count corrected levels instead of those before. The caller knows that the allocation still counts."""
    working_arm = working_arm_of(allocation, revision, unsealed)
    if working_arm is None:
        return
    with _mismatch_told():
        margins.remove(working_arm, [dict(member) for member in before])
    margins.add(working_arm, [dict(member) for member in after])
