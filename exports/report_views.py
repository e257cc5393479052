"""Reports on the running trial as pages and files."""

import csv

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from exports.reports import referral_model as report
from trial.access.models import Site, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.lists import defused
from trial.protocol.versions import study_line


def _sites(user: User) -> list[Site]:
    ids = user.access.site_ids(Action.VIEW_REFERRAL_REPORT)
    return list(Site.objects.filter(Q() if ids is None else Q(pk__in=ids)))


def _tables(request: StaffRequest, sites: list[Site]) -> list[report.Table]:
    """What this person may see: attendance is hidden from blinded roles, who read enrolment alone (BR-26)."""
    with_delivery = not request.user.access.blinded
    people = report.people_of(sites, with_delivery=with_delivery)
    return report.tables(people, with_delivery=with_delivery, is_open=request.GET.get("for") == "open")


@requires(Action.VIEW_REFERRAL_REPORT)
@require_safe
def referral_model(request: StaffRequest) -> HttpResponse:
    """Enrolment, engagement and adherence by referral model and source, never by arm."""
    sites = _sites(request.user)
    is_open = request.GET.get("for") == "open"
    name, version = study_line()
    found = _tables(request, sites)
    shown = {measure for table in found for row in table.rows for measure, _ in row.cells()}
    context = {
        "title": "Referral models",
        "detail": ", ".join(site.name for site in sites),
        "here": "Referral models",
        "tables": found,
        "rules": [(measure.capitalize(), report.RULES[measure]) for measure in report.MEASURES if measure in shown],
        "tabs": [("For the team", "?for=team", not is_open), ("For an open report", "?for=open", is_open)],
        "is_open": is_open,
        "audience": "open" if is_open else "team",
        "smallest": report.SMALLEST,
        "run_at": timezone.now(),
        "version": f"{name} {version}",
    }
    return render(request, "exports/referral_model.html", context)


@requires(Action.VIEW_REFERRAL_REPORT)
@require_safe
def referral_model_file(request: StaffRequest) -> HttpResponse:
    """The same as CSV: counts, denominators and unrounded percentages."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="referral-models.csv"'
    writer = csv.writer(response)
    writer.writerow(report.HEADINGS)
    found = _tables(request, _sites(request.user))
    writer.writerows([defused(cell) for cell in line] for line in report.lines(found))
    return response
