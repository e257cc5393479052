"""The files that every release has beside its formats: README, CHANGES, MANIFEST and SHA256SUMS."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from exports import software
from exports.archive import sha256_of
from exports.dataset import Dataset
from exports.differences import TableChange
from exports.missing_codes import MISSING
from exports.software import Software
from exports.variants import NOT_LOCKED, VARIANTS
from exports.writers import Writer, Written

MANIFEST_VERSION = "1.0"
MANIFEST, SUMS, README, CHANGES = "MANIFEST.json", "SHA256SUMS", "README.txt", "CHANGES.txt"


def release_name(dataset: Dataset) -> str:
    """Name of the zip and of its one top folder: study, lock, variant, date of the lock (section 3)."""
    provenance = dataset.provenance
    parts = [provenance.study.code, provenance.lock_id, dataset.variant]
    return "_".join([*parts, provenance.lock_date] if VARIANTS[dataset.variant].dated else parts)


def state_line(dataset: Dataset) -> str:
    """Whether the data were locked, in words."""
    provenance = dataset.provenance
    if provenance.is_final:
        return f"Locked: {provenance.lock_id}, {provenance.lock_time}"
    return f"{NOT_LOCKED}: data cut {provenance.lock_id}, {provenance.lock_time}. Edits go on."


# -- README.txt


def readme(dataset: Dataset, content_sha256: str) -> str:
    """What this is, how to read it, whom to ask and how to cite it."""
    study, provenance = dataset.provenance.study, dataset.provenance
    variant = VARIANTS[dataset.variant].in_a_sentence
    lines = [
        f"{study.code}: {study.title}",
        "",
        f"Release {provenance.lock_id}, {variant}",
        state_line(dataset),
        f"Data through {provenance.data_through.isoformat()}",
        "",
        "How to read it",
        "  data/csv/        one file a table, UTF-8, comma, first line names; one row is one key",
        "  codebook/        every variable, code list, missing code and visit, as CSV and JSON",
        "  docs/            how every derived variable comes about",
        f"  {MANIFEST}    where it comes from, and every file with its SHA-256",
        f"  {SUMS}       check all files with: sha256sum -c {SUMS}",
        f"  {CHANGES}      differences from the lock before",
        "",
        *_variant_lines(dataset),
        "Dates are ISO 8601. Times are Europe/London with their offset. Yes is 1 and no is 0.",
        "A text cell that starts with an apostrophe before = + - or @ is that text without the apostrophe.",
        "",
        "Missing values",
        *(f"  {reason.code}  {reason.label}" for reason in MISSING),
        "  blank  not yet due, or out of the release's scope",
        "  Dates, decimals and text cannot hold these codes: a column ending in _miss, _dmiss or _ms holds them.",
        "",
        "Tables",
        *(f"  {table.name:<26} {table.row}" for table in dataset.model.tables),
        "",
        f"Questions: {study.contact}",
        f"Cite as: {study.sponsor}. {study.title} ({study.registration}). Dataset {provenance.lock_id}, {variant}.",
        f"Content SHA-256 {content_sha256}",
    ]
    return "\n".join(lines) + "\n"


MASKED_LINES = (
    "Arms are letters in this release, in the table masked_allocation. The letters stay the same for the whole trial.",
    "What they stand for is held apart and is in no file. Keep this release from everybody who is blinded.",
    "",
    "Limits of the masking",
    "  Arms of unequal size, variables of one arm only and dates of one arm's sessions would each identify a letter.",
    "  Variables of one arm only, and all that describes delivery, are therefore left out.",
    "  Session dates are left out, and whole weeks since allocation stand in their place.",
    "  Numbers of people by letter are not changed: where arms are of unequal size, they identify the letters.",
    "",
)
"""What masking cannot do (randomisation.md 6.5)."""


def _variant_lines(dataset: Dataset) -> list[str]:
    if VARIANTS[dataset.variant].masked:
        return list(MASKED_LINES)
    if VARIANTS[dataset.variant].reveals_allocation:
        return [
            "This release reveals allocation. Keep it from everybody who is blinded.",
            "Levels that begin with used_ are those of the moment of randomisation, true_ those corrected later.",
            "The arm stands either way; the analysis plan says which levels count.",
            "",
        ]
    return ["Nothing in this release reveals allocation. What would is left out.", ""]


# -- CHANGES.txt


def changes_text(dataset: Dataset, changes: Sequence[TableChange] | None) -> str:
    """Rows and cells that differ from the lock before, by table."""
    provenance = dataset.provenance
    head = [
        f"{provenance.study.code} {provenance.lock_id}, {VARIANTS[dataset.variant].in_a_sentence}",
        state_line(dataset),
        "",
    ]
    if changes is None:
        return "\n".join([*head, "There is no earlier cut or lock to compare with."]) + "\n"
    changed = [change for change in changes if change.is_changed]
    lines = [
        *head,
        f"Compared with {provenance.previous}: {len(changed)} tables changed, {len(changes) - len(changed)} did not.",
        "",
        f"{'table':<26} {'rows':>9} {'added':>9} {'removed':>9} {'cells':>9}",
    ]
    for one in changes:
        lines.append(f"{one.table:<26} {one.rows:>9} {one.added:>9} {one.removed:>9} {one.cells:>9}")
        lines += [f"  variable added: {name}" for name in one.variables_added]
        lines += [f"  variable removed: {name}" for name in one.variables_removed]
    return "\n".join(lines) + "\n"


# -- MANIFEST.json, SHA256SUMS


@dataclass(frozen=True)
class FileEntry:
    """One file as the manifest lists it."""

    path: str
    bytes: int
    sha256: str
    format: str
    table: str
    rows: int | None
    columns: int | None


def file_entries(folder: Path, written: Iterable[Written]) -> list[FileEntry]:
    """The files of a release folder, sorted by path."""
    entries = [
        FileEntry(
            path=one.path.relative_to(folder).as_posix(),
            bytes=one.path.stat().st_size,
            sha256=sha256_of(one.path),
            format=one.format,
            table=one.table,
            rows=one.rows,
            columns=one.columns,
        )
        for one in written
    ]
    return sorted(entries, key=lambda entry: entry.path)


def manifest(
    dataset: Dataset, entries: Sequence[FileEntry], writers: Iterable[Writer], code: Software, content_sha256: str
) -> dict[str, Any]:
    """Where the release comes from, and every file but itself and the sums (section 9)."""
    provenance, study = dataset.provenance, dataset.provenance.study
    tables = {entry.table: {"rows": entry.rows, "columns": entry.columns} for entry in entries if entry.table}
    written_by = software.described(code, {name for writer in writers for name in writer.libraries})
    people = tables.get("participants") or tables.get("randomisation") or {"rows": 0}
    return {
        "manifest_version": MANIFEST_VERSION,
        "study": {
            "code": study.code,
            "title": study.title,
            "registration": study.registration,
            "protocol_version": study.protocol_version,
        },
        "release": {
            "lock_id": provenance.lock_id,
            "lock_time": provenance.lock_time,
            "state": "LOCKED" if provenance.is_final else NOT_LOCKED,
            "variant": dataset.variant,
            "data_through": provenance.data_through.isoformat(),
            "audit_head": dict(provenance.audit_head),
            "options": dict(dataset.options),
            "locked_by": provenance.locked_by,
            "authorised_by": list(provenance.authorised_by),
        },
        "software": {
            **written_by,
            "schema_version": dict(provenance.schema_version),
            "instrument_versions": dict(provenance.instrument_versions),
        },
        "counts": {"participants": people["rows"], "tables": tables},
        "files": [_without_nothing(asdict(entry)) for entry in entries],
        "content_sha256": content_sha256,
        "signature": None,
    }


def _without_nothing(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value not in (None, "")}


def manifest_text(content: Mapping[str, Any]) -> str:
    """JSON in declared key order, with a final new line."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def sums_text(dataset: Dataset, folder: Path, files: Iterable[Path]) -> str:
    """Hashes of every file, for `sha256sum -c`; of a cut, after a comment that says NOT LOCKED."""
    lines = [f"{sha256_of(file)}  {file.relative_to(folder).as_posix()}" for file in sorted(files)]
    head = [] if dataset.provenance.is_final else [f"# {state_line(dataset)}"]
    return "\n".join([*head, *lines]) + "\n"
