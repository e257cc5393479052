"""Run each benchmark on an empty database of its own: `python -m benchmarks [NAME …]`.

SQLite in a temporary folder, or the PostgreSQL server of DATABASE_URL, where a database is made and dropped.
"""

import importlib
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, table


@contextmanager
def empty_database() -> Iterator[None]:
    """Point DATABASE_URL and VAR_DIR at places of our own, and make the tables."""
    url = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="hedgerow-bench-") as folder:
        os.environ.update(VAR_DIR=folder, DJANGO_SETTINGS_MODULE="tests.settings", SECOND_FACTOR_REQUIRED="0")
        if not url.startswith("postgres"):
            os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
            _make_tables()
            yield
            return
        import psycopg

        name = f"hedgerow_bench_{uuid.uuid4().hex[:8]}"
        server = url.rsplit("/", 1)[0]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
            os.environ["DATABASE_URL"] = f"{server}/{name}"
            try:
                _make_tables()
                yield
            finally:
                from django.db import connections

                connections.close_all()
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


def _make_tables() -> None:
    """Tables straight from the models, which is quick."""
    import django

    django.setup()
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}
    call_command("migrate", verbosity=0, run_syncdb=True)


NAMES = (
    "save_phq9",
    "answer_question",
    "import_referrals",
    "allocation",
    "participant_list",
    "search_people",
    "rotate_people",
    "release",
    "scoring",
    "simulation",
)


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all: each in a process and on a database of its own."""
    if unknown := set(names) - set(NAMES):
        print(f"No benchmark is called {', '.join(sorted(unknown))}. There are: {', '.join(NAMES)}.")
        return 2
    if len(names) != 1:
        runs = [subprocess.run([sys.executable, "-m", "benchmarks", name], check=False) for name in names or NAMES]
        return max(run.returncode for run in runs)
    with empty_database():
        figures: list[Figure] = importlib.import_module(f"benchmarks.{names[0]}").measure()
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
