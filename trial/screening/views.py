"""The screening log as anonymous rows, and as a file."""

import csv

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from trial.access.models import Site, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.lists import PAGE_SIZE, defused
from trial.base.parts import Pages
from trial.protocol.versions import active_version
from trial.screening.log import HEADINGS, log_of
from trial.screening.models import IdentifierRemoval


def _sites(user: User) -> list[Site]:
    ids = user.access.site_ids(Action.VIEW_SCREENING_LOG)
    return list(Site.objects.filter(Q() if ids is None else Q(pk__in=ids)))


@requires(Action.VIEW_SCREENING_LOG)
@require_safe
def screening_log(request: StaffRequest) -> HttpResponse:
    """Everybody who never consented, without anything that leads to them (R-43)."""
    sites = _sites(request.user)
    log = log_of(sites)
    page = Paginator(log.lines, PAGE_SIZE).get_page(request.GET.get("page"))
    before = f"?page={page.previous_page_number()}" if page.has_previous() else ""
    after = f"?page={page.next_page_number()}" if page.has_next() else ""
    version = active_version()
    context = {
        "title": "Screening log",
        "detail": ", ".join(site.name for site in sites),
        "here": "Screening log",
        "log": log,
        "lines": page.object_list,
        "pages": Pages(page.start_index(), page.end_index(), page.paginator.count, before, after),
        "removals": IdentifierRemoval.objects.filter(person__referrals__site__in=sites).distinct()[:20],
        "days": version.spec.contact.identifiers_kept_days if version else 30,
    }
    return render(request, "screening/log.html", context)


@requires(Action.VIEW_SCREENING_LOG)
@require_safe
def screening_log_file(request: StaffRequest) -> HttpResponse:
    """The same rows as CSV."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="screening-log.csv"'
    writer = csv.writer(response)
    writer.writerow(HEADINGS)
    writer.writerows([defused(cell) for cell in line.cells()] for line in log_of(_sites(request.user)).lines)
    return response
