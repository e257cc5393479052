"""The home of the office: every scheme, what is next for this person, requests that wait; and accrual."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from randomisation.models import Scheme
from trial.access.models import User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.office import request_reads, scheme_reads
from trial.allocation.office.accrual import Accrual, AccrualRow, accrual_of
from trial.allocation.office.menus import doings_of, places_of, reports_of
from trial.allocation.office.next_steps import NextStep, configure_step, next_step
from trial.allocation.office.pages import OFFICE, scheme_or_404, trail_of, url_of
from trial.base.lists import csv_response, csv_url, wants_csv
from trial.base.parts import Fact, Link
from trial.participants.models import Referral
from trial.protocol.versions import active_version


@dataclass(frozen=True)
class SchemeCard:
    """One scheme on the home page."""

    name: str
    url: str
    facts: list[Fact]
    warnings: list[str]
    step: NextStep
    people: list[Referral]


@requires(Action.VIEW_SCHEME)
@require_safe
def home(request: StaffRequest) -> HttpResponse:
    """Each scheme with its next step, and the requests that wait for this person."""
    user = request.user
    waiting = [(one, request_reads.label_of(one)) for one in request_reads.waiting_for(user)]
    context = {
        "title": "Randomisation",
        "detail": "Totals only. Nobody sees numbers by arm here",
        "places": places_of(user),
        "cards": [*_not_configured(user), *[_card(scheme, user) for scheme in Scheme.objects.order_by("pk")]],
        "waiting": waiting,
    }
    return render(request, "allocation/office/home.html", context)


def _card(scheme: Scheme, user: User) -> SchemeCard:
    return SchemeCard(
        scheme.name,
        url_of(scheme),
        scheme_reads.facts_of(scheme),
        scheme_reads.warnings_of(scheme, user),
        next_step(scheme, user),
        scheme_reads.waiting_people(scheme, user),
    )


def _not_configured(user: User) -> list[SchemeCard]:
    """The protocol's own scheme before anybody has configured it."""
    version = active_version()
    if version is None:
        return []
    randomisation = version.spec.randomisation
    if Scheme.objects.filter(code=randomisation.scheme).exists():
        return []
    facts = [
        Fact("State", "Not configured"),
        Fact("Method in the protocol", scheme_reads.METHODS[randomisation.method]),
    ]
    step = configure_step(randomisation.scheme, user)
    return [SchemeCard(f"{version.spec.study.short_name} {randomisation.scheme}", "", facts, [], step, [])]


@requires(Action.VIEW_SCHEME)
@require_safe
def scheme(request: StaffRequest, scheme: str) -> HttpResponse:
    """One scheme: public parameters, sites, revisions, and what this person may do."""
    found, user = scheme_or_404(scheme), request.user
    revision = scheme_reads.newest_of(found)
    context = {
        "title": found.name,
        "scheme": found,
        "facts": scheme_reads.facts_of(found),
        "warnings": scheme_reads.warnings_of(found, user),
        "step": next_step(found, user),
        "arms": scheme_reads.arms_of(revision) if revision else [],
        "factors": scheme_reads.factors_of(revision) if revision else [],
        "revision": revision,
        "revisions": scheme_reads.revisions_of(found),
        "sites": scheme_reads.sites_of(found, user),
        "people": scheme_reads.waiting_people(found, user),
        "reports": reports_of(found, user),
        "doings": doings_of(found, user),
        "breadcrumbs": [OFFICE],
        "here": found.name,
    }
    return render(request, "allocation/office/scheme.html", context)


@requires(Action.VIEW_SCHEME)
@require_safe
def accrual(request: StaffRequest, scheme: str) -> HttpResponse:
    """People allocated by site and month, on the page or as CSV."""
    found = scheme_or_404(scheme)
    report = accrual_of(found)
    if wants_csv(request):
        return _csv(found, report)
    context = {
        "title": "Accrual by month",
        "detail": f"{found.name}. People randomised, all arms together",
        "report": report,
        "links": [Link("Download as CSV", csv_url(request))],
        "breadcrumbs": trail_of(found),
        "here": "Accrual",
    }
    return render(request, "allocation/office/accrual.html", context)


def _csv(scheme: Scheme, report: Accrual) -> HttpResponse:
    def cells(row: AccrualRow) -> list[object]:
        return [row.label, *row.counts, row.total]

    return csv_response(f"accrual-{scheme.code}.csv", ["Site", *report.heads, "Total"], report.lines, cells)
