"""Whether data may change now (R-40). Triggers refuse the same in the database."""

import logging
from contextvars import ContextVar

from django.db import connection

from trial.base.errors import TrialError
from trial.base.triggers import IN_FORCE
from trial.locking.models import DatasetLock

logger = logging.getLogger(__name__)

refused: ContextVar[list[str] | None] = ContextVar("refused", default=None)
"""Codes of the locks that stopped something during this request; the middleware writes them to the access log."""


class DatasetLocked(TrialError):
    """The dataset is locked: answers, visits, consent and queries no longer change. Each attempt is logged."""

    def __init__(self, code: str) -> None:
        logger.warning("A change of locked data was refused (%s)", code)
        if (attempts := refused.get()) is not None:
            attempts.append(code)
        super().__init__(
            f"The dataset is locked ({code}), so this was not saved. Safety, contact and withdrawal entries"
            " stay open. To change anything else, ask the data manager to unlock."
        )


_IN_FORCE = f"SELECT code FROM {DatasetLock._meta.db_table} WHERE {IN_FORCE}"  # noqa: S608


def current_lock() -> DatasetLock | None:
    """The final lock in force, if any: also while an unlock waits for its second person."""
    return DatasetLock.objects.filter(kind="final", state__in=["locked", "unlock_asked"]).first()


def require_unlocked() -> None:
    """Stop an action that would change locked data.

    Raises:
        DatasetLocked: a final lock is in force.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE)  # written out: nearly every action asks
        found = cursor.fetchone()
    if found:
        raise DatasetLocked(found[0])
