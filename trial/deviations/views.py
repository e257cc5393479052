"""Pages of deviations: the list, one with its review, and recording one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from trial.access.permissions import StaffRequest, refuse, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.lists import csv_response, csv_url, page_of, wants_csv
from trial.base.words import short_date
from trial.deviations import actions, reads
from trial.deviations.forms import DeviationForm, FilterForm, ReviewForm
from trial.deviations.models import Deviation
from trial.participants.reads import participant_for

HEADS = ["Deviation", "Site", "Study number", "Date", "Kind", "Severity", "Reviewed"]


@requires(Action.VIEW_DEVIATIONS)
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """Deviations of the person's sites, newest first, by kind and review."""
    filters = FilterForm(request.GET)
    found = reads.deviations_for(request.user).filter(**filters.conditions())
    if wants_csv(request):
        return csv_response("deviations.csv", HEADS, found, _cells)
    rows, pages = page_of(request, found)
    context = {"deviations": rows, "pages": pages, "filters": filters, "csv_url": csv_url(request)}
    return render(request, "deviations/index.html", context)


def _cells(one: Deviation) -> list[str]:
    """No words: they may name somebody, and a file leaves the vault (R-34)."""
    return [
        str(one),
        one.site.name,
        one.participant.study_id if one.participant else "",
        short_date(one.occurred_date),
        one.get_kind_display(),
        one.get_severity_display(),
        short_date(one.reviewed_at) if one.reviewed_at else "",
    ]


@requires(Action.VIEW_DEVIATIONS)
@require_http_methods(["GET", "POST"])
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    """One deviation; for those who may, its review."""
    deviation = reads.deviation_for(request.user, pk)
    may_review = request.user.access.may(Action.REVIEW_DEVIATION, deviation.site)
    if request.method == "POST" and not may_review:
        return refuse(request, request.user)
    form = ReviewForm(request.POST if request.method == "POST" else None, initial={"severity": deviation.severity})
    if form.is_valid():
        try:
            actions.review_deviation(deviation=deviation, by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Review of {deviation} saved")
            return redirect("deviations:detail", pk)
    context = {
        "deviation": deviation,
        "words": reads.words_of([deviation])[0],
        "form": form if may_review and (deviation.reviewed_at is None or form.is_bound) else None,
        "breadcrumbs": [("Deviations", "/deviations/")],
        "here": str(deviation),
    }
    return render(request, "deviations/detail.html", context)


@requires(Action.RECORD_DEVIATION)
@require_http_methods(["GET", "POST"])
def record(request: StaffRequest, number: str) -> HttpResponse:
    """Record a departure from the protocol that concerns one participant."""
    participant = participant_for(request.user, number, Action.RECORD_DEVIATION)
    form = DeviationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            deviation = actions.record_deviation(
                site=participant.site,
                participant=participant,
                by=request.user,
                at=timezone.now(),
                **form.cleaned_data,
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Deviation {deviation} recorded")
            return redirect(f"/people/{participant.study_id}/")
    context = {
        "form": form,
        "participant": participant,
        "breadcrumbs": [("People", "/people/"), (participant.study_id, f"/people/{participant.study_id}/")],
        "here": "Deviation",
    }
    return render(request, "deviations/record.html", context)
