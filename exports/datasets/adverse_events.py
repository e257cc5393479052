"""adverse_events: one row for each event, without a word of free text."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from exports.datasets.common import (
    SUBJID,
    YES_NO,
    TableSource,
    code,
    coding,
    day,
    days_between,
    days_since_randomisation,
    flag,
    identifier,
    integer,
    iso,
    text_codes,
    yes_no,
)
from exports.datasets.definition import Definition
from exports.datasets.snapshot import Person, Snapshot
from exports.model import CodeList, Level, Row, Source, Table, Value, Variable
from trial.safety.event_actions import OTHER
from trial.safety.models import AdverseEvent, EventReview
from trial.safety.rules import is_related

SEVERITY = coding("ae_severity", (1, "mild", "Mild"), (2, "moderate", "Moderate"), (3, "severe", "Severe"))
RELATEDNESS = coding(
    "ae_relatedness",
    (1, "unrelated", "Unrelated"),
    (2, "unlikely", "Unlikely"),
    (3, "possible", "Possible"),
    (4, "probable", "Probable"),
    (5, "definite", "Definite"),
)
OUTCOME = coding(
    "ae_outcome",
    (1, "recovered", "Recovered"),
    (2, "recovering", "Recovering"),
    (3, "continuing", "Continuing"),
    (4, "lasting", "Recovered with lasting effects"),
    (5, "died", "Died"),
    (6, "unknown", "Not known yet"),
)
SERIOUS: Mapping[str, tuple[str, str, str]] = {
    "death": ("ae_s_death", "AESDTH", "Serious: death"),
    "life_threatening": ("ae_s_life_threatening", "AESLIFE", "Serious: life-threatening"),
    "hospitalisation": ("ae_s_hospitalisation", "AESHOSP", "Serious: stay in hospital, or a longer one"),
    "disability": ("ae_s_disability", "AESDISAB", "Serious: lasting disability"),
    "congenital": ("ae_s_congenital", "AESCONG", "Serious: congenital anomaly"),
    "medically_significant": ("ae_s_significant", "AESMIE", "Serious: medically significant"),
}


class Record(NamedTuple):
    """One stored event."""

    participant: int
    sequence: int
    onset: date
    aware: date
    category: str
    severity: str
    seriousness: list[str]
    related_to_activity: str
    related_to_procedures: str
    expected: bool
    expected_list_version: str
    outcome: str
    resolved: date | None
    reported_at: datetime
    pk: int


COLUMNS = (
    "participant_id",
    "sequence",
    "onset_date",
    "aware_date",
    "category",
    "severity",
    "seriousness",
    "related_to_activity",
    "related_to_procedures",
    "expected",
    "expected_list_version",
    "outcome",
    "resolved_date",
    "reported_at",
    "pk",
)


def source(definition: Definition) -> TableSource:
    """The table. What kind of event it was may be tied to an activity, so it is marked."""
    table = Table(
        name="adverse_events",
        label="Adverse events",
        row="an adverse event of a person",
        key=("subjid", "ae_seq"),
        variables=tuple(_variables()),
    )

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for ids, people in snapshot.batches():
            found, reviews = _read(snapshot, ids), _reviews(snapshot, ids)
            for person in people:
                yield from (_row(snapshot, person, r, reviews.get(r.pk, [])) for r in found.get(person.pk, ()))

    lists = (YES_NO, _categories(definition), SEVERITY.codelist, RELATEDNESS.codelist, OUTCOME.codelist)
    return TableSource(table, rows, lists)


def _variables() -> Iterator[Variable]:
    yield SUBJID
    yield integer("ae_seq", "AESEQ", "Number of the event within the person", level=Level.ORDINAL, min=1, max=9999)
    yield day("ae_onset_date", "AESTDT", "Day on which it began")
    yield days_since_randomisation("ae_onset_date")
    yield day("ae_aware_date", "AEAWDT", "Day on which the team learned of it")
    yield code("ae_category", "AECAT", "What kind of event it was", "ae_category", reveals_allocation=True)
    yield code("ae_severity", "AESEV", "Severity", SEVERITY.codelist.name, level=Level.ORDINAL)
    yield yes_no("ae_serious", "AESER", "Serious by at least one criterion", source=Source.DERIVED)
    for name, xpt_name, label in SERIOUS.values():
        yield yes_no(name, xpt_name, label, short_label=label.replace(", or a longer one", ""))
    related = {"level": Level.ORDINAL, "codelist": RELATEDNESS.codelist.name}
    yield code(
        "ae_rel_activity",
        "AERELACT",
        "Related to an activity, as the site judged",
        short_label="Related to an activity",
        **related,
    )
    yield code(
        "ae_rel_procedures", "AERELPRO", "Related to a trial procedure, as the site judged",
        short_label="Related to a trial procedure", **related,
    )  # fmt: skip
    yield yes_no(
        "ae_related", "AEREL", "Possibly, probably or definitely related, as anybody judged",
        short_label="Related, as anybody judged", source=Source.DERIVED,
        derivation="Related to an activity or a procedure, as the site or a reviewer judged (BR-54, BR-58).",
    )  # fmt: skip
    yield yes_no(
        "ae_expected", "AEEXP", "Listed as foreseeable in the version in force at onset",
        short_label="Listed as foreseeable", source=Source.DERIVED, reveals_allocation=True,
    )  # fmt: skip
    yield identifier(
        "ae_list_version", "AELISTV", "Version of the list of foreseeable events", short_label="List version"
    )
    yield code("ae_outcome", "AEOUT", "Outcome", OUTCOME.codelist.name)
    yield day("ae_resolved_date", "AEENDT", "Day on which it ended")
    yield integer("ae_reviews", "AEREV", "Signed reviews", source=Source.SYSTEM, min=0, max=999)
    yield after_lock("Reported after the moment of the cut or lock")


def after_lock(label: str) -> Variable:
    """Marks what a lock does not stop: entries made after it."""
    return yes_no("after_lock", "AFTERLCK", label, short_label="Entered after the lock", source=Source.SYSTEM)


def _categories(definition: Definition) -> CodeList:
    """The events of every version's list, and the one for all others."""
    listed = {event.code: event.label for spec in definition.specs.values() for event in spec.expected_events.events}
    return text_codes("ae_category", [*listed.items(), (OTHER, "Another event, not on the list")])


