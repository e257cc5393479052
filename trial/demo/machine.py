"""The demonstration on one machine: its port, its database files, its static files and its server."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from trial.access.models import User
from trial.base.errors import TrialError
from trial.demo.staff import DOMAIN

HOST = "127.0.0.1"
WORKERS = 2


class DemoRefused(TrialError):
    """The demonstration cannot be loaded, started or started over here."""


class Holding(StrEnum):
    """What a database holds."""

    NOTHING = "nothing"
    DEMONSTRATION = "demonstration"
    SOMETHING_ELSE = "something else"


def require_training() -> None:
    """Made-up data belong on a training installation only.

    Raises:
        DemoRefused: this is not one.
    """
    if not settings.TRAINING:
        raise DemoRefused("This installation is set up for real data (TRAINING=0), so the demonstration does not run.")


def require_port(port: int) -> None:
    """Refuse a port that another program listens on.

    Raises:
        DemoRefused: with what to do.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            raise DemoRefused(
                f"Port {port} is taken or not allowed. Stop what uses it, or choose another: make demo PORT={port + 1}"
            ) from None


def answer_at(port: int) -> None:
    """Let links in messages lead to this port, here and in the server that follows."""
    settings.SITE_URL = os.environ["SITE_URL"] = f"http://{HOST}:{port}"


def holding() -> Holding:
    """What the database holds, judged by its first account."""
    if User._meta.db_table not in connection.introspection.table_names():
        return Holding.NOTHING
    first = User.objects.order_by("pk").values_list("email", flat=True).first()
    if first is None:
        return Holding.NOTHING
    return Holding.DEMONSTRATION if first.endswith(f"@{DOMAIN}") else Holding.SOMETHING_ELSE


def start_over() -> None:
    """Delete the demonstration's database, the mark of its randomisation and the releases made from it.

    Raises:
        DemoRefused: the database holds other data, or is not a file of this machine.
    """
    if connection.vendor != "sqlite":
        raise DemoRefused("Only an SQLite database is deleted here. Drop and create this one with its own tools.")
    if holding() == Holding.SOMETHING_ELSE:
        raise DemoRefused("The database does not hold the demonstration, so it is not deleted.")
    connections.close_all()
    database = Path(settings.DATABASES["default"]["NAME"])
    for name in (database.name, f"{database.name}-wal", f"{database.name}-shm"):
        (database.parent / name).unlink(missing_ok=True)
    Path(settings.HIGH_WATER_FILE).unlink(missing_ok=True)
    shutil.rmtree(settings.RELEASE_DIR, ignore_errors=True)
    shutil.rmtree(settings.EMAIL_FILE_PATH, ignore_errors=True)
    shutil.rmtree(settings.SCAN_DIR, ignore_errors=True)


def _note() -> Path:
    return Path(settings.VAR_DIR) / "demonstration-unfinished"


def is_unfinished() -> bool:
    """Whether an earlier load was interrupted."""
    return _note().exists()


@contextmanager
def loading() -> Iterator[None]:
    """Leave a note while data are loaded, so that the next start sees an interruption."""
    _note().touch()
    yield
    _note().unlink()


def collect_static() -> None:
    """Gather the static files, unless that was done since the last of them changed."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    files = [path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*") if path.is_file()]
    newest = max((path.stat().st_mtime for path in files), default=0.0)
    if not manifest.exists() or manifest.stat().st_mtime < newest:
        call_command("collectstatic", interactive=False, verbosity=0)


def serve(port: int) -> NoReturn:
    """Become the server: two workers, this machine only, no access log."""
    connections.close_all()
    # A release or an acceptance test is made inside its request here, where no worker of jobs runs.
    options = ["--bind", f"{HOST}:{port}", "--workers", str(WORKERS), "--timeout", "120", "--log-level", "warning"]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "trial.wsgi", *options])
