"""The audit trail of the whole trial, page by page, and the access log (R-01, R-07)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.utils import timezone

from trial.access.models import AccessEvent, User
from trial.access.policy import Action
from trial.base.models import AuditedModel
from trial.journey.history import Entry, Row, entries_of
from trial.journey.trail import Trail, audited_tables, path_to_site, row_of, tables_for, without_tellers, words_for
from trial.participants.models import Participant, Referral
from trial.protocol.spec import ProtocolSpec


@dataclass(frozen=True)
class Wanted:
    """What the audit page is narrowed by."""

    who: int | None = None
    table: str = ""
    from_date: date | None = None
    to_date: date | None = None

    def between(self, name: str) -> Q:
        """The days as a condition on a moment, in the study's time zone."""
        condition = Q()
        if self.from_date:
            condition &= Q(**{f"{name}__gte": _midnight(self.from_date)})
        if self.to_date:
            condition &= Q(**{f"{name}__lt": _midnight(self.to_date + timedelta(days=1))})
        return condition


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=timezone.get_current_timezone())


def recent(user: User, wanted: Wanted) -> Trail:
    """(table, history id, moment) of every change this person may read, the newest first; one query."""
    first, *rest = [part for model in tables_for(user) if (part := _part(model, user, wanted)) is not None] or [
        _nothing()
    ]
    found: Trail = first.union(*rest, all=True).order_by("-moment", "-row")
    return found


def _nothing() -> Trail:
    columns = {"table": Value(""), "row": F("history_id"), "moment": F("history_date")}
    nothing: Trail = Referral.history.none().annotate(**columns).values_list("table", "row", "moment")
    return nothing


def _part(model: type[AuditedModel], user: User, wanted: Wanted) -> Trail | None:
    table = model._meta.db_table
    if wanted.table and wanted.table != table:
        return None
    found = model.history.filter(wanted.between("history_date"))
    if wanted.who is not None:
        found = found.filter(history_user=wanted.who)
    ids = user.access.site_ids(Action.VIEW_AUDIT)
    if ids is not None:
        path = path_to_site(model)
        if path is None:
            return None
        found = found.filter(**{f"{path}__in": ids})
    if user.access.blinded:
        found = without_tellers(model, found)
    columns = {"table": Value(table), "row": F("history_id"), "moment": F("history_date")}
    rows: Trail = found.order_by().annotate(**columns).values_list("table", "row", "moment")
    return rows


def sentences_of(found: Iterable[tuple[str, int, datetime]], spec: ProtocolSpec | None) -> list[Entry]:
    """The sentences of some rows of the trail, each with the row before it: two lookups for each table met."""
    by_table: dict[str, list[int]] = defaultdict(list)
    for table, row_id, _moment in found:
        by_table[table].append(row_id)
    pairs: list[tuple[Row | None, Row]] = []
    for model in audited_tables():
        if ids := by_table.get(model._meta.db_table):
            pairs += _with_previous(model, ids)
    words = words_for([row for pair in pairs for row in pair if row], spec)
    numbers = _numbers([after for _before, after in pairs])
    return [
        replace(entry, number=_number_of(after, numbers))
        for before, after in pairs
        for entry in entries_of(before, after, words)
    ]


Numbers = Mapping[str, Mapping[int, str]]
"""Study or screening numbers by the id of a participant and by that of a referral."""


def _numbers(rows: Iterable[Row]) -> Numbers:
    """Numbers of the people that some rows are about, in two lookups."""
    rows = list(rows)
    people = {pk for row in rows if (pk := _id_of(row, Participant, "participant_id"))}
    referrals = {pk for row in rows if (pk := _id_of(row, Referral, "referral_id"))}
    by_person = dict(Participant.objects.filter(pk__in=people).order_by().values_list("pk", "study_id"))
    found = Referral.objects.filter(pk__in=referrals).order_by()
    by_referral = {
        pk: study_id or screening_number
        for pk, study_id, screening_number in found.values_list("pk", "participant__study_id", "screening_number")
    }
    return {"participant": by_person, "referral": by_referral}


def _id_of(row: Row, model: type[AuditedModel], column: str) -> int | None:
    found = row.record_id if row.model is model else row.values.get(column)
    return found if isinstance(found, int) else None


def _number_of(row: Row, numbers: Numbers) -> str:
    person = _id_of(row, Participant, "participant_id")
    referral = _id_of(row, Referral, "referral_id")
    by_person = numbers["participant"].get(person, "") if person else ""
    return by_person or (numbers["referral"].get(referral, "") if referral else "")


def _with_previous(model: type[AuditedModel], ids: Sequence[int]) -> list[tuple[Row | None, Row]]:
    earlier = model.history.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    rows = list(
        model.history.filter(history_id__in=ids)
        .select_related("history_user")
        .annotate(previous=Subquery(earlier.values("history_id")[:1]))
    )
    before = {
        row.history_id: row_of(model, row)
        for row in model.history.filter(history_id__in=[row.previous for row in rows]).select_related("history_user")
    }
    return [(before.get(row.previous), row_of(model, row)) for row in rows]


def access_events(user: User, wanted: Wanted, kind: str = "") -> QuerySet[AccessEvent]:
    """The access log, the newest first; for people bound to sites, what concerns records of theirs."""
    found = AccessEvent.objects.filter(wanted.between("at")).select_related("user").order_by("-at", "-id")
    if wanted.who is not None:
        found = found.filter(user=wanted.who)
    if kind:
        found = found.filter(kind=kind)
    ids = user.access.site_ids(Action.VIEW_AUDIT)
    if ids is None:
        return found
    own = Referral.objects.filter(site__in=ids)
    return found.filter(
        Q(record__in=own.values("screening_number")) | Q(record__in=own.values("participant__study_id"))
    )