def _read(snapshot: Snapshot, ids: list[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    rows = AdverseEvent.objects.using(snapshot.using).filter(participant__in=ids, aware_date__lte=snapshot.through)
    for row in rows.order_by("participant_id", "sequence").values_list(*COLUMNS):
        found.setdefault(row[0], []).append(Record(*row))
    return found


def _reviews(snapshot: Snapshot, ids: list[int]) -> dict[int, list[tuple[str, str]]]:
    """Judgements of relatedness beside the site's own, by event (BR-58)."""
    found: dict[int, list[tuple[str, str]]] = {}
    rows = EventReview.objects.using(snapshot.using).filter(event__participant__in=ids).order_by("at", "pk")
    for event, activity, procedures in rows.values_list("event_id", "related_to_activity", "related_to_procedures"):
        found.setdefault(event, []).append((activity, procedures))
    return found


def _row(snapshot: Snapshot, person: Person, record: Record, reviews: list[tuple[str, str]]) -> list[Value]:
    judged = [(record.related_to_activity, record.related_to_procedures), *reviews]
    return [
        person.study_id,
        record.sequence,
        iso(record.onset),
        days_between(person.randomised, record.onset),
        iso(record.aware),
        record.category,
        SEVERITY.code(record.severity),
        flag(bool(record.seriousness)),
        *(flag(criterion in record.seriousness) for criterion in SERIOUS),
        RELATEDNESS.code(record.related_to_activity),
        RELATEDNESS.code(record.related_to_procedures),
        flag(any(is_related(activity, procedures) for activity, procedures in judged)),
        flag(record.expected),
        record.expected_list_version,
        OUTCOME.code(record.outcome),
        iso(record.resolved),
        len(reviews),
        flag(record.reported_at > snapshot.locked_at),
    ]
