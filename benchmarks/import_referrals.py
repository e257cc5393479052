"""Bringing in 5,000 referrals: the dry run and the saving, beside plain inserts of as many rows (at most 60 s each)."""

import time
from datetime import UTC, datetime

from django.db import connection, transaction

from benchmarks.figures import Figure

LINES = 5_000
INSERTS = "as many plain inserts"
AT = datetime(2026, 7, 9, 10, 0, tzinfo=UTC)
HEAD = (
    "source_type,referral_model,referrer,received_date,contact_basis,sex,first_name,last_name,birth_date,nhs_number,phone,gp_practice,"
    "notes"
)


def measure() -> list[Figure]:
    """Seconds for the list, once checked and once saved, in the parts that a job saves."""
    from tests.factories import Trial
    from trial.journey import importing
    from trial.participants.models import Referral

    trial = Trial()
    data = "\n".join([HEAD, *(_line(number) for number in range(LINES))]).encode()
    floor = _inserts()
    began = time.perf_counter()
    made = importing.check(data=data, file_name="list.csv", by=trial.coordinator, at=AT)
    checked = time.perf_counter()
    importing.confirm(made=made, by=trial.coordinator, at=AT, n_lines=LINES)
    saved = time.perf_counter()
    assert Referral.objects.count() == LINES
    return [
        Figure(f"{LINES:,} referrals checked (at most 60 s)", checked - began, INSERTS, floor, "s"),
        Figure(f"{LINES:,} referrals saved (at most 60 s)", saved - checked, INSERTS, floor, "s"),
    ]


def _line(number: int) -> str:
    """One person: names of letters only, a right NHS number, a practice."""
    last = "".join(chr(ord("a") + int(digit)) for digit in f"{number:05d}").title()
    born = f"{1 + number % 28}/{1 + number % 12}/{1940 + number % 60}"
    rest = f"{_nhs(number)},01632 960001,Tavyside,Walks"
    return f"gp_practice,direct,Tavyside,1/7/2026,permission,female,Ann,{last},{born},{rest}"


def _nhs(number: int) -> str:
    """The next ten digits whose last one checks the others (modulus 11)."""
    for tried in range(number * 3, number * 3 + 3):
        nine = f"9{tried:08d}"
        check = -sum(int(d) * weight for d, weight in zip(nine, range(10, 1, -1), strict=True)) % 11
        if check < 10:
            return f"{nine}{check}"
    return ""


def _inserts() -> float:
    """Seconds to insert as many plain rows, in transactions as large as those of the saving."""
    from trial.journey.importing import LINES_IN_ONE_GO

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_rows (unit varchar(64), words varchar(400))")
    began = time.perf_counter()
    for start in range(0, LINES, LINES_IN_ONE_GO):
        with transaction.atomic(), connection.cursor() as cursor:
            for number in range(start, start + LINES_IN_ONE_GO):
                cursor.execute("INSERT INTO bench_rows VALUES (%s, %s)", [str(number), "x" * 300])
    return time.perf_counter() - began
