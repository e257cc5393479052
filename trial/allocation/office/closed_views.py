"""Pages for the statistician alone: balance by arm and the first-allocations check (randomisation.md 10, 15)."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.models import FirstCheck
from trial.allocation.office import documents, first_checks
from trial.allocation.office.balance import Balance, balance_of
from trial.allocation.office.check_forms import ALL, FirstCheckForm
from trial.allocation.office.pages import GET_POST, posted, scheme_or_404, trail_of
from trial.base.asking import upper_first
from trial.base.errors import TrialError
from trial.base.parts import Link


@requires(Action.VIEW_BALANCE)
@never_cache
@sensitive_variables()
@require_safe
def balance(request: StaffRequest, scheme: str) -> HttpResponse:
    """Arms by factor level, site and stratum. Each look is logged."""
    found = scheme_or_404(scheme)
    try:
        report = balance_of(scheme=found, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
        return redirect("allocation:scheme", found.code)
    context = {
        "title": "Balance by arm",
        "detail": f"{found.name}. Keep it from everybody who recruits or is blinded. Each look is logged",
        "report": report,
        "links": [Link("Balance (PDF)", reverse("allocation:balance_pdf", args=[found.code]))] if report else [],
        "breadcrumbs": trail_of(found),
        "here": "Balance",
    }
    return render(request, "allocation/office/balance.html", context)


@requires(Action.VIEW_BALANCE)
@never_cache
@sensitive_variables()
@require_safe
def balance_pdf(request: StaffRequest, scheme: str) -> HttpResponse:
    """The same on paper, logged too."""
    found, now = scheme_or_404(scheme), timezone.now()
    try:
        report = balance_of(scheme=found, by=request.user, at=now)
    except TrialError as error:
        messages.error(request, str(error))
        return redirect("allocation:scheme", found.code)
    if report is None:
        raise Http404
    name = f"Balance of {found.name}"
    content = documents.pdf(_story(name, report), name=name, printed_by=str(request.user), at=now)
    return documents.response(content, f"balance-{found.code}.pdf")


@sensitive_variables()
def _story(name: str, report: Balance) -> list[Any]:
    heads = ["", *report.arms, "Total", "Imbalance"]
    story: list[Any] = [
        documents.title(name),
        documents.text(f"Closed report. {report.note} Levels are those frozen at allocation."),
    ]
    for table in report.tables:
        rows = [[row.label, *row.counts, row.total, row.imbalance] for row in table.rows]
        story += [documents.heading(table.title), documents.grid(heads, rows)]
    return story


@requires(Action.CONFIGURE_SCHEME)
@never_cache
@GET_POST
def first_check(request: StaffRequest, scheme: str) -> HttpResponse:
    """Replay the first allocations, look at the factors, and record what was found."""
    found = scheme_or_404(scheme)
    places = first_checks.places_of(found)
    form = FirstCheckForm(posted(request), places=[(place.site or ALL, upper_first(place.words)) for place in places])
    if form.is_valid() and _checked(request, found.code, form, timezone.now()):
        return redirect("allocation:first_check", found.code)
    context = {
        "title": "First allocations",
        "detail": f"{found.name}. Due after {first_checks.DUE_AFTER} allocations, for the scheme and for each site",
        "form": form,
        "due": first_checks.due_in(found),
        "tables": [(place, first_checks.levels_of(found, place.site)) for place in places if place.n],
        "done": FirstCheck.objects.filter(scheme=found.code).select_related("checked_by"),
        "breadcrumbs": trail_of(found),
        "here": "First allocations",
    }
    return render(request, "allocation/office/first_check.html", context)


def _checked(request: StaffRequest, code: str, form: FirstCheckForm, now: datetime) -> bool:
    """Whether the check was made and recorded; a refusal is shown at the form."""
    values = form.cleaned_data
    try:
        made = first_checks.check(
            scheme=scheme_or_404(code),
            site=values["site"],
            plausible=values["plausible"],
            note=values["note"] or "",
            by=request.user,
            at=now,
        )
    except TrialError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, f"Recorded. {made.n_checked} allocations replayed, {made.n_differences} differ")
    return True
