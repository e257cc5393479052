"""Running the acceptance test of a draft: in a process of its own, on a database of its own, with keys of its own.

The database is an SQLite file in a temporary folder on every installation, PostgreSQL ones too: the account of an
application must not be able to make databases there. What differs between the two databases, the locking, is tested
on both by tests/randomisation/test_race.py; the report says on which database the cases ran.
"""

import json
import os
import platform
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from randomisation.drafts import draft_parameters
from randomisation.engine.source import VERSION
from randomisation.models import Revision
from trial import __version__
from trial.allocation.acceptance.covered import COVERED
from trial.allocation.errors import AllocationRefused
from trial.allocation.schemes import told

LONGEST_S = 300
_KEPT = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "TZ", "GIT_COMMIT", "INSTRUMENTS_DIR")
Progress = Callable[[int, int], None]


@sensitive_variables()
def run_cases(revision: Revision, progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Execute every case with the parameters of a draft; nothing is written to the live database.

    Args:
        progress: told after each case how many are done, and of how many.

    Returns:
        the document to keep: software, database, `cases` and `vectors`, without arm, secret or restricted value.

    Raises:
        AllocationRefused: the draft cannot be opened, or the program did not come to its end.
    """
    with told():
        parameters = json.loads(draft_parameters(revision).canonical())
    scheme = revision.scheme
    given = {
        "parameters": parameters,
        "households": scheme.households,
        "corrections_count": scheme.corrections_count,
    }
    result = _run(json.dumps(given).encode("utf-8"), progress)
    return {
        "software_version": __version__,
        "commit": _commit(),
        "engine_version": VERSION,
        "database": f"SQLite {sqlite3.sqlite_version}, a temporary file",
        "python": platform.python_version(),
        **result,
        "cases": [*result["cases"], *(one.outcome().as_json() for one in COVERED)],
    }


def _program(folder: Path) -> "subprocess.Popen[bytes]":
    """The program of `__main__`. What it logs is not kept: it tells of made-up people."""
    return subprocess.Popen(
        [sys.executable, "-m", "trial.allocation.acceptance"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(folder),
        cwd=settings.BASE_DIR,
    )


@sensitive_variables()
def _run(given: bytes, progress: Progress) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="hedgerow-acceptance-") as folder, _program(Path(folder)) as program:
        timer = Timer(LONGEST_S, program.kill)
        timer.start()
        try:
            result = _conversation(program, given, progress)
        finally:
            timer.cancel()
            program.kill()
    if result is None:
        raise AllocationRefused("The acceptance test did not come to its end. Try again; tell the administrator.")
    return result


def _conversation(program: "subprocess.Popen[bytes]", given: bytes, progress: Progress) -> dict[str, Any] | None:
    """Hand the parameters over, and listen to the end."""
    if program.stdin is None or program.stdout is None:
        return None
    try:
        program.stdin.write(given)
        program.stdin.close()
    except BrokenPipeError:
        return None
    for line in _lines(program.stdout):
        if "result" in line:
            return dict(line["result"])
        progress(line["done"], line["total"])
    return None


def _commit() -> str:
    """The commit of the running code; the environment names it where there is no repository, as in an image."""
    if named := os.environ.get("GIT_COMMIT"):
        return named
    command = ["git", "-C", str(settings.BASE_DIR), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()


def _lines(output: Any) -> Iterator[dict[str, Any]]:
    for line in output:
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _environment(folder: Path) -> dict[str, str]:
    """Where to work, and keys that seal nothing else; no key of this installation is handed over."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "trial.settings",
        "TRAINING": "1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "LOOKUP_KEY": secrets.token_urlsafe(32),
        "IDENTITY_KEYS": Fernet.generate_key().decode("ascii"),
        "SEALING_KEYS": Fernet.generate_key().decode("ascii"),
        "VAR_DIR": str(folder),
        "HIGH_WATER_FILE": str(folder / "high_water.json"),
        "DATABASE_URL": f"sqlite:///{folder / 'acceptance.sqlite3'}",
        "TMPDIR": str(folder),
    }
