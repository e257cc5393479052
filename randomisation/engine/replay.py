"""Every allocation of a revealed scheme computed again from its secret and its log (randomisation.md 3.4, 8.6).

`verify` also compares with the arms that the package states and, as arms are public after the reveal, names them.
`replay` does not need those: a check inside the system uses it, and must show none of its differences' arms.
"""

import hashlib
from dataclasses import dataclass, field

from randomisation.engine.findings import Difference, Report
from randomisation.engine.lists import BACKUP, LIST
from randomisation.engine.minimisation import PURPOSE as MINIMISATION
from randomisation.engine.minimisation import minimise
from randomisation.engine.package import Event, Package, read_package
from randomisation.engine.rederived import Rederived, check_scheme
from randomisation.errors import ParametersRefused

ALLOCATIONS = ("allocate", "backup", "recovered")
_PURPOSES = {"allocate": (LIST, MINIMISATION), "backup": (BACKUP,), "recovered": (LIST, MINIMISATION, BACKUP)}


@dataclass(slots=True, repr=False)
class Replay:
    """What following the log gave. Holds arms, so its repr is constant."""

    revisions: dict[int, Rederived]
    n_allocations: int = 0
    arms: dict[int, str] = field(default_factory=dict)
    """Arm code by sequence number; an allocation that could not be computed again is not among them."""
    working_arms: dict[int, int] = field(default_factory=dict)
    """The working arm of each minimised allocation, its pseudo-arm with `pseudo_arms`."""
    units: dict[int, int] = field(default_factory=dict)
    """How many people each allocation is of."""
    differences: list[Difference] = field(default_factory=list)

    def __repr__(self) -> str:
        return "<Replay>"


def verify(document: object) -> Report:
    """Check a package from its commitments to its last allocation.

    Args:
        document: the package, already read from JSON.

    Raises:
        PackageError: it is malformed; names the place.
    """
    package = read_package(document)
    found = replay(package)
    differences = [*found.differences, *_compare(package, found)]
    revisions = found.revisions.values()
    return Report(
        n_revisions=len(revisions),
        n_commitments=sum(one.commitment == one.revealed.commitment for one in revisions),
        n_events=len(package.events),
        n_allocations=found.n_allocations,
        digest_head=package.events[-1].digest if package.events else "",
        differences=tuple(differences),
    )


def replay(package: Package) -> Replay:
    """Compute every allocation of the log again, and check all but the arms that the package states."""
    found = Replay({number: Rederived(revealed) for number, revealed in sorted(package.revisions.items())})
    _check_chain(package, found)
    for event in package.events:
        _follow(event, found)
    for revision in found.revisions.values():
        revision.finish()
        found.differences += [*revision.differences, *check_scheme(revision.parameters, package.scheme)]
    return found


def _check_chain(package: Package, found: Replay) -> None:
    """Numbers without gaps, the lock first, and each digest made of the one before and the entry (8.6)."""
    before = package.revisions[1].commitment
    for place, event in enumerate(package.events, start=1):
        if event.n != place:
            found.differences.append(Difference(f"its number should be {place}.", n=event.n))
        if place == 1 and event.event != "lock":
            found.differences.append(Difference("the log must begin with the lock.", n=event.n))
        digest = hashlib.sha256(bytes.fromhex(before) + event.entry.encode("ascii")).hexdigest()
        if digest != event.digest:
            text = "its digest is not that of the entry and the digest before it: one of them was altered."
            found.differences.append(Difference(text, n=event.n))
        before = event.digest


def _follow(event: Event, found: Replay) -> None:
    if event.event in ALLOCATIONS:
        _allocate(event, found)
    elif event.event in ("exclude", "correct"):
        _change(event, found)
    elif event.event in ("lock", "contribution", "add_level", "extend"):
        _prepare(event, found)


def _prepare(event: Event, found: Replay) -> None:
    """A lock, a contribution, a level or an extension: what it says of the revision and of its lists."""
    revision = found.revisions.get(event.facts.whole("revision"))
    if revision is None:
        _find(found, event, "it is about a revision that the package does not have.")
        return
    if event.event == "lock":
        revision.is_locked = True
        if event.facts.text("commitment") != revision.revealed.commitment:
            _find(found, event, "the commitment it shows is not that of the revision.")
    if event.event == "add_level":
        try:
            revision.add_level(event.facts.text("factor"), event.facts.text("level"))
        except ParametersRefused:
            _find(found, event, "the level it adds is no code, or of no factor, or was there already.")
    for key in revision.wrong_fingerprints(event.facts.texts("fingerprints")):
        _find(found, event, f"the fingerprint it shows of list {key} is none that its rows ever had.")


