"""Releases as one person may see them: what reveals or masks allocation does not exist for a blinded one (BR-26)."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.http import Http404

from exports.canonical import opened
from exports.differences import Cell, changed_cells
from exports.missing_codes import MISSING
from exports.model import Model, Value
from exports.models import CanonicalFile, JobState, Release, variants_for
from exports.release import open_source
from exports.storing import source_of
from exports.variants import VARIANTS
from trial.access.models import User
from trial.assessments.models import Administration
from trial.base.parts import Fact
from trial.base.words import short_date
from trial.locking.models import DatasetLock
from trial.protocol.models import ProtocolVersion

MISSING_LABELS = {reason.code: reason.label.split(" (")[0].split(":")[0] for reason in MISSING}


def release_for(user: User, pk: int) -> Release:
    """One release.

    Raises:
        Http404: there is none, or this person may not know of it.
    """
    found = Release.objects.visible_to(user).select_related("lock", "requested_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def may_download(user: User, release: Release) -> bool:
    """Whether the person may fetch it."""
    return user.access.may(release.needs)


def stored_locks() -> list[DatasetLock]:
    """Cuts and locks whose data are stored, newest first."""
    rows = CanonicalFile.objects.filter(state=JobState.DONE).select_related("lock").order_by("-lock_id")
    return [row.lock for row in rows]


def variants_to_build(user: User) -> list[str]:
    """Variants that the person may ask for."""
    return variants_for(user)


# -- the page of one release


def facts_of(release: Release) -> list[Fact]:
    """State, cut-off, people, arm, purpose."""
    lock = release.lock
    row = CanonicalFile.objects.filter(lock=lock).first()
    counts: dict[str, int] = row.counts if row else {}
    people = f"{counts.get('consented', 0):,} consented, {counts.get('randomised', 0):,} randomised"
    return [
        state_fact(lock),
        Fact("Cut-off", short_date(lock.data_through)),
        Fact("People", people),
        Fact("Arm", _arm_words(release)),
        Fact("Purpose", release.purpose),
    ]


def _arm_words(release: Release) -> str:
    if release.is_masked:
        return "As letters, whose meaning is held apart"
    return "In this release" if release.reveals_allocation else "Not in this release"


def state_fact(lock: DatasetLock) -> Fact:
    """Locked and when, or NOT LOCKED."""
    if lock.kind == DatasetLock.Kind.FINAL:
        return Fact("State", status="locked", status_word=f"Locked {short_date(lock.locked_at or lock.asked_at)}")
    return Fact("State", status="not_met", status_group="check", status_word="NOT LOCKED")


@dataclass(frozen=True)
class LeftOut:
    """What a blinded or masked release lacks: whole tables, and columns of others."""

    because: str
    tables: tuple[str, ...]
    columns: tuple[str, ...]


def left_out(release: Release) -> LeftOut | None:
    """What reveals allocation and is therefore not in it; None for a release that holds it."""
    row = CanonicalFile.objects.filter(lock=release.lock).first()
    if release.reveals_allocation or row is None or not row.path.is_file():
        return None
    with opened(row.path) as canonical:
        model = VARIANTS["unblinded"].view(canonical.model)
        here = VARIANTS[release.variant].view(canonical.model)
    kept = {table.name: set(table.names) for table in here.tables}
    return LeftOut(
        because="masked" if release.is_masked else "blinded",
        tables=tuple(table.name for table in model.tables if table.name not in kept),
        columns=tuple(
            dict.fromkeys(
                name
                for table in model.tables
                if table.name in kept and not table.wide
                for name in table.names
                if name not in kept[table.name]
            )
        ),
    )


# -- what changed


@dataclass(frozen=True)
class ChangedCell:
    """One changed value, in words: key, variable, old and new, and why where a short list says so."""

    key: str
    variable: str
    old: str
    new: str
    reason: str


def changed_tables(release: Release) -> list[dict[str, Any]]:
    """Tables that differ from the lock before, as stored when the release was built."""
    return [change for change in release.changes or [] if change["added"] or change["removed"] or change["cells"]]


def n_unchanged(release: Release) -> int:
    """How many tables do not differ."""
    return len(release.changes or []) - len(changed_tables(release))


def cells_of(release: Release, table: str, *, start: int, size: int) -> list[ChangedCell]:
    """Some changed values of one table, from the two stored files.

    Raises:
        Http404: the release has no such table, or nothing to compare with.
        FileDamaged: a stored file is gone or was altered.
    """
    row = CanonicalFile.objects.select_related("previous__lock", "lock").filter(lock=release.lock).first()
    if row is None or row.previous is None or table not in {c["table"] for c in release.changes or []}:
        raise Http404
    with ExitStack() as stack:
        sources = [source_of(one, release.variant) for one in (row.previous, row)]
        before, after = (stack.enter_context(open_source(one, release.variant)) for one in sources)
        cells = list(islice(changed_cells(before, after, release.variant, table), start, start + size))
        model = after.model if table in {one.name for one in after.model.tables} else before.model
    return list(_described(cells, model, table))


def _described(cells: Sequence[Cell], model: Model, table: str) -> Iterator[ChangedCell]:
    reasons = _reasons(cells, table)
    visits = {code.value: code.label for code in model.codelist("visitnum").codes}
    columns = model.table(table).key
    for cell in cells:
        parts = zip(columns, cell.key, strict=True)
        yield ChangedCell(
            key=", ".join(str(visits.get(part or 0, part) if name == "visitnum" else part) for name, part in parts),
            variable=cell.variable,
            old=in_words(cell.old),
            new=in_words(cell.new),
            reason=reasons.get((*cell.key[:2], cell.variable), ""),
        )


def in_words(value: Value) -> str:
    """A value with the words of its missing code: "−94 not done"."""
    if value is None:
        return "blank"
    if isinstance(value, int) and value in MISSING_LABELS:
        return f"−{-value} {MISSING_LABELS[value]}"
    return str(value)


def _reasons(cells: Sequence[Cell], table: str) -> dict[tuple[Any, ...], str]:
    """Why answers were changed, as far as a short list of the protocol says; free text stays out (BR-26)."""
    labels = {
        reason.label
        for version in ProtocolVersion.objects.exclude(status=ProtocolVersion.Status.DRAFT)
        for reason in version.spec.reasons.correction
    }
    forms = Administration.objects.filter(
        instrument=table, participant__study_id__in={str(cell.key[0]) for cell in cells}
    ).values_list("participant__study_id", "visit__number", "reasons")
    return {
        (study_id, visitnum, item): label
        for study_id, visitnum, reasons in forms
        for item, text in reasons.items()
        if (label := next((one for one in labels if str(text).startswith(one)), ""))
    }
