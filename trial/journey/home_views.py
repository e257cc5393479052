"""Where each role starts, and what it must do next (ux.md section 3)."""

from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

import instruments
from trial.access.models import AccessEvent, Site, User
from trial.access.permissions import StaffRequest, public, requires
from trial.access.policy import Action
from trial.allocation.exceptions import guesses
from trial.assessments.models import Administration
from trial.base import lists
from trial.base.parts import Link
from trial.base.words import local_day, short_date
from trial.consent.models import Consent
from trial.deviations.models import Deviation
from trial.double_entry import reads as double_entry
from trial.journey import completeness, criteria, monitor, recruitment, worklist
from trial.protocol.models import ProtocolVersion
from trial.protocol.versions import active_version
from trial.review.models import Query
from trial.safety.event_actions import is_reviewed
from trial.safety.models import RiskAlert
from trial.safety.reads import events_for

SHOWN = 5
"""Rows of a list that has a page of its own."""


@public
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead everybody to the page on which their role starts."""
    if not isinstance(request.user, User):
        return redirect("/accounts/login/?next=/home/")
    return redirect(request.user.access.home)


@public
@require_safe
def no_role(request: HttpRequest) -> HttpResponse:
    """Say what to do to somebody who holds no role today."""
    return render(request, "journey/no_role.html", {"title": "You have no role today"})


@requires(Action.VIEW_TASKS)
@require_safe
def tasks(request: StaffRequest) -> HttpResponse:
    """My tasks: overdue, due today, the next seven days (screen 01)."""
    user, now = request.user, timezone.now()
    today = local_day(now)
    own, pages = lists.page_of(request, worklist.open_tasks(user, today))
    lines = worklist.lines_of(own)
    collects_only = worklist.collects_only(user)
    assessments = worklist.assessments_due(user, today) if collects_only else []
    n_queries, queries = worklist.open_queries(user, now)
    may_add = user.access.may(Action.ADD_REFERRAL)
    return render(
        request,
        "journey/tasks.html",
        {
            "title": "My tasks",
            "today": now,
            "button": Link("Screen a new person", "/people/new/") if may_add else None,
            "groups": worklist.grouped(lines, today),
            "assessment_groups": worklist.grouped(assessments[: lists.PAGE_SIZE], today),
            "n_assessments": len(assessments),
            "collects_only": collects_only,
            "pages": pages,
            "may_see_sessions": user.access.may(Action.VIEW_SESSIONS),
            "sessions": worklist.sessions_today(user, today, now),
            "may_see_queries": user.access.may(Action.VIEW_QUERIES),
            "n_queries": n_queries,
            "queries": queries,
            "recruitment": None if collects_only else _recruitment(worklist.sites_with_tasks(user), now),
        },
    )


def _recruitment(sites: list[Site], now: datetime) -> dict[str, Any] | None:
    """The bar beside the tasks; nothing before a protocol is active."""
    version = active_version()
    if version is None or not sites:
        return None
    rows = recruitment.by_site(sites, version.spec, local_day(now))
    row = recruitment.together(rows, sites, version.spec, local_day(now))
    return {"name": row.name, "bar": recruitment.bar(row), "words": f"randomised, {row.behind}"}


@requires(Action.VIEW_OVERVIEW)
@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """Recruitment, retention, progression criteria, safety and deviations at the user's sites (screen 08a)."""
    user, today = request.user, timezone.localdate()
    ids = user.access.site_ids(Action.VIEW_OVERVIEW)
    sites = list(Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids))
    version = active_version()
    context = {
        "title": "Overview",
        "detail": f"{', '.join(site.name for site in sites)}. Data of {short_date(today)}",
        "button": Link("Review safety events", "/safety/") if user.access.may(Action.VIEW_SAFETY) else None,
        "safety": _safety(user),
        "deviations": _deviations(user),
        "blinded": user.access.blinded,
        **(_figures(user, sites, version) if version and sites else {}),
    }
    return render(request, "journey/overview.html", context)


def _figures(user: User, sites: list[Site], version: ProtocolVersion) -> dict[str, Any]:
    spec, today = version.spec, timezone.localdate()
    rows = recruitment.by_site(sites, spec, today)
    whole = recruitment.together(rows, sites, spec, today)
    days = recruitment.days_of_randomisation(sites)
    cut = criteria.Cut(sites, spec, today)
    hidden = [one.code for one in spec.progression.criteria if one.reveals_arm] if user.access.blinded else []
    return {
        "rows": [*rows, whole] if len(rows) > 1 else rows,
        "chart": recruitment.chart(sites, whole.target, days, spec, today),
        "weeks": recruitment.by_week(days),
        "retention": criteria.retention_rows(cut),
        "criteria": criteria.progression(cut, blinded=user.access.blinded),
        "hidden": _and(hidden),
        "statement": spec.progression.statement,
        "frozen": spec.progression.frozen_on,
        "protocol": version.version,
    }


