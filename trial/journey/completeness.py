"""How complete the questionnaires are, by visit and site, and how old the queries are: for the data manager."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from trial.access.models import Site
from trial.assessments.models import Administration
from trial.participants.models import RE_REFERRABLE, Status
from trial.participation.models import ParticipationChange
from trial.participation.rules import collects_answers
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.protocol.spec import ELIGIBILITY, ExpectedForm, ProtocolSpec
from trial.review.models import Query
from trial.schedule.models import Visit

AGE_BANDS = ((0, 7, "Up to 7 days"), (8, 14, "8 to 14 days"), (15, 28, "15 to 28 days"), (29, 10_000, "Over 28 days"))


@dataclass(frozen=True)
class Completeness:
    """Forms of one visit, at one site or all of them. Those whose window is not open yet are not expected."""

    expected: int = 0
    complete: int = 0
    not_done: int = 0
    overdue: int = 0

    def __add__(self, other: "Completeness") -> "Completeness":
        return Completeness(
            self.expected + other.expected,
            self.complete + other.complete,
            self.not_done + other.not_done,
            self.overdue + other.overdue,
        )


@dataclass(frozen=True)
class VisitCompleteness:
    """One line of the table: a visit, its sites, and all of them together."""

    name: str
    cells: Sequence[Completeness]
    overall: Completeness


@dataclass(frozen=True)
class OpenVisit:
    """One visit of one person whose window has opened."""

    participant_id: int
    site_id: int
    code: str
    opens: date
    closes: date | None
    day0: date | None
    spec: ProtocolSpec


def by_visit(sites: Sequence[Site], today: date) -> list[VisitCompleteness]:
    """Expected, complete, not done and overdue questionnaires by visit and site, in four lookups."""
    visits = _open_visits(sites, today)
    stored = _stored(sites)
    changes = _changes(sites)
    counts: dict[tuple[str, int], Completeness] = defaultdict(Completeness)
    names: dict[str, str] = {}
    for visit in visits:
        spec = protocol_rules.visit(visit.spec, visit.code)
        names.setdefault(visit.code, spec.name)
        takes_part = collects_answers(changes.get(visit.participant_id, ()), min(visit.closes or today, today))
        key = (visit.code, visit.site_id)
        counts[key] += count(visit, spec.forms, stored[visit.participant_id], takes_part, today)
    rows = []
    for code in sorted(names, key=lambda code: names[code]):
        cells = [counts[code, site.pk] for site in sites]
        rows.append(VisitCompleteness(names[code], cells, sum(cells, Completeness())))
    return rows


Stored = Mapping[tuple[str, str], tuple[str, date | None]]
"""Status and completion date by (visit, instrument)."""


def count(
    visit: OpenVisit, forms: Iterable[ExpectedForm], stored: Stored, takes_part: bool, today: date
) -> Completeness:
    """The forms of one visit of one person. What was answered counts even where nothing more is asked."""
    found = Counter[str]()
    for form in forms:
        if form.form == ELIGIBILITY:
            continue
        status = stored.get((visit.code, form.form), ("", None))[0]
        if status or (takes_part and _is_expected(visit, form, stored, today)):
            found["expected"] += 1
            found[status or "missing"] += 1
    closed = visit.closes is not None and visit.closes < today
    return Completeness(
        expected=found["expected"],
        complete=found["complete"],
        not_done=found["not_done"],
        overdue=found["missing"] + found["draft"] if closed else 0,
    )


def _is_expected(visit: OpenVisit, form: ExpectedForm, stored: Stored, today: date) -> bool:
    if form.repeat_of is None:
        return True
    earlier = stored.get((form.repeat_of.visit, form.form), ("", None))[1]
    return protocol_rules.is_expected(form, earlier_on=earlier, on=visit.day0 or today)


def _open_visits(sites: Sequence[Site], today: date) -> list[OpenVisit]:
    rows = (
        Visit.objects.filter(participant__referral__site__in=[site.pk for site in sites], opens_date__lte=today)
        .exclude(participant__referral__status__in=RE_REFERRABLE - {Status.NOT_CONTACTABLE})
        .order_by()
        .values_list(
            "participant_id",
            "participant__referral__site_id",
            "code",
            "opens_date",
            "closes_date",
            "participant__randomised_date",
            "protocol_version_id",
        )
    )
    found = list(rows)
    versions = ProtocolVersion.objects.in_bulk({row[-1] for row in found})
    return [OpenVisit(*row[:-1], spec=versions[row[-1]].spec) for row in found]


def _stored(sites: Sequence[Site]) -> dict[int, dict[tuple[str, str], tuple[str, date | None]]]:
    rows = Administration.objects.filter(participant__referral__site__in=[site.pk for site in sites]).order_by()
    found: dict[int, dict[tuple[str, str], tuple[str, date | None]]] = defaultdict(dict)
    for person, visit, instrument, status, completed in rows.values_list(
        "participant_id", "visit__code", "instrument", "status", "completed_date"
    ):
        found[person][visit, instrument] = (status, completed)
    return found


def _changes(sites: Sequence[Site]) -> dict[int, list[ParticipationChange]]:
    found: dict[int, list[ParticipationChange]] = defaultdict(list)
    for one in ParticipationChange.objects.filter(participant__referral__site__in=[site.pk for site in sites]):
        found[one.participant_id].append(one)
    return found


# -- queries


@dataclass(frozen=True)
class QueryAges:
    """Queries not closed yet, by how long ago they were raised."""

    label: str
    open: int
    answered: int


def query_ages(queries: QuerySet[Query], now: datetime) -> list[QueryAges]:
    """Open and answered queries in bands of age."""
    waiting = queries.exclude(state=Query.State.CLOSED).order_by().values_list("state", "raised_at")
    ages = [(state, (now - raised).days) for state, raised in waiting]
    return [
        QueryAges(
            label,
            sum(low <= age <= high for state, age in ages if state == Query.State.OPEN),
            sum(low <= age <= high for state, age in ages if state == Query.State.ANSWERED),
        )
        for low, high, label in AGE_BANDS
    ]
