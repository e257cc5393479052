"""One consistent look at the database, over the read-only connection, up to the last day of the data."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from django.db import transaction

from exports.checks import ModelBroken
from exports.datasets.definition import Definition, current_definition
from trial.participants.models import Participant
from trial.rights.requests import restricted_participants

READING = "reading"
ReadArms = Callable[[], Mapping[int, str]]
ReadLetters = Callable[[Mapping[int, str]], Mapping[int, str]]
BATCH = 500
"""People whose records are read together: memory does not grow with the trial."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who consented on or before the last day of the data. Days are local."""

    pk: int
    study_id: str
    site: str
    referral: int
    consented: date
    randomised: date | None
    died: date | None


@dataclass(frozen=True)
class Snapshot:
    """The people of a cut or lock, and what their records are read with.

    Attributes:
        through: last day whose data are in it.
        locked_at: moment of the cut or lock; what was recorded later is marked.
        arms: arm code of each allocated participant, by primary key.
        letters: the letter that masks each of those arms, by primary key.
    """

    definition: Definition
    people: tuple[Person, ...]
    through: date
    locked_at: datetime
    arms: Mapping[int, str]
    using: str = READING
    letters: Mapping[int, str] = field(default_factory=dict)

    def batches(self) -> Iterator[tuple[list[int], list[Person]]]:
        """People in the order of their study numbers, some at a time, with their primary keys."""
        people = iter(self.people)
        while batch := list(islice(people, BATCH)):
            yield [person.pk for person in batch], batch


@contextmanager
def consistent_reads(using: str = READING) -> Iterator[None]:
    """Everything read inside sees one state of the database (SQLite DEFERRED, PostgreSQL REPEATABLE READ)."""
    with transaction.atomic(using=using):
        yield


def take(
    *,
    through: date,
    locked_at: datetime,
    read_arms: ReadArms | None = None,
    read_letters: ReadLetters | None = None,
    using: str = READING,
) -> Snapshot:
    """Read who is in it. Call inside consistent_reads().

    Args:
        read_arms: left out where no arm is needed.
        read_letters: is given those arms.

    Raises:
        ModelBroken: somebody is randomised and has no allocation.
    """
    people = tuple(sorted(_people(through, using), key=lambda person: person.study_id))
    arms = read_arms() if read_arms else {}
    if read_arms and (lacking := [one.study_id for one in people if one.randomised and one.pk not in arms]):
        raise ModelBroken([f"{study_id} is randomised and has no allocation" for study_id in lacking])
    letters = read_letters(arms) if read_letters else {}
    return Snapshot(current_definition(using), people, through, locked_at, arms, using, letters)


def _people(through: date, using: str) -> Iterable[Person]:
    """Everybody who consented by that day, without those whose data may not be processed now (R-35)."""
    left_out = restricted_participants(using)
    rows = Participant.objects.using(using).filter(consented_date__lte=through).exclude(pk__in=left_out)
    for pk, study_id, site, referral, consented, randomised, died in rows.values_list(
        "pk", "study_id", "referral__site__code", "referral_id", "consented_date", "randomised_date", "died_date"
    ):
        yield Person(
            pk=pk,
            study_id=study_id,
            site=site,
            referral=referral,
            consented=consented,
            randomised=_until(randomised, through),
            died=_until(died, through),
        )


def _until(day: date | None, through: date) -> date | None:
    return day if day is not None and day <= through else None