def _and(words: list[str]) -> str:
    """ "PC4, PC6 and PC7"."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def _safety(user: User) -> dict[str, Any]:
    """Serious events that wait for a signed review, and open alerts: never what they say."""
    serious = [one for one in events_for(user).serious() if not is_reviewed(one)]
    alerts = RiskAlert.objects.visible_to(user).open()
    return {"n_events": len(serious), "events": serious[:SHOWN], "n_alerts": alerts.count()}


def _deviations(user: User) -> dict[str, Any]:
    """Deviations to review at the user's sites; those that tell an arm only for people who may know it."""
    if not user.access.may(Action.VIEW_DEVIATIONS):
        return {"n": 0, "rows": []}
    found = Deviation.objects.filter(user.access.sites(Action.VIEW_DEVIATIONS), reviewed_at__isnull=True)
    if user.access.blinded:
        found = found.filter(reveals_arm=False)
    return {"n": found.count(), "rows": list(found.select_related("site", "participant")[:SHOWN])}


@requires(Action.VIEW_DATA)
@require_safe
def data(request: StaffRequest) -> HttpResponse:
    """Completeness by visit and site, and the age of queries: nothing of sessions or arms."""
    user, now = request.user, timezone.now()
    ids = user.access.site_ids(Action.VIEW_DATA)
    sites = list(Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids))
    queries = Query.objects.visible_to(user)
    offered = (
        (Action.VIEW_DATA, Link("Double entry", "/double-entry/", "Paper forms entered by two people")),
        (Action.VIEW_PROTOCOL, Link("Paper forms", "/crf/", "Blank packs, and the annotated case report form")),
        (Action.VIEW_LOCKS, Link("Cuts and locks", "/locks/", "Readiness, data cuts and the final lock")),
        (Action.VIEW_RELEASES, Link("Releases", "/releases/", "Datasets built from a cut or a lock")),
        (Action.VIEW_AUDIT, Link("Audit trail", "/audit/", "Recent changes, and who looked at what")),
        (Action.VIEW_DEVIATIONS, Link("Deviations", "/deviations/", "Departures from the protocol")),
    )
    return render(
        request,
        "journey/data.html",
        {
            "title": "Data",
            "button": Link("Review queries", "/queries/"),
            "sites": sites,
            "rows": completeness.by_visit(sites, local_day(now)),
            "ages": completeness.query_ages(queries, now),
            "agreement": double_entry.agreement(ids),
            **_unblinded(user),
            "places": [link for action, link in offered if user.access.may(action)],
            "today": now,
        },
    )


def _unblinded(user: User) -> dict[str, Any]:
    """Interviews that carry the flag of BR-27: how many, and where the first of them stand. No arm."""
    found = guesses.unblinded_outcomes_for(user, Action.VIEW_DATA)
    return {"n_unblinded": found.count(), "unblinded": [_form_link(one) for one in found[:SHOWN]]}


def _form_link(one: Administration) -> Link:
    number, title = one.participant.study_id, instruments.get(one.instrument, one.instrument_version).short_title
    return Link(number, f"/people/{number}/{one.visit.code}/{one.instrument}/", f"{one.visit.code}, {title}")


CONSENT_HEADS = ("Study number", "Site", "Form version", "Sheet version", "Signed", "Method", "Taken by", "State")


@requires(Action.VIEW_MONITORING)
@require_safe
def monitoring(request: StaffRequest) -> HttpResponse:
    """The monitor's home: consents to check, queries raised, the site log. Nobody's name but staff's own log."""
    user = request.user
    sites = monitor.sites_of(user)
    found = monitor.consents(sites)
    if lists.wants_csv(request):
        event = AccessEvent(user=user, role=user.role_code, kind=AccessEvent.Kind.EXPORTED, at=timezone.now())
        event.record, event.detail = "Consents", f"{found.count()} consents"
        event.save()
        return lists.csv_response("consents.csv", CONSENT_HEADS, found.iterator(), _consent_cells)
    rows, pages = lists.page_of(request, found)
    queries = Paginator(monitor.my_queries(user), lists.PAGE_SIZE).page(1)
    return render(
        request,
        "journey/monitoring.html",
        {
            "title": "Monitoring",
            "detail": ", ".join(site.name for site in sites),
            "button": Link("Raise a query", "/people/"),
            "rows": [(one, monitor.role_words(getattr(one, "taker_role", "") or "")) for one in rows],
            "pages": pages,
            "download": Link("Download as CSV", lists.csv_url(request)),
            "queries": queries,
            "now": timezone.now(),
            "log": monitor.site_log(sites),
        },
    )


def _consent_cells(consent: Consent) -> list[str]:
    return [
        consent.participant.study_id,
        consent.participant.site.name,
        consent.form.version,
        consent.information.document.version,
        short_date(consent.signed_at),
        consent.get_method_display(),
        monitor.role_words(getattr(consent, "taker_role", "") or ""),
        consent.get_state_display(),
    ]
