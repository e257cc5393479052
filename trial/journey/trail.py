"""The rows behind the audit trail: of one record, of one form, and of the whole trial (R-01, R-07).

Tables that tell an arm are not read for blinded roles (BR-26); nor are those whose pages the person may not open.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet

from trial.access.models import Signature, User
from trial.access.policy import Action
from trial.activities.models import ActivityGroup, Membership, Session
from trial.allocation.models import BlindingEvent, BlindingGuess
from trial.assessments.hooks import note_shown
from trial.assessments.models import Administration
from trial.attendance.models import Mark
from trial.base.models import AuditedModel
from trial.base.parts import Said
from trial.deviations.models import Deviation
from trial.double_entry.models import SecondEntry
from trial.double_entry.reads import hidden_forms
from trial.journey.history import Entry, Row, entries_of, pairs_of, place_in_time
from trial.journey.history_words import NAMED, TrailWords
from trial.journey.monitor import role_words
from trial.participants.models import Identity, Participant, Person, Referral
from trial.protocol.spec import ProtocolSpec
from trial.review.models import Query, QueryMessage
from trial.safety.models import AdverseEvent, RiskAlert
from trial.schedule.models import Visit
from trial.selfcompletion.models import SelfCompletion, SelfCompletionLink

Table = type[models.Model]
Trail = QuerySet[Any, tuple[str, int, datetime]]
"""Rows of the trail as (table, history id, moment)."""

TELLS_THE_ARM: frozenset[Table] = frozenset(
    {Membership, Session, ActivityGroup, Mark, BlindingEvent, BlindingGuess, AdverseEvent}
)
"""Tables of which a blinded role reads nothing: groups, attendance, and events whose words can tell the arm."""

NEEDS: dict[Table, Action] = {
    Administration: Action.VIEW_ANSWERS,
    SecondEntry: Action.VIEW_ANSWERS,
    RiskAlert: Action.VIEW_SAFETY,
    AdverseEvent: Action.VIEW_SAFETY,
    Deviation: Action.VIEW_DEVIATIONS,
    Query: Action.VIEW_QUERIES,
    Membership: Action.VIEW_SESSIONS,
    Session: Action.VIEW_SESSIONS,
    ActivityGroup: Action.VIEW_SESSIONS,
}
BY_VISIT: dict[Table, str] = {
    QueryMessage: "query__participant__referral",
    SelfCompletion: "visit__participant__referral",
    SelfCompletionLink: "self_completion__visit__participant__referral",
}
"""How tables that hang on a visit reach its referral."""
UNREAD: frozenset[Table] = frozenset({Person})
"""Tables that hold nothing a reader could use: wrapped keys and keyed hashes."""


@cache
def audited_tables() -> tuple[type[AuditedModel], ...]:
    """Every audited table, by name."""
    found = [m for m in apps.get_models() if issubclass(m, AuditedModel) and m not in UNREAD]
    return tuple(sorted(found, key=lambda model: model._meta.db_table))


def tables_for(user: User) -> list[type[AuditedModel]]:
    """The audited tables whose changes this person may read."""
    return [
        model
        for model in audited_tables()
        if not (user.access.blinded and model in TELLS_THE_ARM)
        and (model not in NEEDS or user.access.may(NEEDS[model]))
    ]


def path_to_referral(model: Table) -> str | None:
    """How a table reaches the referral it is about, as a lookup; None for one that is about no person."""
    if model is Referral:
        return "id"
    if model is Identity:
        return "person__referrals"
    for one in model._meta.concrete_fields:
        if one.is_relation and one.related_model is Referral and one.name == "referral":
            return "referral"
        if one.is_relation and one.related_model is Participant:
            return f"{one.name}__referral"
    return BY_VISIT.get(model)


def path_to_site(model: Table) -> str | None:
    """How a table reaches the site it is about, as a lookup; None for one that is about no site.

    Contact details reach several referrals, and whoever is bound to sites here may not see them anyway.
    """
    if model is Identity:
        return None
    names = {one.name for one in model._meta.concrete_fields if one.is_relation}
    if "site" in names:
        return "site"
    if "group" in names:
        return "group__site"
    path = path_to_referral(model)
    return None if path is None else "site" if path == "id" else f"{path}__site"


# -- rows


def row_of(model: Table, row: Any) -> Row:
    """One history row as values, without columns that history leaves out; `row` has its person selected."""
    return Row(
        model=model,
        record_id=row.id,
        row_id=row.history_id,
        kind=row.history_type,
        at=row.history_date,
        who=row.history_user.name if row.history_user else "",
        role=role_words(row.history_role) if row.history_user else "",
        reason=row.history_change_reason or "",
        values={
            one.attname: getattr(row, one.attname) for one in model._meta.concrete_fields if hasattr(row, one.attname)
        },
    )


def _rows(model: type[AuditedModel], condition: Q) -> list[Row]:
    found = model.history.filter(condition).select_related("history_user").order_by("history_id")
    return [row_of(model, row) for row in found]


def without_arm_tellers(rows: Iterable[Row]) -> list[Row]:
    """Rows without those of tasks and deviations that tell an arm, in any of their versions."""
    found = list(rows)
    telling = {(row.model, row.record_id) for row in found if row.values.get("reveals_arm")}
    return [row for row in found if (row.model, row.record_id) not in telling]


def without_tellers(model: Table, found: Any) -> Any:
    """The same of a query: rows of a table, or of its history, without records that tell an arm in any version."""
    if all(one.name != "reveals_arm" for one in model._meta.concrete_fields):
        return found
    telling = model._default_manager.filter(Q(("reveals_arm", True))).values("pk")
    return found.filter(reveals_arm=False).exclude(id__in=telling)


def words_for(rows: Sequence[Row], spec: ProtocolSpec | None) -> TrailWords:
    """Names of everything that the rows point to: a lookup for each kind of thing."""
    wanted: dict[Table, set[Any]] = defaultdict(set)
    for row in rows:
        for one in row.model._meta.concrete_fields:
            if one.is_relation and one.related_model in NAMED:
                wanted[one.related_model].add(row.values[one.attname])
    names = {
        (model, record.pk): str(record)
        for model, ids in wanted.items()
        for record in model._default_manager.filter(pk__in=ids - {None})
    }
    visits = {row.values["visit_id"] for row in rows if row.model is Administration}
    codes = dict(Visit.objects.filter(pk__in=visits).order_by().values_list("pk", "code")) if visits else {}
    return TrailWords(spec, names, codes)


# -- one record


def of_record(referral: Referral, user: User) -> list[Entry]:
    """Everything about one record that this person may read, in no order."""
    rows: list[Row] = []
    for model in tables_for(user):
        path = path_to_referral(model)
        if path is not None and (model not in NEEDS or user.access.may(NEEDS[model], referral.site)):
            rows += _rows(model, Q(**{path: referral.pk}))
    if user.access.blinded:
        rows = without_arm_tellers(rows)
    rows = _without_first_entries(rows, referral, user)
    entries = _sentences(rows, referral.protocol_version.spec)
    entries += _signatures({(row.model._meta.db_table, row.record_id) for row in rows})
    entries += _thread({row.record_id for row in rows if row.model is Query})
    if Membership in tables_for(user):
        entries += _marks(referral)
    return entries


def _without_first_entries(rows: list[Row], referral: Referral, user: User) -> list[Row]:
    """Rows without those of forms, and of queries about them, that this person has yet to enter unseen (BR-36)."""
    participant = getattr(referral, "participant", None)
    hidden = hidden_forms(participant, user) if participant else set()
    return [
        row
        for row in rows
        if not (row.model is Administration and row.record_id in hidden)
        and not (row.model in (Query, SecondEntry) and row.values["administration_id"] in hidden)
    ]


def note_first_entries(referral: Referral, user: User, at: datetime) -> None:
    """Note that the person was shown first entries of paper forms, those that were not kept from them (BR-36)."""
    participant = getattr(referral, "participant", None)
    if participant is None or not user.access.may(Action.VIEW_ANSWERS, referral.site):
        return
    hidden = hidden_forms(participant, user)
    forms = participant.administrations.filter(mode__in=["", Administration.Mode.SELF_PAPER]).exclude(pk__in=hidden)
    for form in forms.select_related("protocol_version"):
        note_shown(form, user, at)


def of_form(referral: Referral, form: Administration, user: User) -> list[Entry]:
    """Everything about one questionnaire: each answer by itself, its queries, and who signed it."""
    rows = _rows(Administration, Q(id=form.pk))
    queries: list[Row] = []
    if user.access.may(Action.VIEW_QUERIES, referral.site):
        queries = _rows(Query, Q(administration=form.pk))
    spec = referral.protocol_version.spec
    entries = _sentences(rows, spec, each_answer=True) + _sentences(queries, spec)
    entries += _signatures({(Administration._meta.db_table, form.pk)})
    return entries + _thread({row.record_id for row in queries})


def _sentences(rows: Sequence[Row], spec: ProtocolSpec | None, *, each_answer: bool = False) -> list[Entry]:
    words = words_for(rows, spec)
    by_model: dict[Table, list[Row]] = defaultdict(list)
    for row in rows:
        by_model[row.model].append(row)
    return [
        entry
        for found in by_model.values()
        for before, after in pairs_of(found)
        for entry in entries_of(before, after, words, each_answer=each_answer)
    ]


def _signatures(records: set[tuple[str, int]]) -> list[Entry]:
    """Who signed any of these records, and in which words."""
    names = [f"{table}:{pk}" for table, pk in records]
    found = Signature.objects.filter(record__in=names) if names else Signature.objects.none()
    return [
        Entry(
            one.signed_at,
            one.printed_name,
            role_words(one.role),
            (Said(f"signed: “{one.meaning}”"),),
            "signature",
            order=place_in_time(one.signed_at, "signature", one.pk),
        )
        for one in found
    ]


def _thread(queries: set[int]) -> list[Entry]:
    """That something was said in queries; what it was stays with the query, like every sealed text."""
    said = {"open": "asked a question", "answered": "answered a query", "closed": "closed a query"}
    found = QueryMessage.objects.filter(query__in=queries).select_related("by") if queries else []
    return [
        Entry(
            one.at,
            one.by.name if one.by else "A rule",
            role_words(one.role) if one.by else "",
            (Said(said[one.new_state]),),
            "query",
            order=place_in_time(one.at, "query", one.pk),
        )
        for one in found
    ]


def _marks(referral: Referral) -> list[Entry]:
    """Marks of the register; only read for people who may know of sessions."""
    found = Mark.objects.filter(participant__referral=referral).select_related("session__group", "marked_by")
    return [
        Entry(
            one.received_at,
            one.marked_by.name,
            "",
            (
                Said("marked "),
                Said(one.get_status_display(), "new"),
                Said(f" at {one.session}{f': {one.reason}' if one.reason else ''}"),
            ),
            "register",
            changed=True,
            order=place_in_time(one.received_at, "register", one.pk),
        )
        for one in found
    ]
