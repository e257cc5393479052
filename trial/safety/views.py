"""Pages of alerts and adverse events. None of them names an arm."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.base.errors import TrialError
from trial.base.lists import csv_response, csv_url, page_of, wants_csv
from trial.base.words import short_date
from trial.participants import identity
from trial.safety import actions, event_actions, reads, rules
from trial.safety.forms import AssessmentForm, EventChangeForm, EventForm, EventReviewForm
from trial.safety.models import AdverseEvent, RiskAlert

SHOWN_AT_HOME = 20


@requires(Action.VIEW_SAFETY)
@require_GET
def home(request: StaffRequest) -> HttpResponse:
    """Open alerts with age and clock first, then serious adverse events, then the others."""
    now = timezone.now()
    alerts, pages = page_of(request, reads.alerts_for(request.user).open().order_by("raised_at", "pk"))
    events = reads.events_for(request.user)
    serious = [reads.event_row(one, request.user) for one in events.serious()[:SHOWN_AT_HOME]]
    others = [reads.event_row(one, request.user) for one in events.filter(seriousness=[])[:SHOWN_AT_HOME]]
    context = {
        "alerts": [reads.alert_row(one, now) for one in alerts],
        "pages": pages,
        "serious": serious,
        "others": others,
        "n_closed": reads.alerts_for(request.user).filter(closed_at__isnull=False).count(),
        "shows_category": not request.user.access.blinded,
    }
    return render(request, "safety/home.html", context)


@requires(Action.VIEW_SAFETY)
@require_GET
def alerts(request: StaffRequest) -> HttpResponse:
    """Every alert, open and closed, newest first."""
    now = timezone.now()
    found = reads.alerts_for(request.user)
    if wants_csv(request):
        heads = ["Alert", "Study number", "Site", "Raised", "Source", "Severity", "Grade", "Status", "Closed"]
        return csv_response("alerts.csv", heads, found, lambda one: _alert_cells(reads.alert_row(one, now)))
    rows, pages = page_of(request, found)
    context = {"alerts": [reads.alert_row(one, now) for one in rows], "pages": pages, "csv_url": csv_url(request)}
    return render(request, "safety/alerts.html", context)


def _alert_cells(row: reads.AlertRow) -> list[str]:
    one = row.alert
    closed = short_date(one.closed_at) if one.closed_at else ""
    return [
        str(one.pk),
        one.participant.study_id,
        one.participant.site.name,
        short_date(one.raised_at),
        row.source,
        one.get_severity_display(),
        one.get_level_display(),
        row.status,
        closed,
    ]


@requires(Action.VIEW_SAFETY)
@require_http_methods(["GET", "POST"])
def alert(request: StaffRequest, pk: int) -> HttpResponse:
    """One alert: what raised it, its clock, and for those who may, its assessment."""
    posted = request.method == "POST"
    found = reads.alert_for(request.user, pk, Action.ASSESS_ALERT if posted else Action.VIEW_SAFETY)
    form = AssessmentForm(request.POST) if posted else AssessmentForm(initial=_assessed(found))
    if posted and form.is_valid():
        try:
            actions.assess(alert=found, by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Assessment saved")
            return redirect("safety:alert", pk)
    return _alert_page(request, found, form)


def _assessed(alert: RiskAlert) -> dict[str, object]:
    return {
        "level": alert.level,
        "actions_taken": reads.actions_of(alert),
        "gp_informed_date": alert.gp_informed_date,
    }


def _alert_page(
    request: StaffRequest, found: RiskAlert, form: AssessmentForm | None, contact: identity.IdentityData | None = None
) -> HttpResponse:
    may_assess = request.user.access.may(Action.ASSESS_ALERT, found.participant.site) and not found.closed_at
    context = {
        "alert": found,
        "row": reads.alert_row(found, timezone.now()),
        "clock": reads.clock_of(found),
        "texts": reads.alert_messages(found),
        "concern": reads.concern_of(found, request.user),
        "actions_taken": reads.actions_of(found),
        "form": form if may_assess else None,
        "may_assess": may_assess,
        "may_close": may_assess and bool(found.level),
        "needs_second": bool(found.level) and actions.needs_second_person(found),
        "may_see_contact": request.user.access.may(Action.VIEW_IDENTITY, found.participant.site),
        "contact": contact,
        "breadcrumbs": [("Safety", "/safety/")],
        "here": f"Alert {found.pk}",
    }
    return render(request, "safety/alert.html", context)


@requires(Action.ASSESS_ALERT)
@require_POST
def acknowledge(request: StaffRequest, pk: int) -> HttpResponse:
    """Say that somebody is looking at it."""
    found = reads.alert_for(request.user, pk, Action.ASSESS_ALERT)
    actions.acknowledge(alert=found, by=request.user, at=timezone.now())
    messages.success(request, "You are recorded as looking at this alert")
    return redirect("safety:alert", pk)


@requires(Action.ASSESS_ALERT)
@require_POST
def close(request: StaffRequest, pk: int) -> HttpResponse:
    """Close an assessed alert."""
    found = reads.alert_for(request.user, pk, Action.ASSESS_ALERT)
    try:
        actions.close(alert=found, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Alert closed")
    return redirect("safety:alert", pk)


@requires(Action.VIEW_SAFETY)
@require_POST
def contact(request: StaffRequest, pk: int) -> HttpResponse:
    """How to reach the person of an alert; each showing is logged (R-07)."""
    found = reads.alert_for(request.user, pk, Action.VIEW_IDENTITY)
    shown = identity.show(
        referral=found.participant.referral, by=request.user, at=timezone.now(), reason=f"Risk alert {found.pk}"
    )
    response = _alert_page(request, found, AssessmentForm(initial=_assessed(found)), shown)
    response.headers["Cache-Control"] = "no-store"
    return response


@requires(Action.VIEW_SAFETY)
@require_GET
def events(request: StaffRequest) -> HttpResponse:
    """Every adverse event, serious ones alone with `?serious=yes`."""
    found = reads.events_for(request.user)
    only_serious = request.GET.get("serious") == "yes"
    if only_serious:
        found = found.serious()
    if wants_csv(request):
        heads = ["Study number", "Event", "Site", "Started", "Severity", "Serious", "Outcome", "Reviewed", "Kind"]
        user = request.user
        return csv_response("adverse-events.csv", heads, found, lambda one: _event_cells(reads.event_row(one, user)))
    rows, pages = page_of(request, found)
    context = {
        "events": [reads.event_row(one, request.user) for one in rows],
        "pages": pages,
        "csv_url": csv_url(request),
        "only_serious": only_serious,
        "shows_category": not request.user.access.blinded,
    }
    return render(request, "safety/events.html", context)


def _event_cells(row: reads.EventRow) -> list[str]:
    one = row.event
    return [
        one.participant.study_id,
        str(one),
        one.participant.site.name,
        short_date(one.onset_date),
        one.get_severity_display(),
        row.seriousness,
        one.get_outcome_display(),
        "yes" if row.is_reviewed else "no",
        row.category,
    ]


@requires(Action.VIEW_SAFETY)
@require_GET
def event(request: StaffRequest, pk: int) -> HttpResponse:
    """One adverse event with its reviews; free text and kind only for roles that are not blinded (BR-26)."""
    return _event_page(request, reads.event_for(request.user, pk))


def _event_page(request: StaffRequest, found: AdverseEvent, form: EventReviewForm | None = None) -> HttpResponse:
    user, site = request.user, found.participant.site
    may_read = not user.access.blinded
    content = event_actions.signed_content(found)
    context = {
        "event": found,
        "row": reads.event_row(found, user),
        "may_read": may_read,
        "description": event_actions.description_of(found) if may_read else "",
        "reviews": [reads.review_row(one, content, may_read) for one in found.reviews.all()],
        "goes_to_rec": event_actions.goes_to_rec(found),
        "rec_due": rules.rec_due(found.aware_date),
        "may_change": may_read and user.access.may(Action.REPORT_EVENT, site),
        "may_review": user.access.may(Action.REVIEW_EVENT, site),
        "form": form,
        "breadcrumbs": [("Safety", "/safety/"), ("Adverse events", "/safety/events/")],
        "here": f"{found.participant} {found}",
    }
    return render(request, "safety/event.html", context)


@requires(Action.REVIEW_EVENT)
@require_http_methods(["GET", "POST"])
def review_event(request: StaffRequest, pk: int) -> HttpResponse:
    """Sign a judgement of an event."""
    found = reads.event_for(request.user, pk, Action.REVIEW_EVENT)
    site_view = {
        "related_to_activity": found.related_to_activity,
        "related_to_procedures": found.related_to_procedures,
    }
    form = EventReviewForm(request.POST) if request.method == "POST" else EventReviewForm(initial=site_view)
    if request.method == "POST" and form.is_valid():
        judged = {name: value for name, value in form.cleaned_data.items() if name != "secret"}
        now = timezone.now()
        try:
            proof = reauthenticate(user=request.user, secret=form.cleaned_data["secret"], at=now)
            event_actions.review_event(event=found, proof=proof, by=request.user, at=now, **judged)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Review signed")
            return redirect("safety:event", pk)
    return _event_page(request, found, form)


@requires(Action.REPORT_EVENT)
@require_http_methods(["GET", "POST"])
def report_event(request: StaffRequest, number: str) -> HttpResponse:
    """Report an adverse event of one participant."""
    participant = reads.reportable(request.user, number)
    spec = participant.referral.protocol_version.spec
    form = EventForm(request.POST if request.method == "POST" else None, spec=spec)
    if form.is_valid():
        try:
            stored = event_actions.report_event(
                participant=participant, data=form.data_of_event, by=request.user, at=timezone.now()
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Adverse event {stored} of {participant} reported")
            may_view = request.user.access.may(Action.VIEW_SAFETY, participant.site)
            return redirect(stored) if may_view else redirect(request.user.access.home)
    context = {"form": form, "participant": participant, "here": "Adverse event"}
    return render(request, "safety/report.html", context)


@requires(Action.REPORT_EVENT)
@require_http_methods(["GET", "POST"])
def change_event(request: StaffRequest, pk: int) -> HttpResponse:
    """Change what the site says of an event, with a reason. Closed to blinded roles, who may not read it."""
    found = reads.event_to_change(request.user, pk)
    spec = found.participant.referral.protocol_version.spec
    initial = {**event_actions.signed_content(found), "description": event_actions.description_of(found)}
    form = EventChangeForm(request.POST if request.method == "POST" else None, spec=spec, initial=initial)
    if form.is_valid():
        try:
            event_actions.change_event(
                event=found,
                data=form.data_of_event,
                reason=form.cleaned_data["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Adverse event {found} of {found.participant} changed")
            return redirect(found)
    return render(request, "safety/report.html", {"form": form, "participant": found.participant, "event": found})
