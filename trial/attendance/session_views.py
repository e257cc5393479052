"""Sessions of a site as tables, for those who plan and oversee them. Never for a blinded role (BR-26)."""

from datetime import datetime
from uuid import uuid4

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.models import AccessEvent
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.activities import actions as activity_actions
from trial.activities import reads as activity_reads
from trial.activities.models import Session
from trial.attendance import actions, reads
from trial.attendance.forms import CancelForm, DecideForm, MoveForm
from trial.attendance.models import Mark
from trial.attendance.views import posted
from trial.base.errors import TrialError
from trial.base.lists import csv_response, csv_url, page_of, wants_csv
from trial.base.parts import Link
from trial.base.words import clock_time, date_and_time, short_date
from trial.participants.models import Participant

SESSIONS = ("Sessions", "/sessions/")
STATES = {
    "": "Any",
    "planned": "Planned",
    "unfinished": "Register not finished",
    "delivered": "Delivered",
    "cancelled": "Cancelled",
}


@requires(Action.VIEW_SESSIONS)
@require_safe
def sessions(request: StaffRequest) -> HttpResponse:
    """Sessions to come or past, by group and state, 50 a page."""
    now = timezone.now()
    past = request.GET.get("when") == "past"
    groups = {str(g.pk): f"{g}, {g.site}" for g in activity_reads.groups_for(request.user)}
    group, state = request.GET.get("group", ""), request.GET.get("state", "")
    found = _filtered(request, now, past=past, group=group if group in groups else "", state=state)
    if wants_csv(request):
        return _csv(request, found, now)
    rows, pages = page_of(request, found)
    context = {
        "rows": reads.rows_of(rows, now),
        "pages": pages,
        "tabs": [("To come", "?when=next", not past), ("Past", "?when=past", past)],
        "when": "past" if past else "next",
        "groups": groups.items(),
        "group": group,
        "state": state,
        "states": STATES.items(),
        "download": Link("Download these as CSV", csv_url(request)),
        "links": [Link("Groups", "/groups/")],
    }
    return render(request, "attendance/sessions.html", context)


def _filtered(request: StaffRequest, now: datetime, *, past: bool, group: str, state: str) -> QuerySet[Session]:
    found = activity_reads.with_frame(Session.objects.visible_to(request.user))
    found = found.filter(ends_at__lt=now) if past else found.filter(ends_at__gte=now)
    if group:
        found = found.filter(group=int(group))
    if state == "unfinished":
        found = found.filter(status=Session.Status.PLANNED, ends_at__lt=now)
    elif state in Session.Status.values:
        found = found.filter(status=state)
    return found.order_by("-starts_at", "-pk") if past else found.order_by("starts_at", "pk")


def _csv(request: StaffRequest, found: QuerySet[Session], now: datetime) -> HttpResponse:
    AccessEvent(
        user=request.user,
        role=request.user.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record="Sessions",
        at=now,
    ).save()
    heads = ["Date", "Start", "Site", "Group", "Session", "Of", "Expected", "Marked", "Status"]
    return csv_response("sessions.csv", heads, reads.rows_of(found, now), _cells)


def _cells(row: reads.SessionRow) -> list[object]:
    session = row.session
    day, start = short_date(session.starts_at), clock_time(session.starts_at)
    names = [session.group.site.name, session.group.name]
    counts = [session.number, row.n_planned, row.n_expected, row.n_marked]
    return [day, start, *names, *counts, row.word or session.get_status_display()]


@requires(Action.VIEW_SESSIONS)
@require_safe
def session(request: StaffRequest, session: int) -> HttpResponse:
    """One session with its register as a table."""
    found = activity_reads.session_for(request.user, session)
    now = timezone.now()
    site = found.group.site
    may_plan = request.user.access.may(Action.PLAN_GROUPS, site)
    marks = reads.marks_of(found)
    context = {
        "session": found,
        "row": reads.rows_of([found], now)[0],
        "people": _people(found, marks),
        "all_marks": [mark for theirs in marks.values() for mark in theirs.every],
        "may_plan": may_plan and found.status == Session.Status.PLANNED,
        "may_decide": may_plan,
        "may_mark": Session.objects.with_register_of(request.user).filter(pk=found.pk).exists(),
        "breadcrumbs": [SESSIONS],
    }
    return render(request, "attendance/session.html", context)


