"""My tasks: what one person must do, by when, and what stands beside it (screen 01)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, prefetch_related_objects

from trial.access.models import Site, User
from trial.access.policy import Action
from trial.activities.models import Membership, Session
from trial.activities.reads import with_frame
from trial.assessments.models import Administration
from trial.assessments.reads import VisitState, visit_states
from trial.attendance.models import Mark
from trial.base.parts import Task as TaskLine
from trial.base.parts import TaskGroup
from trial.base.words import clock_time, day_and_month, local_day
from trial.messages.models import Task
from trial.participants.models import Participant, Status
from trial.protocol import rules as protocol_rules
from trial.protocol.models import ProtocolVersion
from trial.review.models import Query
from trial.schedule.models import Visit
from trial.schedule.rules import VisitStatus

DAYS_AHEAD = 7
GROUPS = ("overdue", "due_today", "next_7_days", "later")
LONGEST_OVERDUE = timedelta(days=200)


def open_tasks(user: User, today: date) -> QuerySet[Task]:
    """Open tasks of the user's roles that are due within seven days or are late, the urgent ones of a day first."""
    tasks = Task.objects.visible_to(user).open().filter(due_date__lte=today + timedelta(days=DAYS_AHEAD))
    return tasks.select_related("referral__participant").order_by("due_date", "-is_urgent", "id")


def lines_of(tasks: Iterable[Task]) -> list[TaskLine]:
    """Tasks as the table shows them."""
    return [
        TaskLine(one.due_date, one.title, one.link, one.detail, one.referral.number if one.referral else "")
        for one in tasks
    ]


def grouped(lines: Sequence[TaskLine], today: date) -> list[TaskGroup]:
    """Overdue, due today, the next seven days, later; groups without a task are left out."""
    by_group: dict[str, list[TaskLine]] = {name: [] for name in GROUPS}
    for line in lines:
        by_group[group_of(line.due, today)].append(line)
    return [TaskGroup(name, found) for name, found in by_group.items() if found]


def group_of(due: date | None, today: date) -> str:
    """Which group a day belongs to; a task without a day comes later."""
    if due is None or due > today + timedelta(days=DAYS_AHEAD):
        return "later"
    if due < today:
        return "overdue"
    return "due_today" if due == today else "next_7_days"


# -- assessments, for people who only collect answers


def collects_only(user: User) -> bool:
    """Whether the person asks the questions and does nothing else here: an outcome assessor."""
    return user.access.may(Action.ENTER_FORM) and not user.access.may(Action.RECORD_CONTACT)


def assessments_due(user: User, today: date) -> list[TaskLine]:
    """Visits at the user's sites with questionnaires outstanding, by the day their window closes."""
    open_now = Visit.objects.filter(
        participant=OuterRef("pk"), opens_date__lte=today, closes_date__gte=today - LONGEST_OVERDUE
    )
    people = Participant.objects.filter(
        Exists(open_now), referral__status__in=(Status.RANDOMISED, Status.IN_ACTIVITY, Status.FOLLOW_UP)
    )
    ids = user.access.site_ids(Action.ENTER_FORM)
    if ids is not None:
        people = people.filter(referral__site__in=ids)
    found = list(people.select_related("referral"))
    forms = Administration.objects.defer("answers", "missing", "reasons", "scores")
    prefetch_related_objects(found, "visits", Prefetch("administrations", forms), "participation_changes")
    versions = ProtocolVersion.objects.in_bulk({one.referral.protocol_version_id for one in found})
    lines = [
        _assessment(one, state)
        for one in found
        for state in visit_states(one, versions[one.referral.protocol_version_id].spec, today)
        if state.status in (VisitStatus.OPEN, VisitStatus.OVERDUE) and not state.spec.before_randomisation
    ]
    return sorted(lines, key=lambda line: (line.due or today, line.number))


