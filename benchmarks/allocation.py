"""Allocations a second with 8 processes in one scheme, beside plain inserts by the same 8 processes."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import connection, transaction

from benchmarks.figures import Figure

PROCESSES = 8
PEOPLE = 240
AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def measure() -> list[Figure]:
    """Transactions a second over all processes; each person is tried once."""
    from randomisation.drafts import create_scheme
    from randomisation.states import open_scheme
    from tests.randomisation.life import lock_scheme
    from tests.randomisation.people import make_participant, make_user

    user, one, other = make_user(), make_user(), make_user()
    scheme = create_scheme(code="bench", name="Benchmark")
    parameters = {
        "arms": ["a", "b"],
        "ratio": [1, 1],
        "method": "permuted_blocks",
        "block_sizes": [4, 6],
        "factors": [],
    }
    lock_scheme(scheme=scheme, parameters=parameters, rows_per_stratum=PEOPLE, approvers=(one, other), by=user, at=AT)
    open_scheme(scheme=scheme, by=user, at=AT)
    people = [make_participant() for _ in range(PEOPLE)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_insert (unit varchar(64))")
    numbers = [(person.pk, person.study_id) for person in people]
    allocated = _rate("allocate", numbers)
    return [Figure("allocation, 8 processes", allocated, "plain inserts", _rate("insert", numbers), "a second")]


def _rate(what: str, people: Sequence[tuple[int, str]]) -> float:
    """Start the processes, let them go together, and count what they did in a second."""
    shares = [people[n::PROCESSES] for n in range(PROCESSES)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.allocation", what, *(f"{pk}={unit}" for pk, unit in share)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ.copy(),
        )
        for share in shares
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
    start = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        assert process.wait() == 0
    return len(people) / (time.perf_counter() - start)


def _worker(what: str, people: list[tuple[int, str]]) -> None:
    import django

    django.setup()
    from randomisation.allocate import allocate
    from randomisation.models import Scheme
    from randomisation.requests import Member, UnitRequest
    from trial.access.models import User

    scheme, user = Scheme.objects.get(code="bench"), User.objects.earliest("id")
    print("ready", flush=True)
    sys.stdin.readline()
    for pk, unit in people:
        if what == "insert":
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("INSERT INTO bench_insert VALUES (%s)", [unit])
        else:
            allocate(
                scheme=scheme,
                request=UnitRequest(unit, [Member(pk, {})], f"bench-{unit}", user, "01", AT, "benchmark"),
                check=lambda request: [],
            )


if __name__ == "__main__":
    given = [argument.split("=", 1) for argument in sys.argv[2:]]
    _worker(sys.argv[1], [(int(pk), unit) for pk, unit in given])
