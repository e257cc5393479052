"""Zip files with fixed bytes: sorted names, one date, one mode, one compression level, no extra fields (section 12)."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

ZIP_DATE = (1980, 1, 1, 0, 0, 0)
ZIP_LEVEL = 6
UNIX, FILE_MODE = 3, 0o100644 << 16
CHUNK = 1 << 20


def write_zip(path: Path, files: Mapping[str, Path]) -> None:
    """Write `files` (name inside, file) to a zip at `path`; equal files give equal bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.create_system, info.external_attr = UNIX, FILE_MODE
            info.compress_type, info._compresslevel = zipfile.ZIP_DEFLATED, ZIP_LEVEL  # type: ignore[attr-defined]
            info.file_size = files[name].stat().st_size
            with files[name].open("rb") as source, archive.open(info, "w") as target:
                shutil.copyfileobj(source, target, CHUNK)


def sha256_of(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def keep(written: Path, folder: Path, suffix: str) -> tuple[Path, str]:
    """Move a finished file into `folder` under its own hash, read-only; equal content is kept once.

    The file must be on the same disk as `folder`, so that it appears there whole or not at all.

    Returns:
        Where it is, and its SHA-256 (hex).
    """
    sha256 = sha256_of(written)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{sha256}{suffix}"
    written.chmod(0o400)
    with written.open("rb") as file:
        os.fsync(file.fileno())
    written.replace(target)
    return target, sha256