def _people(found: Session, marks: dict[int, reads.Marks]) -> list[tuple[Participant, reads.Marks, str, str]]:
    """Everybody expected, then visitors: the person, their marks, the note, and the status code of the register."""
    expected = [member.participant for member in activity_reads.expected_members(found)]
    known = {participant.pk for participant in expected}
    others = [theirs.every[0].participant for pk, theirs in marks.items() if pk not in known]
    rows = []
    for participant in [*expected, *others]:
        theirs = marks.get(participant.pk, reads.Marks())
        code = reads.pressed(theirs.current) or "not_marked"
        rows.append((participant, theirs, reads.note_of(theirs.current), code))
    return rows


@requires(Action.PLAN_GROUPS)
@require_http_methods(["GET", "POST"])
def cancel(request: StaffRequest, session: int) -> HttpResponse:
    """Cancel a session."""
    found = activity_reads.session_for(request.user, session, Action.PLAN_GROUPS)
    form = CancelForm(posted(request))
    if form.is_valid():
        try:
            activity_actions.cancel_session(session=found, by=request.user, **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{found} cancelled. Nobody counts as absent.")
            return redirect("attendance:session", found.pk)
    context = {"form": form, "session": found, "title": f"Cancel {found}", "button": "Cancel session"}
    return render(request, "attendance/change.html", {**context, "breadcrumbs": [SESSIONS]})


@requires(Action.PLAN_GROUPS)
@require_http_methods(["GET", "POST"])
def move(request: StaffRequest, session: int) -> HttpResponse:
    """Move a session; it lasts as long as before."""
    found = activity_reads.session_for(request.user, session, Action.PLAN_GROUPS)
    form = MoveForm(posted(request), initial={"starts_at": found.starts_at})
    if form.is_valid():
        starts_at = form.cleaned_data["starts_at"]
        try:
            moved = activity_actions.move_session(
                session=found,
                starts_at=starts_at,
                ends_at=starts_at + (found.ends_at - found.starts_at),
                reason=form.cleaned_data["reason"],
                by=request.user,
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{moved} moved to {date_and_time(moved.starts_at)}")
            return redirect("attendance:session", found.pk)
    context = {"form": form, "session": found, "title": f"Move {found}", "button": "Move session"}
    return render(request, "attendance/change.html", {**context, "breadcrumbs": [SESSIONS]})


@requires(Action.PLAN_GROUPS)
@require_http_methods(["GET", "POST"])
def decide(request: StaffRequest, session: int, number: str) -> HttpResponse:
    """Decide between marks that contradict; all of them stay."""
    found = activity_reads.session_for(request.user, session, Action.PLAN_GROUPS)
    theirs = next((m for m in reads.marks_of(found).values() if str(m.every[0].participant) == number), None)
    if theirs is None or theirs.current is None:
        raise Http404
    if not theirs.aside:
        messages.info(request, f"Nothing is left to decide for {number}.")
        return redirect("attendance:session", found.pk)
    marks = [(mark, _said(mark)) for mark in (theirs.current, *theirs.aside)]
    form = DecideForm(posted(request), marks=marks, initial={"key": uuid4(), "current": theirs.current.key})
    if form.is_valid():
        try:
            actions.resolve_conflict(by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Decided for {number}. All the marks are kept.")
            return redirect("attendance:session", found.pk)
    title = f"Decide between {len(marks)} marks for {number}"
    context = {"form": form, "session": found, "title": title, "button": "Save decision"}
    return render(request, "attendance/change.html", {**context, "breadcrumbs": [SESSIONS]})


def _said(mark: Mark) -> str:
    """A mark in words, to choose from."""
    said = mark.get_status_display()
    if mark.minutes is not None:
        said += f", {mark.minutes} minutes"
    return f"{said}: marked by {mark.marked_by} at {clock_time(mark.received_at)} on {short_date(mark.received_at)}"
