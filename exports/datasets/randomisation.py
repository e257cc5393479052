"""randomisation: one row for each allocation. All of it reveals allocation, so blinded variants have no such table."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from exports.datasets.common import SUBJID, TableSource, code, identifier, integer, moment, text_codes, wall_time
from exports.datasets.definition import Definition
from exports.datasets.snapshot import Snapshot
from exports.model import CodeList, Level, Row, Source, Table, Variable
from trial.participants.models import Participant

NAME = "randomisation"


class Record(NamedTuple):
    """One stored allocation; its arm is opened elsewhere."""

    participant: int
    at: datetime
    sequence: int
    position: int | None
    scheme: str
    method: str
    factors: Mapping[str, Any]


COLUMNS = (
    "pk",
    "allocation_links__allocation__at",
    "allocation_links__allocation__seq",
    "allocation_links__allocation__position",
    "allocation_links__scheme__code",
    "allocation_links__allocation__source",
    "allocation_links__allocation__factors",
)


def source(definition: Definition) -> TableSource:
    """The table."""
    factors = _factors(definition)
    table = Table(
        name=NAME,
        label="Allocations",
        row="an allocation",
        key=("subjid",),
        delivery=True,
        variables=(
            SUBJID,
            _assigned(code, "arm", "ARM", "Arm the person was randomised to", codelist="arm"),
            _assigned(moment, "randomised_at", "RANDDTM", "Moment of randomisation"),
            _assigned(integer, "allocation_seq", "RANDSEQ", "Number of the allocation", level=Level.ORDINAL),
            _assigned(integer, "list_position", "RANDPOS", "Position on the list of its stratum", level=Level.ORDINAL),
            _assigned(identifier, "scheme", "SCHEME", "Randomisation scheme", length=32),
            _assigned(identifier, "allocation_source", "RANDSRC", "How the allocation was made", length=10),
            *(variable for variable, _ in factors.values()),
        ),
    )

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for ids, people in snapshot.batches():
            stored = _read(snapshot, ids)
            for person in people:
                if person.randomised is not None:
                    record = stored[person.pk]
                    yield [
                        person.study_id,
                        snapshot.arms[person.pk],
                        wall_time(record.at),
                        record.sequence,
                        record.position,
                        record.scheme,
                        record.method,
                        *(record.factors.get(factor) for factor in factors),
                    ]

    return TableSource(table, rows, (definition.arms, *(codes for _, codes in factors.values())))


def _assigned(kind: Any, name: str, xpt_name: str, label: str, **given: Any) -> Variable:
    made: Variable = kind(
        name,
        xpt_name,
        label,
        **given,
        **({} if kind is identifier else {"source": Source.ASSIGNED}),
        reveals_allocation=True,
    )
    return made


def _factors(definition: Definition) -> dict[str, tuple[Variable, CodeList]]:
    found: dict[str, tuple[Variable, CodeList]] = {}
    for spec in definition.specs.values():
        for number, factor in enumerate(spec.randomisation.factors, start=1):
            name = f"used_{factor.code.replace('-', '_')}"
            codes = text_codes(name, [(level.code, level.label) for level in factor.levels])
            label = f"Level as used at randomisation: {factor.label}"
            variable = _assigned(
                code, name, f"USED{number}", label, codelist=name, short_label=f"As used: {factor.label}"
            )
            found[factor.code] = (variable, codes)
    return found


def _read(snapshot: Snapshot, ids: list[int]) -> dict[int, Record]:
    rows = Participant.objects.using(snapshot.using).filter(pk__in=ids, allocation_links__isnull=False)
    return {row[0]: Record(*row) for row in rows.values_list(*COLUMNS)}
