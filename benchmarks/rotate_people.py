"""Rotating the keys of 10,000 people, stopped half-way and started again."""

import time

from cryptography.fernet import Fernet
from django.conf import settings

from benchmarks import search_people
from benchmarks.figures import Figure
from tests.factories import NOW, Trial
from trial.base import keys
from trial.operations import rotation
from trial.participants import identity
from trial.participants.models import Person


def measure() -> list[Figure]:
    """Seconds for all, in two runs; the floor is wrapping the same keys in memory."""
    Trial()
    search_people.people()
    wrapped = list(Person.objects.values_list("wrapped_key", flat=True))
    new = Fernet.generate_key().decode()
    settings.IDENTITY_KEYS = [new, *settings.IDENTITY_KEYS]
    start = time.perf_counter()
    for one in wrapped:
        keys.rewrap(one)
    floor = time.perf_counter() - start
    halfway = _stopped_after(25)
    start = time.perf_counter()
    n_rest = rotation.rotate(at=NOW)
    rest = time.perf_counter() - start
    settings.IDENTITY_KEYS = [new]
    assert halfway[0] + n_rest >= len(wrapped)
    assert identity.read(Person.objects.latest("pk")).first_name == "Ann"
    assert rotation.rotate(at=NOW) == 0
    return [
        Figure(f"keys rotated before the stop: {halfway[0]:,}", halfway[1], "wrapping in memory", floor, "s"),
        Figure(f"keys rotated after it: {n_rest:,}", rest, "wrapping in memory", floor, "s"),
    ]


class Stopped(Exception):
    """Somebody pulled the plug."""


def _stopped_after(n_chunks: int) -> tuple[int, float]:
    """Rotate so many chunks, then stop as a killed process would: the chunk under way is lost."""
    whole, done = rotation._rotate_rows, [0, 0]

    def counted(model: type, wanted: list[int]) -> int:
        if done[0] == n_chunks:
            raise Stopped
        done[0] += 1
        done[1] += (n := whole(model, wanted))
        return n

    rotation._rotate_rows = counted
    start = time.perf_counter()
    try:
        rotation.rotate(at=NOW)
    except Stopped:
        pass
    finally:
        rotation._rotate_rows = whole
    return done[1], time.perf_counter() - start
