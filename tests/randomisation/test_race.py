"""Processes that are killed at random, on both databases (randomisation.md 8.5 and 13.11, BR-23)."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import environ
import psycopg
import pytest
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
LOCAL_SERVER = "postgres://postgres@127.0.0.1:5432/postgres"


def server():
    """The PostgreSQL server to use, as psycopg takes it."""
    url = os.environ.get("DATABASE_URL", "")
    config = environ.Env.db_url_config(url if url.startswith("postgres") else LOCAL_SERVER)
    return {
        "host": config["HOST"],
        "port": config["PORT"] or 5432,
        "user": config["USER"],
        "password": config["PASSWORD"],
        "dbname": "postgres",
    }


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path / 'race.sqlite3'}"


@pytest.fixture
def postgres_url():
    """The address of a database of its own, dropped at the end."""
    place = server()
    try:
        connection = psycopg.connect(**place, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("No PostgreSQL server: name one in DATABASE_URL")
    name = f"hedgerow_race_{uuid.uuid4().hex[:12]}"
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield f"postgres://{place['user']}:{place['password']}@{place['host']}:{place['port']}/{name}"
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    connection.close()


def race(url, folder, *, people, method, processes=16, kill_percent):
    """Run the experiment in processes of its own; what it printed."""
    results = folder / "results"
    results.mkdir()
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "VAR_DIR": str(folder),
    }
    command = [sys.executable, "-m", "tests.randomisation.race", "--folder", str(results)]
    sizes = ["--people", people, "--method", method, "--processes", processes, "--kill-percent", kill_percent]
    finished = subprocess.run(
        [*command, *map(str, sizes)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def assert_nothing_lost(outcome, people, method, processes=16):
    """Gap-free, no double, counters right, nobody busy, list or margins and log in order, every arm replayed."""
    counts = outcome.pop("counts")
    n_per_site = people // 2
    is_listed = method == "permuted_blocks"
    positions = list(range(1, n_per_site + 1)) if is_listed else [None] * n_per_site
    assert outcome == {
        "seqs": list(range(1, people + 1)),
        "positions": dict.fromkeys(("site=01", "site=02"), positions),
        "participants": people,
        "next_seq": people + 1,
        "next_positions": {"site=01": n_per_site + 1, "site=02": n_per_site + 1} if is_listed else {},
        "n_arms": people,
        "list_differences": 0,
        "broken_event": None,
    }
    assert set(counts) <= {"created", "again", "killed"}
    assert counts["created"] == people
    assert counts["again"] == (processes - 1) * people
    assert counts["killed"] > 0


METHODS = pytest.mark.parametrize("method", ["permuted_blocks", "minimisation"])


@METHODS
@pytest.mark.xdist_group("race")
def test_sixteen_processes_lose_nothing_on_sqlite(sqlite_url, tmp_path, method):
    outcome = race(sqlite_url, tmp_path, people=100, method=method, kill_percent=8)

    assert_nothing_lost(outcome, 100, method)


@METHODS
@pytest.mark.postgres
@pytest.mark.xdist_group("race")
def test_sixteen_processes_lose_nothing_on_postgresql(postgres_url, tmp_path, method):
    outcome = race(postgres_url, tmp_path, people=100, method=method, kill_percent=8)

    assert_nothing_lost(outcome, 100, method)


@METHODS
@pytest.mark.drill
@pytest.mark.xdist_group("race")
def test_hundreds_of_kills_lose_nothing_on_sqlite(sqlite_url, tmp_path, method):
    outcome = race(sqlite_url, tmp_path, people=900, method=method, kill_percent=25)

    assert_nothing_lost(outcome, 900, method)


@METHODS
@pytest.mark.drill
@pytest.mark.postgres
@pytest.mark.xdist_group("race")
def test_hundreds_of_kills_lose_nothing_on_postgresql(postgres_url, tmp_path, method):
    outcome = race(postgres_url, tmp_path, people=900, method=method, kill_percent=25)

    assert_nothing_lost(outcome, 900, method)
