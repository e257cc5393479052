"""randomisation: one row for each allocation. All of it reveals allocation, so blinded variants have no such table."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from exports.datasets.common import (
    SUBJID,
    YES_NO,
    TableSource,
    code,
    flag,
    identifier,
    integer,
    moment,
    text,
    text_codes,
    wall_time,
    yes_no,
)
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
    made: str
    unit: str
    batch: str
    factors: Mapping[str, Any]


COLUMNS = (
    "pk",
    "allocation_links__allocation__at",
    "allocation_links__allocation__seq",
    "allocation_links__allocation__position",
    "allocation_links__scheme__code",
    "allocation_links__allocation__source",
    "allocation_links__allocation__unit",
    "allocation_links__allocation__batch",
    "allocation_links__factors",
)
FLAGS = (
    ("ineligible", "flag_ineligible", "FLAGINEL", "Marked later as not eligible"),
    ("error", "flag_error", "FLAGERR", "Marked later as randomised in error"),
    ("duplicate", "flag_duplicate", "FLAGDUP", "Marked later as allocated twice"),
)
EXCLUDED = "excluded"
"""Not a mark of its own: a duplicate that no longer counts in the balance (randomisation.md 9.2)."""


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
            _assigned(identifier, "allocation_unit", "RANDUNIT", "Person or household that was allocated", length=64),
            _assigned(text, "allocation_batch", "RANDBAT", "Batch in which it was allocated, if any", length=64),
            *(variable for variable, _ in factors.values()),
            *(_corrected(variable, number) for number, (variable, _) in enumerate(factors.values(), start=1)),
            *(_flagged(name, xpt, label) for _, name, xpt, label in FLAGS),
            _flagged("balance_excluded", "BALEXCL", "No longer counted in the balance"),
        ),
    )

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for ids, people in snapshot.batches():
            stored, corrected, flags = _read(snapshot, ids), _corrections(snapshot, ids), _flags(snapshot, ids)
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
                        record.made,
                        record.unit,
                        record.batch or None,
                        *(record.factors.get(factor) for factor in factors),
                        *(corrected.get(person.pk, record.factors).get(factor) for factor in factors),
                        *(flag(category in flags[person.pk]) for category, *_ in FLAGS),
                        flag(EXCLUDED in flags[person.pk]),
                    ]

    return TableSource(table, rows, (definition.arms, YES_NO, *(codes for _, codes in factors.values())))


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


def _corrected(used: Variable, number: int) -> Variable:
    """The level beside the one that was used; the arm stands, and the analysis plan says which level counts."""
    return replace(
        used,
        name=used.name.replace("used_", "true_", 1),
        xpt_name=f"TRUE{number}",
        label=used.label.replace("Level as used at randomisation", "Level as corrected later"),
        short_label=used.short_label.replace("As used", "As corrected"),
        derivation="The last approved correction by the moment of the cut or lock; without one, the level used.",
    )


def _flagged(name: str, xpt_name: str, label: str) -> Variable:
    return yes_no(name, xpt_name, label, source=Source.ASSIGNED, reveals_allocation=True)


def _links(snapshot: Snapshot, ids: list[int]) -> Iterator[QuerySet[Participant]]:
    """People with their link to the allocation of the protocol's own scheme, for each version of the protocol."""
    for version, spec in snapshot.definition.specs.items():
        yield Participant.objects.using(snapshot.using).filter(
            pk__in=ids,
            referral__protocol_version=version,
            allocation_links__scheme__code=spec.randomisation.scheme,
        )


def _read(snapshot: Snapshot, ids: list[int]) -> dict[int, Record]:
    return {row[0]: Record(*row) for people in _links(snapshot, ids) for row in people.values_list(*COLUMNS)}


def _corrections(snapshot: Snapshot, ids: list[int]) -> dict[int, Mapping[str, Any]]:
    """The newest corrected levels of each person who has any."""
    columns = ("pk", "allocation_links__corrections__factors")
    order = ("allocation_links__corrections__at", "allocation_links__corrections__pk")
    known = {"allocation_links__corrections__at__lte": snapshot.locked_at}
    return dict(
        row for people in _links(snapshot, ids) for row in people.filter(**known).order_by(*order).values_list(*columns)
    )


def _flags(snapshot: Snapshot, ids: list[int]) -> defaultdict[int, set[str]]:
    """The marks of each person's allocation."""
    mark = "allocation_links__allocation__flags"
    found: defaultdict[int, set[str]] = defaultdict(set)
    for people in _links(snapshot, ids):
        marked = people.filter(**{f"{mark}__at__lte": snapshot.locked_at})
        for pk, category, excludes in marked.values_list("pk", f"{mark}__category", f"{mark}__excludes"):
            found[pk] |= {category, EXCLUDED} if excludes else {category}
    return found
