"""Whether the system can do its work: what `/readyz` answers and the administrator's page says in words."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from trial.allocation import marks
from trial.allocation.seals import sealing_keys_work
from trial.base import keys, triggers
from trial.participants.models import Person

PROBE = "Hedgerow"


@dataclass(frozen=True)
class Check:
    """One thing that must hold.

    Attributes:
        label: what is checked.
        problem: what is wrong and what to do; empty when all is well. For administrators and logs only.
        stops_all: whether nothing may be asked of the system while it is wrong.
    """

    label: str
    problem: str = ""
    stops_all: bool = True

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem


def checks() -> list[Check]:
    """Every check, in the order in which they depend on each other. Without a database the rest is not asked."""
    reachable = Check("Database", _database())
    if not reachable.is_well:
        return [reachable]
    found = [Check(label, find()) for label, find in FURTHER.items()]
    # Randomisation stops by itself; answers, safety and code breaks go on.
    return [reachable, *found, Check("Mark of the last allocation", marks.problem(), stops_all=False)]


def is_ready() -> bool:
    """Whether requests may be sent here."""
    return all(check.is_well for check in checks() if check.stops_all)


def _database() -> str:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"The database does not answer ({type(error).__name__}). Check DATABASE_URL and the server."
    return ""


def _migrations() -> str:
    executor = MigrationExecutor(connections["default"])
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(waiting)} migrations are not applied. Run manage.py migrate." if waiting else ""


def _triggers() -> str:
    tables = triggers.missing(connections["default"])
    return f"Triggers are missing on {', '.join(tables)}. Run manage.py migrate." if tables else ""


def _identity_keys() -> str:
    """The key list seals, and opens the newest person's data key."""
    try:
        wrapped = keys.new_data_key()
        works = keys.unseal(wrapped, keys.seal(wrapped, PROBE)) == PROBE
        newest = Person.objects.exclude(wrapped_key="").order_by("-pk").first()
        if newest is not None:
            keys.seal(newest.wrapped_key, PROBE)
    except (keys.SealBroken, ValueError):
        works = False
    return "" if works and settings.LOOKUP_KEY else "IDENTITY_KEYS or LOOKUP_KEY do not open what is stored."


def _sealing_keys() -> str:
    return "" if sealing_keys_work() else "SEALING_KEYS do not open the randomisation list: no allocation can be made."


FURTHER: dict[str, Callable[[], str]] = {
    "Migrations": _migrations,
    "Triggers": _triggers,
    "Keys of identity data": _identity_keys,
    "Keys of the randomisation list": _sealing_keys,
}
