"""The audit trail of the whole trial as pages, the access log, and the check of its hashes (R-01, R-02, R-07)."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.models import AccessEvent, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base import audit as seals
from trial.base import lists
from trial.base.models import AuditLeaf
from trial.base.parts import Link
from trial.base.words import short_date_and_time
from trial.journey import audit_trail, history, trail
from trial.journey.history_views import HistoryFilter, log_export, logged_csv
from trial.journey.monitor import role_words
from trial.protocol.versions import active_version

MOST_CHECKED_AT_ONCE = 50_000
"""Entries that one request may check against their hashes; more are for the command that runs at night."""


@requires(Action.VIEW_AUDIT)
@require_safe
def audit(request: StaffRequest) -> HttpResponse:
    """Recent changes over all tables that the person may read, newest first."""
    bound = request.user.access.site_ids(Action.VIEW_AUDIT) is not None
    tables = [
        (model._meta.db_table, str(model._meta.verbose_name).capitalize())
        for model in trail.tables_for(request.user)
        if not bound or trail.path_to_site(model)
    ]
    form = HistoryFilter(_staff(), sorted(tables, key=lambda pair: pair[1]), request.GET)
    chosen = form.chosen()
    found = audit_trail.recent(request.user, _wanted(chosen))
    version = active_version()
    spec = version.spec if version else None
    if lists.wants_csv(request):
        entries = history.newest_first(audit_trail.sentences_of(found[:MOST_IN_A_FILE], spec))
        return logged_csv(request, "Audit trail", entries, "audit.csv")
    rows, pages = lists.page_of(request, found)
    shown = history.newest_first(audit_trail.sentences_of(rows, spec))
    return render(
        request,
        "journey/audit.html",
        {
            "title": "Audit trail",
            "entries": [entry.shown() for entry in shown],
            "pages": pages,
            "filter": form,
            "tabs": AUDIT_TABS[0],
            "links": [Link("Check the trail", "/audit/check/")],
            "download": Link("Download as CSV", lists.csv_url(request)),
            "noun": "changes",
        },
    )


MOST_IN_A_FILE = 5_000
AUDIT_TABS = (
    [("Changes", "/audit/", True), ("Access log", "/audit/access/", False)],
    [("Changes", "/audit/", False), ("Access log", "/audit/access/", True)],
)


def _staff() -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in User.objects.order_by("name", "pk").values_list("pk", "name")]


def _wanted(chosen: dict[str, Any]) -> audit_trail.Wanted:
    who, from_date, to_date = chosen["who"], chosen["from_date"], chosen["to_date"]
    return audit_trail.Wanted(int(who) if who else None, chosen["about"] or "", _day(from_date), _day(to_date))


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) else None


ACCESS_HEADS = ("Time", "Person", "Role", "What", "Record", "Detail")


@requires(Action.VIEW_AUDIT)
@require_safe
def access_log(request: StaffRequest) -> HttpResponse:
    """Sign-ins, identities and allocations looked at, files taken, pages refused."""
    form = HistoryFilter(_staff(), AccessEvent.Kind.choices, request.GET)
    form.fields["about"].label = "What"
    chosen = form.chosen()
    found = audit_trail.access_events(request.user, _wanted({**chosen, "about": ""}), kind=chosen["about"] or "")
    if lists.wants_csv(request):
        log_export(request, "Access log", found.count())
        return lists.csv_response("access-log.csv", ACCESS_HEADS, found.iterator(), _access_cells)
    rows, pages = lists.page_of(request, found)
    return render(
        request,
        "journey/access_log.html",
        {
            "title": "Access log",
            "rows": [(one, role_words(one.role)) for one in rows],
            "pages": pages,
            "filter": form,
            "tabs": AUDIT_TABS[1],
            "download": Link("Download as CSV", lists.csv_url(request)),
        },
    )


def _access_cells(event: AccessEvent) -> list[str]:
    name = event.user.name if event.user else ""
    role = role_words(event.role)
    return [short_date_and_time(event.at), name, role, event.get_kind_display(), event.record, event.detail]


@requires(Action.VIEW_AUDIT)
@require_http_methods(["GET", "POST"])
def check(request: StaffRequest) -> HttpResponse:
    """Rebuild every hash of the trail from its rows, and say what differs (R-02)."""
    n_entries = AuditLeaf.objects.count()
    too_many = n_entries > MOST_CHECKED_AT_ONCE
    ran = request.method == "POST" and not too_many
    problems = seals.verify() if ran else []
    if request.user.access.site_ids(Action.VIEW_AUDIT) is not None and problems:
        differ = "1 entry differs" if len(problems) == 1 else f"{len(problems)} entries differ"
        problems = [f"{differ}. Tell the data manager."]
    return render(
        request,
        "journey/audit_check.html",
        {
            "title": "Check the trail",
            "breadcrumbs": [("Audit", "/audit/")],
            "n_entries": n_entries,
            "n_unsealed": AuditLeaf.objects.filter(seal__isnull=True).count(),
            "head": seals.head(),
            "too_many": too_many,
            "ran": ran,
            "problems": problems,
            "now": timezone.now(),
        },
    )
