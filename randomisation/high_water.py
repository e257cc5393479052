"""How far each scheme has come, kept outside the database, so that an older copy is noticed (randomisation.md 9.15)."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from django.conf import settings

from randomisation import statements
from randomisation.models import EventLog, Scheme


class Standing(Enum):
    """How the database stands to the mark."""

    LEVEL = "level"
    MISSING = "missing"
    BEHIND = "behind"
    OTHER_LOG = "other_log"


@dataclass(frozen=True, slots=True)
class Mark:
    """The last entry that was committed: its number, how many allocations there were, and its digest."""

    n: int
    seq: int
    digest: str


def compare(scheme: Scheme) -> Standing:
    """Whether the database holds what the mark says."""
    mark = mark_of(scheme.code)
    return standing(scheme, mark, is_held=mark is not None and _holds(scheme.pk, mark))


def standing(scheme: Scheme, mark: Mark | None, *, is_held: bool) -> Standing:
    """The same, of facts already read. A scheme without allocations needs no mark."""
    if mark is None:
        return Standing.MISSING if scheme.next_seq > 1 else Standing.LEVEL
    if scheme.next_seq - 1 < mark.seq:
        return Standing.BEHIND
    return Standing.LEVEL if is_held else Standing.OTHER_LOG


def mark_of(scheme_code: str) -> Mark | None:
    """The mark of one scheme; None without one, or when the file cannot be read."""
    return _read().get(scheme_code)


def n_lost(scheme: Scheme) -> int:
    """How many allocations the mark knows and the database lacks."""
    mark = mark_of(scheme.code)
    return max(0, mark.seq - (scheme.next_seq - 1)) if mark else 0


def advance(scheme: Scheme, mark: Mark) -> None:
    """Raise the mark after a commit; one that is ahead already, or that this database does not hold, stays.

    A mark is made with the first entries of a scheme only: later on, a missing one is for two people to replace.
    """
    if (there := mark_of(scheme.code)) and there.n >= mark.n:
        return
    with _locked() as marks:
        kept = marks.get(scheme.code)
        is_first = kept is None and _is_first(scheme.pk, mark)
        if is_first or (kept is not None and kept.n < mark.n and _holds(scheme.pk, kept)):
            marks[scheme.code] = mark


def _is_first(scheme_id: int, mark: Mark) -> bool:
    """Whether nobody was allocated before the entry of this mark."""
    entry = EventLog.objects.filter(scheme_id=scheme_id, n=mark.n, seq=mark.seq or None)
    return mark.seq == 0 or (mark.seq == 1 and entry.exists())


def _holds(scheme_id: int, mark: Mark) -> bool:
    return statements.is_there(EventLog, "scheme_id = %s AND n = %s AND digest = %s", scheme_id, mark.n, mark.digest)


def reset(scheme: Scheme) -> None:
    """Set the mark to the newest entry: only after two people approved it."""
    newest = scheme.events.order_by("-n").first()
    if newest is None:
        return
    n_allocated = Scheme.objects.get(pk=scheme.pk).next_seq - 1
    with _locked() as marks:
        marks[scheme.code] = Mark(newest.n, n_allocated, newest.digest)


def path() -> Path:
    """Where the marks lie: outside the database and its backups."""
    return Path(settings.HIGH_WATER_FILE)


def _read() -> dict[str, Mark]:
    try:
        kept = json.loads(path().read_text(encoding="ascii"))
        return {code: Mark(**mark) for code, mark in kept.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


@contextmanager
def _locked() -> Iterator[dict[str, Mark]]:
    """The marks for changing; one process at a time, and the file is replaced whole."""
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marks = _read()
        before = dict(marks)
        yield marks
        if marks != before:
            new = target.with_suffix(".new")
            with new.open("w", encoding="ascii") as file:
                json.dump({code: asdict(mark) for code, mark in marks.items()}, file, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            new.replace(target)
