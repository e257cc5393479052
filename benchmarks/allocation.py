"""Allocations a second by many clients in one scheme, and one allocation after few and after many.

The floor of the first is plain inserts by the same clients; of the second, the same allocation early on.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection, transaction

from benchmarks.figures import Figure, median_ms

CLIENTS = {"postgresql": 16, "sqlite": 8}
PEOPLE = 960
WARM_UP = 4
"""Each client's first requests, before the clock starts: a server that runs has its statements prepared."""
FEW, MANY, REPEATS = 100, 10_000, 40
AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
SITE = {"code": "site", "levels": ["01", "02"], "weight": 1}
LISTED = {"arms": ["a", "b"], "ratio": [1, 1], "method": "permuted_blocks", "block_sizes": [4, 6], "factors": []}
BIG_STICK = {"arms": ["a", "b"], "ratio": [1, 1], "method": "big_stick", "mti": 3, "factors": []}
MINIMISED = {
    "arms": ["a", "b"],
    "ratio": [2, 1],
    "method": "minimisation",
    "factors": [SITE],
    "imbalance": "range",
    "p": "4/5",
    "burn_in": 0,
    "overall_weight": 1,
    "unequal": "pseudo_arms",
}


def measure() -> list[Figure]:
    """Allocations a second over all clients; then milliseconds for one, early and late."""
    n_clients = CLIENTS[connection.vendor]
    scheme = _opened("bench", LISTED)
    people = [_person() for _ in range(PEOPLE)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_insert (unit varchar(64))")
    allocated, inserted = _rate("allocate", people, n_clients), _rate("insert", people, n_clients)
    assert scheme.allocations.count() == PEOPLE
    return [
        Figure(f"allocation, {n_clients} clients", allocated, "plain inserts", inserted, "a second"),
        _early_and_late("permuted blocks", LISTED, n_early=10),
        _early_and_late("big stick", BIG_STICK, n_early=10),
        _early_and_late("minimisation", MINIMISED, n_early=FEW),
    ]


def _opened(code: str, parameters: dict[str, Any]) -> Any:
    from randomisation.drafts import create_scheme
    from randomisation.states import open_scheme
    from tests.randomisation.life import lock_scheme
    from tests.randomisation.people import make_user

    scheme, user, approvers = create_scheme(code=code, name="Benchmark"), make_user(), (make_user(), make_user())
    lock_scheme(scheme=scheme, parameters=parameters, rows_per_stratum=MANY, approvers=approvers, by=make_user(), at=AT)
    open_scheme(scheme=scheme, by=user, at=AT)
    return scheme


def _person() -> tuple[int, str]:
    from tests.randomisation.people import make_participant

    person = make_participant()
    return person.pk, person.study_id


def _early_and_late(name: str, parameters: dict[str, Any], *, n_early: int) -> Figure:
    """One allocation after `n_early` and after 10,000 earlier ones, of which most are put in at once."""
    scheme = _opened(name.replace(" ", "-"), parameters)
    levels = {"site": "01"} if parameters["factors"] else {}
    for _ in range(n_early):
        _allocate(scheme, _person(), levels)
    early = _median(scheme, levels)
    _fill(scheme)
    return Figure(f"one by {name}, after {MANY:,}", _median(scheme, levels), f"after {n_early}", early, "ms")


def _median(scheme: Any, levels: dict[str, str]) -> float:
    people = iter([_person() for _ in range(REPEATS + 1)])
    return median_ms(lambda: _allocate(scheme, next(people), levels), repeats=REPEATS)


def _fill(scheme: Any) -> None:
    """Copies of the last allocation and of its log entry, so that there are 10,000: as many rows, no real draws."""
    from randomisation import high_water
    from randomisation.models import Allocation, EventLog, Scheme, SealedMargins, StratumCursor
    from trial.base.triggers import lifted

    last, entry = scheme.allocations.latest("seq"), scheme.events.latest("n")
    n_more = MANY - last.seq - REPEATS - 1
    with lifted(connection), transaction.atomic():
        Allocation.objects.bulk_create(_copies(last, n_more, seq="seq", position="position"), batch_size=500)
        EventLog.objects.bulk_create(_copies(entry, n_more, n="n", seq="seq"), batch_size=500)
        Scheme.objects.filter(pk=scheme.pk).update(next_seq=last.seq + n_more + 1)
        StratumCursor.objects.filter(revision__scheme=scheme).update(next_position=last.seq + n_more + 1)
    if margins := SealedMargins.objects.filter(revision__scheme=scheme).first():
        _move_margins(margins, entry.n + n_more)
    high_water.reset(scheme)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as PostgreSQL does by itself while a table grows


def _copies(row: Any, n_copies: int, **counted: str) -> list[Any]:
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.primary_key}
    unique = [name for name in ("unit", "request_key") if name in values]
    found = []
    for number in range(1, n_copies + 1):
        own = dict.fromkeys(unique, f"copy-{row.pk}-{number}")
        own |= {name: values[name] + number for name in counted if values[name] is not None}
        found.append(type(row)(**{**values, **own}))
    return found


def _move_margins(margins: Any, n: int) -> None:
    """Margins that are level with the copied log; how many people they count makes no difference to the time."""
    from randomisation.engine.margins import Margins
    from randomisation.margins import store
    from randomisation.unsealed import unseal

    unsealed = unseal(margins.revision)
    store(margins.revision, unsealed, Margins(unsealed.design()), n=n)


def _allocate(scheme: Any, person: tuple[int, str], levels: dict[str, str]) -> None:
    from randomisation.allocate import allocate
    from randomisation.requests import Member, UnitRequest

    pk, unit = person
    key = f"{scheme.code}-{unit}"
    request = UnitRequest(unit, [Member(pk, levels)], key, _user(), "01", AT, "benchmark")
    allocate(scheme=scheme, request=request, check=lambda request: [])


@cache
def _user() -> Any:
    """Whoever is signed in: not part of an allocation."""
    from trial.access.models import User

    return User.objects.earliest("id")


def _rate(what: str, people: Sequence[tuple[int, str]], n_clients: int) -> float:
    """Start the clients, let them go together, and count what they did in a second."""
    shares = [people[n::n_clients] for n in range(n_clients)]
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
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "done"
    duration = time.perf_counter() - start
    assert [process.wait() for process in running] == [0] * n_clients
    return (len(people) - WARM_UP * n_clients) / duration


def _worker(what: str, people: list[tuple[int, str]]) -> None:
    import django

    django.setup()
    from randomisation.models import Scheme

    scheme = Scheme.objects.get(code="bench")
    for person in people[:WARM_UP]:
        _do(what, scheme, person)
    print("ready", flush=True)
    sys.stdin.readline()
    for person in people[WARM_UP:]:
        _do(what, scheme, person)
    print("done", flush=True)


def _do(what: str, scheme: Any, person: tuple[int, str]) -> None:
    if what == "allocate":
        _allocate(scheme, person, {})
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_insert VALUES (%s)", [person[1]])


if __name__ == "__main__":
    given = [argument.split("=", 1) for argument in sys.argv[2:]]
    _worker(sys.argv[1], [(int(pk), unit) for pk, unit in given])
