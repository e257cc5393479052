"""Sealed values that fail their check: nobody is allocated, nothing is guessed (6.2, section 13 point 13)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from randomisation.checking import verify_event_log, verify_list
from randomisation.growth import rotate_keys
from randomisation.models import Purpose, SealedMargins, SealedRow
from trial.allocation.acceptance.bench import Bench, in_words
from trial.allocation.acceptance.case import case, expect
from trial.allocation.acceptance.clock import moment
from trial.allocation.acceptance.world import Wanted, World
from trial.base import triggers


@contextmanager
def _keys(*keys: str) -> Iterator[None]:
    before = settings.SEALING_KEYS
    settings.SEALING_KEYS = list(keys)
    try:
        yield
    finally:
        settings.SEALING_KEYS = before


def _new_key() -> str:
    return Fernet.generate_key().decode("ascii")


@case("E11", "7, 6.2", "E_SEAL_KEY: wrong key, and no key", "Refused; with the right key the same place is allocated")
def wrong_key(world: World) -> str:
    """A copied database without its key."""
    bench = world.own()
    request, before = bench.ask(), bench.standing()
    with _keys(_new_key()):
        wrong = bench.refused(request)
    with _keys():
        without = bench.refused(request)
    expect(bench.standing() == before, "A counter moved")
    made = bench.give(request)

    expect(wrong == without == ["E_SEAL_KEY"], f"Wrong key: {in_words(wrong)}; no key: {in_words(without)}")
    expect(made.allocation.seq == before[1], "A number was skipped")
    return "E_SEAL_KEY with a wrong key and without one; with the right key the same number was given"


@case("E12", "6.2", "E_SEAL_CONTEXT: altered value", "Refused, the scheme is paused, and the check of lists says so")
def altered(world: World) -> str:
    """Two rows swapped in the database, or with minimisation another scheme's margins put in."""
    bench = world.own(Wanted(rows=8))
    bench.give()
    _swap_rows(bench) if bench.is_list else _foreign_margins(bench, world.own(Wanted(rows=8)))
    codes = bench.refused()

    expect(codes in (["E_SEAL_CONTEXT"], ["E_LIST_MISMATCH"]), f"Observed: {in_words(codes)}")
    expect(bench.scheme.state == "paused", "The scheme is not paused")
    expect(verify_list(bench.scheme) > 0, "The check of the lists finds nothing")
    return f"{codes[0]}; scheme paused; found by the check of the lists"


@case("E13", "6.2", "E_LIST_MISMATCH: missing row", "Refused, the scheme is paused, and nothing is made up")
def missing(world: World) -> str:
    """The next row of a list is gone."""
    bench = world.listed(Wanted(rows=8))
    bench.give()
    cursor = bench.cursor()
    with triggers.lifted(connection):
        _rows(bench).filter(key=cursor.key, position=cursor.next_position).delete()
    codes = bench.refused()

    expect(codes == ["E_LIST_MISMATCH"], f"Observed: {in_words(codes)}")
    expect(bench.scheme.state == "paused", "The scheme is not paused")
    return "E_LIST_MISMATCH; scheme paused"


@case("S01", "8.2", "Allocations and the log cannot be altered", "The database refuses every change and deletion")
def immutable(world: World) -> str:
    """An attempt on each table by the application's own connection."""
    allocations, entries = world.main.scheme.allocations.all(), world.main.scheme.events.all()
    tried: dict[str, Callable[[], object]] = {
        "allocation changed": lambda: allocations.update(site="zz"),
        "allocation deleted": lambda: _delete("randomisation_allocation", allocations.latest("seq").pk),
        "log entry changed": lambda: entries.update(entry="{}"),
        "log entry deleted": lambda: _delete("randomisation_eventlog", entries.latest("n").pk),
        "locked parameters changed": lambda: world.main.scheme.revisions.update(params_sealed="x"),
    }
    succeeded = [what for what, step in tried.items() if not _is_refused(step)]

    expect(not succeeded, f"Possible: {', '.join(succeeded)}")
    expect(verify_event_log(world.main.scheme) is None, "The chain of the log is broken")
    return f"{len(tried)} attempts, all refused; the chain of the log is whole"


@case("S02", "6.2", "Rotation of the sealing key", "Keys are wrapped again; no row, digest or allocation changes")
def rotation(world: World) -> str:
    """A new first key, then the old one taken away."""
    bench = world.own()
    bench.give()
    tokens, old, new = list(_rows(bench).values_list("token", flat=True)), settings.SEALING_KEYS, _new_key()
    with _keys(new, *old):
        rotate_keys(by=bench.tester, at=moment())
    with _keys(new):
        codes = bench.refused()
    with _keys(*old, new):
        rotate_keys(by=bench.tester, at=moment())

    expect(not codes, f"With the new key alone: {in_words(codes)}")
    expect(list(_rows(bench).values_list("token", flat=True)) == tokens, "A row was changed")
    return "With the new key alone the next person was allocated; no row changed"


def _delete(table: str, pk: int) -> None:
    """Past Django, which would ask about related rows first."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [pk])  # noqa: S608 - two names of our own tables


def _rows(bench: Bench) -> QuerySet[SealedRow]:
    return SealedRow.objects.filter(revision=bench.revision, purpose=Purpose.LIST)


def _swap_rows(bench: Bench) -> None:
    cursor = bench.cursor()
    places = (cursor.next_position, cursor.next_position + 1)
    first, second = (_rows(bench).get(key=cursor.key, position=place) for place in places)
    with triggers.lifted(connection):
        SealedRow.objects.filter(pk=first.pk).update(token=second.token)
        SealedRow.objects.filter(pk=second.pk).update(token=first.token)


def _foreign_margins(bench: Bench, other: Bench) -> None:
    other.give()
    foreign = SealedMargins.objects.get(revision=other.revision).token
    with triggers.lifted(connection):
        SealedMargins.objects.filter(revision=bench.revision).update(token=foreign)


def _is_refused(step: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            step()
    except DatabaseError:
        return True
    return False
