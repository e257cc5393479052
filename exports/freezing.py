"""A cut or lock becomes its canonical file: read once from a consistent snapshot, tested, kept under its own hash."""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from django.conf import settings

from exports import checks
from exports.archive import keep, write_zip
from exports.canonical import Canonical, Drafting, opened
from exports.dataset import Provenance
from exports.datasets import Datasets, datasets_of
from exports.datasets.common import wall_time
from exports.datasets.snapshot import READING, ReadArms, ReadLetters, Snapshot, consistent_reads, take
from exports.model import Model, Retired, Table
from trial.base import keys

CANONICAL_FOLDER = "canonical"


@dataclass(frozen=True)
class Moment:
    """What a canonical file says of its cut or lock; the model and the rows come from the database."""

    lock_id: str
    kind: str
    at: datetime
    through: date
    audit_head: Mapping[str, int | str]
    locked_by: str
    authorised_by: tuple[str, ...]
    schema_version: Mapping[str, str]


@dataclass(frozen=True)
class Stored:
    """A canonical file on the disk, and the wrapped key of its sealed part."""

    path: Path
    sha256: str
    wrapped_key: str


def freeze(
    moment: Moment,
    *,
    read_arms: ReadArms,
    read_letters: ReadLetters,
    previous: Path | None = None,
    using: str = READING,
) -> Stored:
    """Write the canonical file of a cut or lock.

    Args:
        read_arms: gives the arm code of each allocated participant, by primary key. It is asked once the snapshot
            stands, so that nobody in the snapshot is unknown to it.
        read_letters: gives the letters that mask those arms.
        previous: canonical file of the lock before, for names that came and went.

    Raises:
        ModelBroken: the model or a row breaks a rule; nothing is kept.
    """
    folder = Path(settings.RELEASE_DIR) / CANONICAL_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as name:
        work = Path(name)

        def snapshot() -> Snapshot:
            return take(
                through=moment.through,
                locked_at=moment.at,
                read_arms=read_arms,
                read_letters=read_letters,
                using=using,
            )

        draft = _draft(moment, snapshot, previous, work / "draft", using)
        write_zip(work / "canonical.zip", draft.files())
        path, sha256 = keep(work / "canonical.zip", folder, ".zip")
    return Stored(path, sha256, draft.wrapped_key)


def _draft(moment: Moment, read: Callable[[], Snapshot], previous: Path | None, folder: Path, using: str) -> Drafting:
    with ExitStack() as stack:
        earlier = stack.enter_context(opened(previous)) if previous else None
        stack.enter_context(consistent_reads(using))
        snapshot = read()
        datasets = datasets_of(snapshot.definition)
        model = with_past(datasets.model, earlier, moment.lock_id)
        checks.require_sound(model)
        draft = Drafting(folder, model, _provenance(moment, snapshot, earlier), keys.new_data_key())
        for source in datasets.read:
            draft.write(source.table, source.rows(snapshot))
    _write_derived(draft, datasets)
    return draft


def _write_derived(draft: Drafting, datasets: Datasets) -> None:
    """Tables made from tables, once the database is let go."""
    for source in datasets.derived:
        draft.write(source.table, source.rows(draft.reading()))


def _provenance(moment: Moment, snapshot: Snapshot, earlier: Canonical | None) -> Provenance:
    return Provenance(
        study=snapshot.definition.study,
        lock_id=moment.lock_id,
        kind=moment.kind,
        lock_time=wall_time(moment.at) or "",
        data_through=moment.through,
        audit_head=moment.audit_head,
        locked_by=moment.locked_by,
        authorised_by=moment.authorised_by,
        schema_version=moment.schema_version,
        instrument_versions=snapshot.definition.instrument_versions,
        previous=earlier.provenance.lock_id if earlier else "",
    )


# -- names that came and went


def with_past(model: Model, earlier: Canonical | None, lock_id: str) -> Model:
    """The model with the lock since which each variable exists, and the names that are gone.

    Raises:
        ModelBroken: a name would get another meaning (section 5).
    """
    past = earlier.model if earlier else Model((), ())
    if changed := checks.changed_meanings(model, past):
        raise checks.ModelBroken(changed)
    since = {(old.table, old.name): old.since_lock for old in past.retired}
    since |= {(table.name, one.name): one.since_lock for table in past.tables for one in table.variables}
    tables = tuple(_dated(table, since, lock_id) for table in model.tables)
    return replace(model, tables=tables, retired=_retired(past, tables, lock_id))


def _dated(table: Table, since: Mapping[tuple[str, str], str], lock_id: str) -> Table:
    variables = (replace(one, since_lock=since.get((table.name, one.name), lock_id)) for one in table.variables)
    return replace(table, variables=tuple(variables))


def _retired(past: Model, tables: tuple[Table, ...], lock_id: str) -> tuple[Retired, ...]:
    here = {(table.name, name) for table in tables for name in table.names}
    gone = [
        Retired(table.name, one.name, one.label, one.type, one.since_lock, lock_id, one.reveals_allocation)
        for table in past.tables
        for one in table.variables
        if (table.name, one.name) not in here
    ]
    still_gone = [old for old in past.retired if (old.table, old.name) not in here]
    return tuple(sorted([*still_gone, *gone], key=lambda old: (old.table, old.name)))
