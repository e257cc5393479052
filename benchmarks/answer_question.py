"""Saving one page of a questionnaire by link while 20 people answer at once, beside an empty page at the same time.

Each person reads for two to six seconds before an answer, which is quicker than people are. The budget is a 95th
percentile of 150 ms of server time.
"""

import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from benchmarks.figures import Figure
from tests.factories import Trial
from trial.schedule.models import Visit
from trial.selfcompletion import sending

PEOPLE = 20
PAGES = 12
THINK_S = (2.0, 6.0)
BORN = {"check_0": "14", "check_1": "3"}


def measure() -> list[Figure]:
    """Milliseconds of server time, 95th percentile."""
    trial = Trial()
    now = timezone.now()
    people = [trial.consented(at=now - timedelta(days=1)) for _ in range(PEOPLE)]
    paths = [_link(Visit.objects.get(participant=one, code="V1")) for one in people]
    with ThreadPoolExecutor(PEOPLE) as pool:
        measured = list(pool.map(_answer, paths))
    saves = [ms for person, _ in measured for ms in person]
    empty = [ms for _, person in measured for ms in person]
    return [Figure(f"save an answer, {PEOPLE} people, p95", _p95(saves), "empty page, p95", _p95(empty), "ms")]


def _link(visit: Visit) -> str:
    with transaction.atomic():
        url = sending.make_link(of=sending.self_completion_of(visit, None), by=None, at=timezone.now())
    return "/q/" + url.split("/q/")[1]


def _answer(path: str) -> tuple[list[float], list[float]]:
    """One person's times for saving a page and for an empty page."""
    client, saves, empty = Client(HTTP_HOST="localhost"), [], []
    try:
        client.post(path)
        client.post("/questions/check/", BORN)
        where = client.get("/questions/").headers["Location"]
        for _ in range(PAGES):
            page = client.get(where).content
            time.sleep(random.uniform(*THINK_S))
            posted = {"refuse" if b'name="refuse"' in page else "answer": "RF"}
            start = time.perf_counter()
            where = client.post(where, posted).headers["Location"]
            saves.append(_ms_since(start))
            start = time.perf_counter()
            client.get("/questions/saved/")
            empty.append(_ms_since(start))
    finally:
        connections.close_all()
    return saves, empty


def _ms_since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
