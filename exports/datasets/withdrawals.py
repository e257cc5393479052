"""withdrawals: one row for each participation change; `withdrawn` alone is too vague to store (BR-60)."""

from collections.abc import Iterator

from exports.datasets import records
from exports.datasets.adverse_events import after_lock
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
    integer,
    iso,
    numbered,
    text_codes,
    yes_no,
)
from exports.datasets.definition import Definition
from exports.datasets.records import ChangeRecord
from exports.datasets.snapshot import Person, Snapshot
from exports.model import Level, Row, Source, Table, Value, Variable
from trial.participation.models import Element

DECIDED_BY = coding(
    "decided_by",
    (1, "participant", "Participant"),
    (2, "team", "Study team"),
    (3, "clinician", "Clinician"),
    (4, "administrative", "Administrative"),
)
CAUSE = coding(
    "change_cause", (1, "choice", "Choice"), (2, "death", "Death"), (3, "loss_of_capacity", "Loss of capacity")
)
XPT = {
    Element.ACTIVITY: "PACTIV",
    Element.QUESTIONNAIRES_WEB: "PQWEB",
    Element.QUESTIONNAIRES_PHONE_POST: "PQPHONE",
    Element.REMINDERS: "PREMIND",
    Element.CONTACT: "PCONTACT",
    Element.RECORDS: "PRECORDS",
    Element.INTERVIEW: "PINTERV",
    Element.RESULTS_LETTER: "PLETTER",
}


def source(definition: Definition) -> TableSource:
    """The table."""
    table = Table(
        name="withdrawals",
        label="Changes of what people take part in",
        row="a change of participation",
        key=("subjid", "seq"),
        variables=tuple(_variables()),
    )

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for ids, people in snapshot.batches():
            found = records.changes(snapshot, ids)
            yield from numbered(people, found, lambda person, n, record: _row(snapshot, person, n, record))

    reasons = text_codes(
        "change_reason",
        ((one.code, one.label) for spec in definition.specs.values() for one in spec.reasons.participation_change),
    )
    return TableSource(table, rows, (YES_NO, DECIDED_BY.codelist, CAUSE.codelist, reasons))


def _variables() -> Iterator[Variable]:
    yield SUBJID
    yield integer("seq", "SEQ", "Number, in order", level=Level.ORDINAL, source=Source.ASSIGNED, min=1, max=999)
    yield day("effective_date", "EFFDT", "Day from which it holds")
    yield days_since_randomisation("effective_date")
    yield code("decided_by", "DECIDBY", "Who decided", DECIDED_BY.codelist.name)
    yield code("change_cause", "CHCAUSE", "Cause", CAUSE.codelist.name)
    yield code("change_reason", "CHREAS", "Reason, where one was given (BR-62)", "change_reason")
    for element, xpt_name in XPT.items():
        name = element.value.replace("questionnaires", "forms")
        yield yes_no(
            f"part_{name}",
            xpt_name,
            f"Takes part from then on: {element.label}",
            short_label=element.label,
            derivation="Blank: this change left it as it was.",
        )
    yield after_lock("Recorded after the moment of the cut or lock")


def _row(snapshot: Snapshot, person: Person, number: int, record: ChangeRecord) -> list[Value]:
    return [
        person.study_id,
        number,
        iso(record.effective_date),
        days_between(person.randomised, record.effective_date),
        DECIDED_BY.code(record.decided_by),
        CAUSE.code(record.cause),
        record.reason_code or None,
        *(flag(record.elements.get(element)) for element in XPT),
        flag(record.recorded_at > snapshot.locked_at),
    ]