def _assessment(participant: Participant, state: VisitState) -> TaskLine:
    forms = list(state.forms.values())
    waiting = next((one for one in forms if not one.is_settled), None)
    done = sum(one.is_settled for one in forms)
    row = state.row
    opened = f". Window opened {day_and_month(row.opens_date)}" if row else ""
    return TaskLine(
        due=row.closes_date if row else None,
        label=f"Collect the {state.spec.label} questionnaires",
        url=waiting.url if waiting else f"/people/{participant.study_id}/",
        detail=f"{done} of {len(forms)} complete{opened}",
        number=participant.study_id,
    )


# -- beside the tasks


@dataclass(frozen=True)
class SessionLine:
    """One session of today. `status` is a code of `statuses.SESSION`."""

    at: datetime
    name: str
    url: str
    detail: str
    status: str
    word: str = ""


def sessions_today(user: User, today: date, now: datetime) -> list[SessionLine]:
    """Today's sessions at the user's sites; none for blinded people (BR-26)."""
    if not user.access.may(Action.VIEW_SESSIONS):
        return []
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    around = Session.objects.visible_to(user).filter(
        starts_at__gte=midnight - timedelta(days=1), starts_at__lt=midnight + timedelta(days=2)
    )
    marks = Mark.objects.filter(session=OuterRef("pk"))
    found = [
        one
        for one in with_frame(around).annotate(has_marks=Exists(marks)).order_by("starts_at", "id")
        if local_day(one.starts_at) == today
    ]
    counted = Membership.objects.on(today).filter(group__in=[one.group_id for one in found]).order_by()
    members = dict(counted.values_list("group").annotate(n=Count("pk")))
    return [_session(one, members.get(one.group_id, 0)) for one in found]


def _session(session: Session, n_people: int) -> SessionLine:
    status, word = str(session.status), ""
    if status == Session.Status.DELIVERED and session.completed_at:
        word = f"Register sent {clock_time(session.completed_at)}"
    elif status == Session.Status.PLANNED:
        status = "in_progress" if getattr(session, "has_marks", False) else "not_started"
    planned = getattr(session, "n_planned", 0)
    people = f"{n_people} {'person' if n_people == 1 else 'people'}"
    detail = f"Session {session.number} of {planned}. {people}. {session.group.leader}"
    return SessionLine(session.starts_at, session.group.name, f"/sessions/{session.pk}/", detail, status, word)


@dataclass(frozen=True)
class QueryLine:
    """One open query."""

    label: str
    url: str
    detail: str


def open_queries(user: User, now: datetime, most: int = 5) -> tuple[int, list[QueryLine]]:
    """How many queries are open at the user's sites, and the oldest of them."""
    found = Query.objects.visible_to(user).filter(state=Query.State.OPEN)
    oldest = found.select_related("participant__referral", "administration__visit").order_by("raised_at", "id")[:most]
    lines = list(oldest)
    versions = ProtocolVersion.objects.in_bulk({one.participant.referral.protocol_version_id for one in lines})
    return found.count(), [_query(one, versions[one.participant.referral.protocol_version_id], now) for one in lines]


def _query(query: Query, version: ProtocolVersion, now: datetime) -> QueryLine:
    days, form = (now - query.raised_at).days, query.administration
    label = "Query"
    if form is not None:
        visit = protocol_rules.visit(version.spec, form.visit.code)
        label = f"{protocol_rules.form_label(version.spec, form.instrument)} {visit.label}"
    age = "today" if days == 0 else f"{days} day{'' if days == 1 else 's'}"
    return QueryLine(label, f"/queries/{query.pk}/", f"{query.participant.study_id}. Open {age}")


def sites_with_tasks(user: User) -> list[Site]:
    """Sites for which the user has tasks, by code."""
    ids = user.access.site_ids(Action.VIEW_TASKS)
    return list(Site.objects.filter(Q() if ids is None else Q(pk__in=ids)))
