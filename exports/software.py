"""Which code wrote a release: version, commit, Python and libraries, for the manifest (section 9)."""

import os
import platform
import subprocess
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from trial import __version__

NAME = "Hedgerow"
COMMIT_VARIABLE = "GIT_COMMIT"
UNKNOWN = "unknown"
ROOT = Path(__file__).resolve().parent.parent
OUR_APPS = ("trial", "randomisation", "exports")


@dataclass(frozen=True)
class Software:
    """The code of one process."""

    version: str
    git_commit: str
    git_dirty: bool

    @property
    def key(self) -> str:
        """One text for one state of the code."""
        return f"{self.version}+{self.git_commit}{'-dirty' if self.git_dirty else ''}"


@cache
def current() -> Software:
    """The running code. The environment names the commit where there is no repository, as in an image."""
    if commit := os.environ.get(COMMIT_VARIABLE):
        return Software(__version__, commit, False)
    commit = _git("rev-parse", "HEAD")
    return Software(__version__, commit or UNKNOWN, bool(commit) and bool(_git("status", "--porcelain")))


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def schema_version(using: str = "default") -> dict[str, str]:
    """Last migration of each of our apps that the database has; empty where none was applied."""
    recorder = MigrationRecorder(connections[using])
    applied = recorder.applied_migrations() if recorder.has_table() else {}
    return {app: max((name for label, name in applied if label == app), default="") for app in OUR_APPS}


def described(software: Software, libraries: Iterable[str]) -> dict[str, Any]:
    """What the manifest says of the software that wrote the files."""
    return {
        "name": NAME,
        "version": software.version,
        "git_commit": software.git_commit,
        "git_dirty": software.git_dirty,
        "python": platform.python_version(),
        "libraries": {"zlib": zlib.ZLIB_RUNTIME_VERSION} | {name: metadata.version(name) for name in sorted(libraries)},
    }
