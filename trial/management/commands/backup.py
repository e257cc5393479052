"""manage.py backup FILE"""

import hashlib
import os
import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

PAGES_AT_ONCE = 500


class Command(BaseCommand):
    """Works while people work. PostgreSQL is backed up with pg_dump or pgBackRest (docs)."""

    help = "Write a consistent copy of the SQLite database to FILE, check it, and print its SHA-256."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Copy beside the target first, so that FILE is either whole or not there."""
        connection, target = connections["default"], options["file"]
        if connection.vendor != "sqlite":
            raise CommandError("This database is PostgreSQL: use pg_dump --format=custom, or pgBackRest.")
        if target.exists():
            raise CommandError(f"{target.name} is there already. Choose another name.")
        if not target.parent.is_dir():
            raise CommandError(f"There is no folder {target.parent}.")
        partial = target.with_name(f"{target.name}.partial")
        try:
            copy_database(connection, partial)
            partial.replace(target)
        except (OSError, sqlite3.Error) as error:
            partial.unlink(missing_ok=True)
            raise CommandError(f"The backup was not written: {error}") from error
        self.stdout.write(f"{target.name}: {target.stat().st_size} bytes, SHA-256 {_sha256(target)}")


def copy_database(connection: Any, target: Path) -> None:
    """Copy the database of a connection, flushed to disk, and prove that the copy is sound.

    Raises:
        sqlite3.Error: the copy fails its integrity check.
        OSError: the file cannot be written.
    """
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    connection.ensure_connection()
    copy = sqlite3.connect(target)
    try:
        connection.connection.backup(copy, pages=PAGES_AT_ONCE)
        copy.execute("PRAGMA ignore_check_constraints = ON")  # they call functions that only Django's connections have
        (answer,) = copy.execute("PRAGMA integrity_check").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"the copy is not sound: {answer}")
    finally:
        copy.close()
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
