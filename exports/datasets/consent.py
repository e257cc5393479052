"""consent: one row for each consent given, statement by statement."""

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
    flag,
    identifier,
    integer,
    iso,
    local_day,
    numbered,
    yes_no,
)
from exports.datasets.definition import Definition
from exports.datasets.snapshot import Person, Snapshot
from exports.missing_codes import NOT_ASKED
from exports.model import Level, Row, Source, Table, Value, Variable
from trial.consent.models import Consent

METHOD = coding(
    "consent_method",
    (1, "econsent_in_person", "In person, on screen"),
    (2, "econsent_remote", "By remote link"),
    (3, "telephone_witnessed", "By telephone, witnessed"),
    (4, "paper", "On paper"),
)
STATE = coding(
    "consent_state",
    (1, "valid", "Valid"),
    (2, "superseded", "Superseded"),
    (3, "withdrawn", "Withdrawn"),
    (4, "void", "Void"),
)


class Record(NamedTuple):
    """One stored consent."""

    participant: int
    signed_at: datetime
    method: str
    state: str
    form_version: str
    information_version: str
    statements: Mapping[str, bool]
    language: str
    interpreter: bool
    copy_given: date | None


COLUMNS = (
    "participant_id",
    "signed_at",
    "method",
    "state",
    "form__version",
    "information__document__version",
    "statements",
    "language",
    "interpreter",
    "copy_given_date",
)


def source(definition: Definition) -> TableSource:
    """The table. A statement that only some versions ask reveals the version, so it is marked."""
    texts, everywhere = _statements(definition)
    table = Table(
        name="consent",
        label="Consents given",
        row="a consent given on one version of the form",
        key=("subjid", "consent_seq"),
        variables=(*_fixed(), *(_statement(n, one, texts[one], everywhere) for n, one in enumerate(texts, start=1))),
    )

    def rows(snapshot: Snapshot) -> Iterator[Row]:
        for ids, people in snapshot.batches():
            yield from numbered(people, _read(snapshot, ids), lambda p, n, record: _row(p, n, record, list(texts)))

    return TableSource(table, rows, (YES_NO, METHOD.codelist, STATE.codelist))


def _fixed() -> tuple[Variable, ...]:
    return (
        SUBJID,
        integer("consent_seq", "CONSSEQ", "Number of the consent, in order", level=Level.ORDINAL, min=1, max=999),
        day("consent_date", "CONSDT", "Day on which it was signed"),
        code("consent_method", "CONSMETH", "How consent was given", METHOD.codelist.name),
        code("consent_state", "CONSST", "Whether it holds", STATE.codelist.name, source=Source.SYSTEM),
        identifier("consent_version", "CONSVER", "Version of the consent form", reveals_allocation=True),
        identifier("pis_version", "PISVER", "Version of the information sheet", reveals_allocation=True),
        identifier("consent_language", "CONSLANG", "Language of the form", 10),
        yes_no("interpreter", "INTERP", "An interpreter helped"),
        day("copy_given_date", "COPYDT", "Day on which the person was given a copy"),
    )


def _statements(definition: Definition) -> tuple[dict[str, str], set[str]]:
    """Statements of every version with their text, and those that every version has."""
    forms = {
        document.code: {statement.code: statement.text for statement in document.statements}
        for spec in definition.specs.values()
        for document in spec.documents
        if document.type == "consent"
    }
    texts = {code_: words for statements in forms.values() for code_, words in statements.items()}
    everywhere = set.intersection(*(set(statements) for statements in forms.values())) if forms else set()
    return texts, everywhere


def _statement(number: int, statement: str, words: str, everywhere: set[str]) -> Variable:
    return yes_no(
        f"agreed_{statement.lower()}",
        f"AGREED{number:02d}",
        f"Agreed to statement {statement}",
        question=words,
        missing=(NOT_ASKED,),
        reveals_allocation=statement not in everywhere,
    )


def _read(snapshot: Snapshot, ids: list[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    rows = Consent.objects.using(snapshot.using).filter(participant__in=ids).order_by("signed_at", "pk")
    for row in rows.values_list(*COLUMNS):
        record = Record(*row)
        if local_day(record.signed_at) <= snapshot.through:
            found.setdefault(record.participant, []).append(record)
    return found


def _row(person: Person, number: int, record: Record, statements: list[str]) -> list[Value]:
    return [
        person.study_id,
        number,
        iso(local_day(record.signed_at)),
        METHOD.code(record.method),
        STATE.code(record.state),
        record.form_version,
        record.information_version,
        record.language,
        flag(record.interpreter),
        iso(record.copy_given),
        *(flag(record.statements[one]) if one in record.statements else NOT_ASKED for one in statements),
    ]
