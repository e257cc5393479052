"""The delegation log (R-15)."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from trial.access import delegation
from trial.access.forms import DelegationForm, EndForm
from trial.access.models import Delegation, Site, User
from trial.access.pages import GET_POST, form_page, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.lists import page_of
from trial.base.parts import Link

SOON = timedelta(days=30)


@requires(Action.MANAGE_DELEGATION)
@require_safe
def delegation_log(request: StaffRequest) -> HttpResponse:
    """Who may do which duty at the sites of this person, from when to when (R-15)."""
    today = timezone.localdate()
    rows, pages = page_of(request, delegation.delegations_for(request.user).order_by("site_id", "user__name", "pk"))
    context = {
        "title": "Delegation log",
        "rows": [(line, _line_state(line), _line_may_end(line)) for line in rows],
        "pages": pages,
        "today": today,
        "button": Link("Delegate a duty", reverse("access:new_delegation")),
    }
    return render(request, "access/delegation.html", context)


def _line_state(line: Delegation) -> tuple[str, str]:
    """Status code and words of one line."""
    today = timezone.localdate()
    if line.from_date > today:
        return "not_started", "Not yet"
    if line.to_date is None:
        return "done", "In force"
    if line.to_date < today:
        return "cancelled", "Ended"
    return ("due_today", "Ends soon") if line.to_date <= today + SOON else ("done", "In force")


def _line_may_end(line: Delegation) -> bool:
    return line.to_date is None or line.to_date > timezone.localdate()


@requires(Action.MANAGE_DELEGATION)
@GET_POST
def new_delegation(request: StaffRequest) -> HttpResponse:
    """Add a line to a delegation log."""
    ids = request.user.access.site_ids(Action.MANAGE_DELEGATION)
    at_sites = Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids)
    staff = User.objects.filter(is_active=True, assignments__isnull=False).distinct().order_by("name", "pk")
    form = DelegationForm(at_sites, staff, posted(request))
    if form.is_valid():
        try:
            line = delegation.delegate(by=request.user, at=timezone.now(), **form.line())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{line}, {line.site}.")
            return redirect("access:delegation")
    return form_page(
        request,
        form,
        trail=[("Delegation log", reverse("access:delegation"))],
        title="Delegate a duty",
        here="New line",
        button="Add to the log",
        detail="The line is added in your name.",
    )


@requires(Action.MANAGE_DELEGATION)
@GET_POST
def end_delegation(request: StaffRequest, pk: int) -> HttpResponse:
    """Set the last day of a duty."""
    line = delegation.delegation_for(request.user, pk)
    form = EndForm(posted(request))
    if form.is_valid():
        try:
            delegation.end_delegation(delegation=line, by=request.user, **form.cleaned_data)
        except TrialError as error:
            form.add_error("last_day", str(error))
        else:
            messages.success(request, f"{line}, {line.site}: has its last day.")
            return redirect("access:delegation")
    return form_page(
        request,
        form,
        trail=[("Delegation log", reverse("access:delegation"))],
        title="End a duty",
        here="End duty",
        button="End the duty",
        detail=f"{line}, {line.site}",
    )
