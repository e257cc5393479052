"""deviations, and site_deviations for those that concern no one person: dates, kind and severity, no description."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from exports.datasets.adverse_events import after_lock
from exports.datasets.common import (
    SITE,
    SUBJID,
    YES_NO,
    TableSource,
    code,
    coding,
    day,
    days_between,
    days_since_randomisation,
    flag,
    integer,
    iso,
    numbered,
    yes_no,
)
from exports.datasets.definition import Definition
from exports.datasets.snapshot import Person, Snapshot
from exports.model import HiddenRows, Level, Row, Source, Table, Value, Variable
from trial.deviations.models import Deviation

KIND = coding(
    "deviation_kind",
    (1, "consent", "Consent"),
    (2, "eligibility", "Eligibility"),
    (3, "allocation", "Allocation"),
    (4, "visit", "Visit or questionnaire"),
    (5, "activity", "Activity"),
    (6, "other_arm", "Attended a group they were not allocated to"),
    (7, "data", "Data handling"),
    (8, "other", "Other"),
)
SEVERITY = coding(
    "deviation_severity", (1, "minor", "Minor"), (2, "major", "Major"),
    (3, "potential_serious_breach", "Potential serious breach"),
)  # fmt: skip
REVEALS = "dev_reveals_arm"


class Record(NamedTuple):
    """One stored deviation."""

    owner: Any
    occurred: date
    kind: str
    severity: str
    reveals_arm: bool
    recorded_at: datetime
    reviewed_at: datetime | None


COLUMNS = ("occurred_date", "kind", "severity", "reveals_arm", "recorded_at", "reviewed_at")


def sources(definition: Definition) -> Iterator[TableSource]:
    """Both tables. Those that reveal an arm are numbered last, so that leaving them out leaves no gap."""
    lists = (YES_NO, KIND.codelist, SEVERITY.codelist)
    yield TableSource(
        _table(
            "deviations",
            "Departures from the protocol that concern a person",
            "a departure from the protocol",
            (SUBJID, _number()),
            (days_since_randomisation("deviation_date"),),
        ),
        _of_people,
        lists,
    )
    yield TableSource(
        _table(
            "site_deviations",
            "Departures from the protocol that concern no one person",
            "a departure from the protocol at a site",
            (SITE, _number()),
            (),
        ),
        _of_sites,
        lists,
    )


def _number() -> Variable:
    return integer("seq", "SEQ", "Number, in order", level=Level.ORDINAL, source=Source.ASSIGNED, min=1, max=9999)


def _table(name: str, label: str, row: str, key: tuple[Variable, ...], more: tuple[Variable, ...]) -> Table:
    return Table(
        name=name,
        label=label,
        row=row,
        key=tuple(variable.name for variable in key),
        variables=(
            *key,
            day("deviation_date", "DVDT", "Day on which it happened"),
            *more,
            code("deviation_kind", "DVKIND", "What it concerns", KIND.codelist.name),
            code("deviation_severity", "DVSEV", "Severity", SEVERITY.codelist.name, level=Level.ORDINAL),
            yes_no("deviation_reviewed", "DVREV", "Reviewed by an investigator", source=Source.SYSTEM),
            yes_no(
                REVEALS, "DVREVEAL", "Its being there reveals an arm", source=Source.SYSTEM, reveals_allocation=True
            ),
            after_lock("Recorded after the moment of the cut or lock"),
        ),
        hidden_rows=HiddenRows(REVEALS, (1,)),
    )


def _read(snapshot: Snapshot, owner: str, **where: Any) -> dict[Any, list[Any]]:
    rows = Deviation.objects.using(snapshot.using).filter(occurred_date__lte=snapshot.through, **where)
    found: dict[Any, list[Any]] = {}
    for row in rows.order_by("reveals_arm", "occurred_date", "pk").values_list(owner, *COLUMNS):
        found.setdefault(row[0], []).append(Record(*row))
    return found


def _of_people(snapshot: Snapshot) -> Iterator[Row]:
    for ids, people in snapshot.batches():
        found = _read(snapshot, "participant_id", participant__in=ids)
        yield from numbered(people, found, lambda person, n, record: _person_row(snapshot, person, n, record))


def _person_row(snapshot: Snapshot, person: Person, number: int, record: Record) -> list[Value]:
    days = days_between(person.randomised, record.occurred)
    return [person.study_id, number, iso(record.occurred), days, *_rest(snapshot, record)]


def _of_sites(snapshot: Snapshot) -> Iterator[Row]:
    found = _read(snapshot, "site__code", participant__isnull=True)
    for site in sorted(found):
        for number, record in enumerate(found[site], start=1):
            yield [site, number, iso(record.occurred), *_rest(snapshot, record)]


def _rest(snapshot: Snapshot, record: Record) -> list[Value]:
    return [
        KIND.code(record.kind),
        SEVERITY.code(record.severity),
        flag(record.reviewed_at is not None),
        flag(record.reveals_arm),
        flag(record.recorded_at > snapshot.locked_at),
    ]