def _allocate(event: Event, found: Replay) -> None:
    found.n_allocations += 1
    seq, members = found.n_allocations, event.members()
    if event.seq != seq:
        _find(found, event, f"its sequence number should be {seq}.")
    revision = found.revisions.get(event.facts.whole("revision"))
    if revision is None or not revision.is_locked:
        _find(found, event, "its revision was not locked before it.", seq=seq)
        return
    found.units[seq] = len(members)
    purpose = event.facts.text("purpose")
    if purpose not in _PURPOSES[event.event]:
        _find(found, event, "it is not of a purpose that such an entry can have.", seq=seq)
        return
    if not revision.accepts(members):
        _find(found, event, "its levels are none of the revision's.", seq=seq)
        return
    if purpose == MINIMISATION:
        _minimise(event, found, revision, seq, members)
    else:
        _take_row(event, found, revision, seq, members)


def _minimise(event: Event, found: Replay, revision: Rederived, seq: int, members: list[dict[str, str]]) -> None:
    if revision.ledger is None:
        _find(found, event, "its revision does not minimise.", seq=seq)
        return
    if event.facts.optional_whole("position") is not None:
        _find(found, event, "a minimised allocation has no position.", seq=seq)
    draw = minimise(revision.ledger.margins, members=members, seq=seq, seed=revision.seed)
    found.working_arms[seq] = draw.working_arm
    found.arms[seq] = revision.code(draw.arm)
    _count(found, seq, members, minimised_by=revision)


def _take_row(event: Event, found: Replay, revision: Rederived, seq: int, members: list[dict[str, str]]) -> None:
    purpose, key = event.facts.text("purpose"), event.facts.text("stratum")
    position = event.facts.whole("position")
    expected = revision.key_of(purpose, members[0])
    if key != expected:
        _find(found, event, f"its list is {key}, and its first person's levels make {expected}.", seq=seq)
    if not revision.take(purpose, key, position):
        _find(found, event, f"position {position} was not the next one of list {key}.", seq=seq)
    arm = revision.row(purpose, key, position)
    if arm is None:
        _find(found, event, f"the package has no row {position} of list {key}.", seq=seq)
        return
    found.arms[seq] = revision.code(arm)
    _count(found, seq, members)


def _count(found: Replay, seq: int, members: list[dict[str, str]], *, minimised_by: Rederived | None = None) -> None:
    """Tell every revision that minimises; the others know only the arm (4.4, 9.11)."""
    for revision in found.revisions.values():
        if revision.ledger is None:
            continue
        if revision is minimised_by:
            revision.ledger.count(seq, found.working_arms[seq], members)
        else:
            arms = revision.parameters.arms
            code = found.arms[seq]
            revision.ledger.place(seq, arms.index(code) if code in arms else None, members)


def _change(event: Event, found: Replay) -> None:
    """An exclusion or a correction: the margins change from here on (9.2, 9.3)."""
    if event.seq not in found.units:
        _find(found, event, "it is about an allocation that was not made before it.")
        return
    ledgers = [revision.ledger for revision in found.revisions.values() if revision.ledger is not None]
    if event.event == "exclude":
        for ledger in ledgers:
            ledger.exclude(event.seq)
        return
    members = event.members()
    if len(members) != found.units[event.seq]:
        _find(found, event, "it corrects another number of people than the allocation has.")
        return
    for ledger in ledgers:
        ledger.correct(event.seq, members)


def _compare(package: Package, found: Replay) -> list[Difference]:
    """The arms stated against those computed, one of each for every allocation of the log."""
    differences = []
    stated: dict[int, str] = {}
    for seq, arm in package.allocations:
        if seq in stated or not 1 <= seq <= found.n_allocations:
            differences.append(Difference("its arm is stated, and the log tells of no such allocation.", seq=seq))
        stated.setdefault(seq, arm)
    for seq in range(1, found.n_allocations + 1):
        computed = found.arms.get(seq)
        if seq not in stated:
            differences.append(Difference("its arm is not stated.", seq=seq))
        elif computed is not None and computed != stated[seq]:
            text = f"its arm is stated as {stated[seq]}, and secret and log give {computed}."
            differences.append(Difference(text, seq=seq))
    return differences


def _find(found: Replay, event: Event, text: str, *, seq: int | None = None) -> None:
    found.differences.append(Difference(text, seq=seq, n=event.n))
