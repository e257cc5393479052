"""One transaction that waits its turn and gives up politely (randomisation.md 8.3 and 8.4)."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

from randomisation.errors import NotAllocated, Refusal

ATTEMPTS = 4
WAIT_S = 0.05
BUSY = "Too many people are randomising at this moment."
_LOCK_NOT_AVAILABLE = "55P03"
_RETRY = ("40001", "40P01")

T = TypeVar("T")


def in_own_transaction(work: Callable[[], T]) -> T:
    """Run `work` in a transaction of its own; a lost race is run again from the start.

    How long it waits for others, five seconds, is an option of the connection (8.3).

    Raises:
        NotAllocated: E_BUSY, the database stayed busy.
        RuntimeError: called inside another transaction, where no retry is possible.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            with transaction.atomic(durable=True):
                return work()
        except OperationalError as error:
            if not _is_busy(error):
                raise
            if attempt == ATTEMPTS or _state(error) == _LOCK_NOT_AVAILABLE:
                raise NotAllocated([Refusal("E_BUSY", BUSY)]) from None
        time.sleep(WAIT_S * attempt)


def _is_busy(error: OperationalError) -> bool:
    if connection.vendor == "postgresql":
        return _state(error) in (_LOCK_NOT_AVAILABLE, *_RETRY)
    return str(error).startswith("database") and str(error).endswith("is locked")


def _state(error: OperationalError) -> str:
    return str(getattr(error.__cause__, "sqlstate", ""))
