"""Build a release from a canonical file alone: the same file, variant, options and code give the same bytes (BR-66)."""

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exports import package, software
from exports.archive import sha256_of, write_zip
from exports.canonical import Canonical, opened
from exports.dataset import Dataset
from exports.differences import TableChange, compare
from exports.software import Software
from exports.variants import VARIANTS, content_sha256, dataset_of
from exports.writers import WRITERS, Writer, Written

OPTIONS: Mapping[str, Any] = {"missing": "codes", "free_text": False, "date_shift": False}
"""What a release is made with; each is in the manifest."""


@dataclass(frozen=True)
class Source:
    """A canonical file, with the key that only variants which reveal allocation are given.

    Attributes:
        masked_key: opens the masked letters and nothing else; only the masked variant is given it.
    """

    path: Path
    wrapped_key: str = ""
    masked_key: str = ""


@dataclass(frozen=True)
class Built:
    """A finished zip and what the page says of it."""

    path: Path
    name: str
    sha256: str
    n_bytes: int
    n_files: int
    content_sha256: str
    counts: Mapping[str, Any]
    changes: tuple[TableChange, ...] | None


def build(
    source: Source,
    variant: str,
    folder: Path,
    *,
    previous: Source | None = None,
    writers: Iterable[str] = tuple(WRITERS),
    code: Software | None = None,
) -> Built:
    """Write the zip of one variant into `folder`, which must exist.

    Args:
        previous: canonical file of the lock before, for CHANGES.txt.
        writers: names in WRITERS.
        code: the code that writes; the running one unless told.

    Raises:
        SealBroken: the variant reveals allocation, or masks it, and the key does not fit.
    """
    chosen = [WRITERS[name] for name in writers]
    with ExitStack() as stack:
        canonical = stack.enter_context(open_source(source, variant))
        earlier = stack.enter_context(open_source(previous, variant)) if previous else None
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".building-", dir=folder)))
        dataset = dataset_of(canonical, variant, OPTIONS)
        content = content_sha256(canonical, variant)
        changes = tuple(compare(earlier, canonical, variant)) if earlier else None
        top = work / package.release_name(dataset)
        top.mkdir()
        counts = _write_all(dataset, top, chosen, changes, content, code or software.current())
        return _zipped(folder, top, content, counts, changes)


def open_source(source: Source, variant: str) -> AbstractContextManager[Canonical]:
    """The file with no more keys than the variant needs: a blinded build cannot open the sealed part by mistake."""
    chosen = VARIANTS[variant]
    return opened(
        source.path,
        wrapped_key=source.wrapped_key if chosen.reveals_allocation else "",
        masked_key=source.masked_key if chosen.masked else "",
    )


def _write_all(
    dataset: Dataset,
    top: Path,
    writers: list[Writer],
    changes: tuple[TableChange, ...] | None,
    content: str,
    code: Software,
) -> Mapping[str, Any]:
    texts = {package.README: package.readme(dataset, content), package.CHANGES: package.changes_text(dataset, changes)}
    written = [Written(_write(top / name, text), "text") for name, text in texts.items()]
    for writer in writers:
        written += writer.write(dataset, top)
    entries = package.file_entries(top, written)
    manifest = package.manifest(dataset, entries, writers, code, content)
    described = _write(top / package.MANIFEST, package.manifest_text(manifest))
    files = [*(one.path for one in written), described]
    _write(top / package.SUMS, package.sums_text(dataset, top, files))
    counts: Mapping[str, Any] = manifest["counts"]
    return counts


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def _zipped(
    folder: Path, top: Path, content: str, counts: Mapping[str, Any], changes: tuple[TableChange, ...] | None
) -> Built:
    files = {path.relative_to(top.parent).as_posix(): path for path in top.rglob("*") if path.is_file()}
    target = folder / f"{top.name}.zip"
    write_zip(target, files)
    return Built(
        path=target,
        name=target.name,
        sha256=sha256_of(target),
        n_bytes=target.stat().st_size,
        n_files=len(files),
        content_sha256=content,
        counts=counts,
        changes=changes,
    )


__all__ = ["OPTIONS", "Built", "Canonical", "Source", "build", "open_source"]
