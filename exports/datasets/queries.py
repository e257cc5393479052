"""queries: those not closed at the moment of the cut; a final lock has none (BR-65). No free text."""

from collections.abc import Iterator

from django.db.models import F

from exports.datasets.common import (
    SUBJID,
    VISITNUM,
    TableSource,
    code,
    coding,
    day,
    identifier,
    integer,
    iso,
    local_day,
    text_codes,
)
from exports.datasets.definition import Definition
from exports.datasets.snapshot import Snapshot
from exports.model import Row, Source, Table
from trial.review.models import Query

STATE = coding("query_state", (1, "open", "Open"), (2, "answered", "Answered"))


def source(definition: Definition) -> TableSource:
    """The table."""
    table = Table(
        name="queries",
        label="Queries not closed",
        row="a query that is open or answered",
        key=("query_id",),
        variables=(
            integer("query_id", "QUERYID", "Number of the query", source=Source.ASSIGNED, min=1),
            SUBJID,
            VISITNUM,
            code("instrument", "INSTR", "Questionnaire it is about", "instrument", source=Source.ASSIGNED),
            identifier("item", "ITEM", "Item of the questionnaire", 60),
            code("query_state", "QSTATE", "State", STATE.codelist.name, source=Source.SYSTEM),
            day("raised_date", "QRAISDT", "Day on which it was raised", source=Source.SYSTEM),
            integer("age_days", "QAGE", "Days since it was raised", unit="days", source=Source.DERIVED, min=0),
        ),
    )
    titles = text_codes(
        "instrument", ((name, versions[-1].short_title) for name, versions in definition.instruments.items())
    )
    return TableSource(table, _rows, (definition.visitnums, titles, STATE.codelist))


def _rows(snapshot: Snapshot) -> Iterator[Row]:
    people = {person.pk for person in snapshot.people}
    rows = (
        Query.objects.using(snapshot.using)
        .exclude(state=Query.State.CLOSED)
        .order_by("pk")
        .annotate(study_id=F("participant__study_id"))
    )
    for pk, participant, study_id, number, instrument, field, state, raised_at in rows.values_list(
        "pk",
        "participant_id",
        "study_id",
        "administration__visit__number",
        "administration__instrument",
        "field",
        "state",
        "raised_at",
    ):
        raised = local_day(raised_at)
        if participant in people and raised <= snapshot.through:
            item = field or None if instrument else None
            age = (snapshot.through - raised).days
            yield [pk, study_id, number, instrument, item, STATE.code(state), iso(raised), age]
