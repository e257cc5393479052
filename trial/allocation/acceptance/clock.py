"""The time of an acceptance test: a fixed day, a second later each time it is asked."""

from datetime import UTC, datetime, timedelta
from itertools import count

_START = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
_seconds = count()


def moment() -> datetime:
    """The next second."""
    return _START + timedelta(seconds=next(_seconds))
