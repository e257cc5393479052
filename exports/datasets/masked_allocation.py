"""masked_allocation: one row for each allocated person, with the arm as a letter and nothing of when or where.

The letters are those of the closed data set (randomisation.md 6.5); only the variant for the committee opens them.
"""

from collections.abc import Iterator

from exports.datasets.common import SUBJID, TableSource, code, integer
from exports.datasets.definition import Definition
from exports.datasets.snapshot import Snapshot
from exports.model import MASKED_TABLE, Row, Source, Table

DAYS_IN_WEEK = 7


def source(definition: Definition) -> TableSource:
    """The table."""
    letters = definition.letters
    table = Table(
        name=MASKED_TABLE,
        label="Allocations under letters",
        row="an allocated person",
        key=("subjid",),
        variables=(
            SUBJID,
            code(
                "masked_arm",
                "MASKARM",
                "Arm as a letter",
                letters.name,
                source=Source.ASSIGNED,
                derivation="A letter for each arm, drawn once for the whole trial; what it stands for is held apart.",
                reveals_allocation=True,
            ),
            integer(
                "weeks_since_allocation",
                "WKSALLOC",
                "Whole weeks from allocation to the last day of the data",
                short_label="Weeks since allocation",
                unit="weeks",
                min=0,
                source=Source.DERIVED,
                derivation="Days from randomisation to the last day of the data, divided by 7 and rounded down.",
                reveals_allocation=True,
            ),
        ),
    )

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for person in snapshot.people:
            if person.randomised is not None:
                weeks = (snapshot.through - person.randomised).days // DAYS_IN_WEEK
                yield [person.study_id, snapshot.letters[person.pk], weeks]

    return TableSource(table, rows, (letters,))
