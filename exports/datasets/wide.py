"""wide: one row for each person, a convenience made from the long tables; names are `<variable>_<visit suffix>`."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from exports.canonical import Canonical
from exports.datasets.definition import Definition
from exports.datasets.derived import DerivedTable, by_person
from exports.model import Row, Table, Value, Variable, VisitSuffix

NAME = "wide"
OF_VISIT = ("visit_date", "visit_date_miss", "days_since_randomisation", "in_window", "visit_status")
"""Columns of `visits` that go into the wide table."""
PER_ROW = frozenset(
    {
        "subjid",
        "visitnum",
        "visit_label",
        "days_since_randomisation",
        "days_from_target",
        "in_window",
        "assessor_unblinded",
    }
)
"""Columns that every questionnaire has; the wide table takes those of the visit from `visits` once, and no other."""


@dataclass(frozen=True)
class Spread:
    """One column of a long table, at one visit."""

    table: str
    position: int
    visitnum: int
    variable: Variable


def derived(
    definition: Definition, participants: Table, visits: Table, questionnaires: Sequence[Table]
) -> DerivedTable:
    """The table, made from `participants`, `visits` and the questionnaires."""
    repeated = _repeated(questionnaires)
    spreads = [spread for visit in definition.visit_suffixes for spread in _of_visit(visit, visits)]
    for one in questionnaires:
        asked = set(definition.visits_with(one.name))
        spreads += [
            spread
            for visit in definition.visit_suffixes
            if visit.code in asked
            for spread in _of_questionnaire(visit, one, repeated)
        ]
    table = Table(
        name=NAME,
        label="One row for each person, made from the long tables",
        row="a person who consented",
        key=("subjid",),
        variables=(*participants.variables, *(spread.variable for spread in spreads)),
        wide=True,
    )

    def rows(canonical: Canonical) -> Iterator[Row]:
        names = [participants.name, visits.name, *(one.name for one in questionnaires)]
        for _, found in by_person(canonical, names):
            by_visit = {name: {row[1]: row for row in found[name]} for name in names[1:]}
            yield [*found[participants.name][0], *(_cell(spread, by_visit) for spread in spreads)]

    return DerivedTable(table, rows)


def _cell(spread: Spread, by_visit: Mapping[str, Mapping[Value, Row]]) -> Value:
    row = by_visit[spread.table].get(spread.visitnum)
    return row[spread.position] if row is not None else None


def _repeated(questionnaires: Sequence[Table]) -> frozenset[str]:
    """Names that stand in several questionnaires, such as a short form scored from the long one."""
    names = Counter(name for one in questionnaires for name in one.names if name not in PER_ROW)
    return frozenset(name for name, n in names.items() if n > 1)


def _of_visit(visit: VisitSuffix, visits: Table) -> Iterator[Spread]:
    for name in OF_VISIT:
        position = visits.position(name)
        yield Spread(visits.name, position, visit.visitnum, _at(visits.variables[position], name, visit))


def _of_questionnaire(visit: VisitSuffix, table: Table, repeated: frozenset[str]) -> Iterator[Spread]:
    for position, variable in enumerate(table.variables):
        if variable.name not in PER_ROW:
            yield Spread(
                table.name,
                position,
                visit.visitnum,
                _at(variable, _own(variable.name, table, repeated), visit, table, repeated),
            )


def _own(name: str, table: Table, repeated: frozenset[str]) -> str:
    """The name, after the questionnaire's where another one has the same."""
    clashes = name in repeated and not name.startswith(f"{table.name}_")
    return f"{table.name}_{name}" if clashes else name


def _at(
    variable: Variable,
    name: str,
    visit: VisitSuffix,
    table: Table | None = None,
    repeated: frozenset[str] = frozenset(),
) -> Variable:
    """The variable at one visit. Its words stay those of the long table; the visit is in its name."""
    wide_name = f"{name}_{visit.suffix}"
    companion = variable.companion
    if companion:
        companion = f"{_own(companion, table, repeated) if table else companion}_{visit.suffix}"
    return replace(
        variable,
        name=wide_name,
        xpt_name=xpt_name(wide_name),
        companion=companion,
        visits=(visit.code,),
    )


def xpt_name(name: str) -> str:
    """A name of 8 characters that depends on nothing but the long name, so that it never changes its meaning."""
    return f"W{base64.b32encode(hashlib.sha256(name.encode('ascii')).digest()).decode('ascii')[:7]}"
