"""Fixtures for every test: triggers lifted for Django's own clean-up, a fixed clock where asked for."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from _pytest.unittest import TestCaseFunction
from django.conf import settings as django_settings
from django.db import connection, connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from instruments import catalogue
from tests import browser
from trial.base import triggers

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's own event loop runs in the test's thread

_teardown = TransactionTestCase._fixture_teardown


def _teardown_with_triggers_lifted(self: TransactionTestCase) -> None:
    """Tables that refuse deletion are emptied after a test that commits, by the owner's switch."""
    with triggers.lifted(connections["default"]):
        _teardown(self)


TransactionTestCase._fixture_teardown = _teardown_with_triggers_lifted


def _has_chromium() -> bool:
    return bool(browser.CHROMIUM)


def _has_postgres() -> bool:
    """Whether a PostgreSQL server is given by DATABASE_URL, or found at 127.0.0.1:5432."""
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return True
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", 5432)) == 0


MEANS = {
    "browser": (_has_chromium, "browser tests need Chromium: install it, or set CHROMIUM=/path/to/it"),
    "postgres": (_has_postgres, "PostgreSQL tests need a server on 127.0.0.1:5432, or DATABASE_URL"),
}


def _lacking() -> dict[str, str]:
    return {mark: how for mark, (is_there, how) in MEANS.items() if not is_there()}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this machine has no means for, and what belongs to the other database."""
    vendor = django_settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]
    others = {"only_sqlite", "only_postgresql"} - {f"only_{vendor.removesuffix('3')}"}
    unwanted = {*_lacking(), *others}
    left_out = [
        item
        for item in items
        if any(item.get_closest_marker(mark) for mark in unwanted) or (vendor != "sqlite3" and not _tells_of_data(item))
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _tells_of_data(item: pytest.Item) -> bool:
    """Whether a test opens the database under test. The others, and looks at pages, run with SQLite only."""
    looks_at_pages = item.get_closest_marker("browser") and "journeys" not in item.path.parts
    opens = item.get_closest_marker("django_db") or "db" in getattr(item, "fixturenames", ())
    return bool(not looks_at_pages and (opens or isinstance(item, TestCaseFunction)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line at the end: what was skipped, and how to enable it."""
    if lacking := _lacking():
        terminalreporter.write_line(f"Skipped: {'; '.join(lacking.values())}.")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On the build machine nothing of this tier may be skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped") if reporter else None
    if os.environ.get("NOTHING_SKIPPED") and (_lacking() or skipped):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """End every session at the end: PostgreSQL drops no database that somebody looks at.

    The read-only connection is one, and those of threads that a test or the live server started are others.
    """
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        connections.close_all()


NOW = datetime(2026, 7, 9, 10, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Thursday 9 July 2026, 11am in London; move it with `clock.shift(…)`."""
    with time_machine.travel(NOW, tick=False) as coordinates:
        yield coordinates


@pytest.fixture(autouse=True, scope="session")
def own_high_water_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each process that runs tests has a mark of its own, also while a class sets up its data."""
    django_settings.HIGH_WATER_FILE = tmp_path_factory.getbasetemp() / "high_water.json"


@pytest.fixture(autouse=True)
def high_water_mark(own_high_water_file: None) -> None:
    """A test's database is rolled back, and its mark with it: none is left for the next one."""
    Path(django_settings.HIGH_WATER_FILE).unlink(missing_ok=True)


@pytest.fixture
def reading(db: None) -> Iterator[None]:
    """Lets the read-only connection see what the test has not committed: it is the test's own connection."""
    own = connections["reading"]
    connections["reading"] = connections["default"]
    yield
    connections["reading"] = own


@pytest.fixture
def own_instruments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A study's own folder of definitions; the function it gives writes one file there and reads all anew."""
    monkeypatch.setenv("INSTRUMENTS_DIR", str(tmp_path))

    def write(raw: dict[str, Any], name: str = "") -> None:
        (tmp_path / (name or f"{raw['code']}.json")).write_text(json.dumps(raw))
        catalogue.reload()

    yield write
    monkeypatch.undo()
    catalogue.reload()
