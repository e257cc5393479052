"""The delegation log (R-15)."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from trial.access import delegation
from trial.access.forms import DelegationForm, EndForm, SignLineForm
from trial.access.models import Delegation, Site, User
from trial.access.pages import GET_POST, form_page, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import ProofRefused, TooManyFailures, reauthenticate
from trial.base.errors import TrialError
from trial.base.lists import page_of
from trial.base.parts import Link
from trial.base.words import long_date

SOON = timedelta(days=30)


@requires(Action.MANAGE_DELEGATION)
@require_safe
def delegation_log(request: StaffRequest) -> HttpResponse:
    """Who may do which duty at the sites of this person, from when to when (R-15)."""
    today = timezone.localdate()
    rows, pages = page_of(request, delegation.delegations_for(request.user).order_by("site_id", "user__name", "pk"))
    context = {
        "title": "Delegation log",
        "rows": [(line, _line_state(line), _line_may_end(line), _may_sign(request, line)) for line in rows],
        "pages": pages,
        "today": today,
        "button": Link("Delegate a duty", reverse("access:new_delegation")),
    }
    return render(request, "access/delegation.html", context)


def _line_state(line: Delegation) -> tuple[str, str]:
    """Status code and words of one line."""
    today = timezone.localdate()
    last = line.last_date
    if last is not None and last < today:
        return "cancelled", "Training has run out" if line.to_date is None or line.to_date >= today else "Ended"
    if line.signature_id is None:
        return "due_today", "Waits for a signature"
    if line.from_date > today:
        return "not_started", "Not yet"
    if last is not None and last <= today + timedelta(days=1):
        return "overdue", "Ends today" if last == today else "Ends tomorrow"
    return ("due_today", "Ends soon") if last is not None and last <= today + SOON else ("done", "In force")


def _line_may_end(line: Delegation) -> bool:
    return line.to_date is None or line.to_date > timezone.localdate()


def _may_sign(request: StaffRequest, line: Delegation) -> bool:
    return line.signature_id is None and request.user.access.may(Action.SIGN_DELEGATION, line.site)


@requires(Action.MANAGE_DELEGATION)
@GET_POST
def new_delegation(request: StaffRequest) -> HttpResponse:
    """Add a line to a delegation log: an investigator signs it at once, others prepare it."""
    user, now = request.user, timezone.now()
    ids = user.access.site_ids(Action.MANAGE_DELEGATION)
    at_sites = Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids)
    staff = User.objects.filter(is_active=True, assignments__isnull=False).distinct().order_by("name", "pk")
    signs = user.access.may(Action.SIGN_DELEGATION)
    form = DelegationForm(at_sites, staff, signs, posted(request))
    if form.is_valid():
        try:
            secret = form.cleaned_data.get("secret")
            proof = reauthenticate(user=user, secret=str(secret), at=now) if signs else None
            line = delegation.delegate(by=user, at=now, proof=proof, **form.line())
        except (ProofRefused, TooManyFailures) as error:
            form.add_error("secret", str(error))
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            done = "" if signs else " It works once the principal investigator has signed it."
            messages.success(request, f"{line}, {line.site}.{done}")
            return redirect("access:delegation")
    return form_page(
        request,
        form,
        trail=[("Delegation log", reverse("access:delegation"))],
        title="Delegate a duty",
        here="New line",
        button="Sign and add to the log" if signs else "Prepare the line",
        detail="You sign the line with your password or code."
        if signs
        else "The principal investigator of the site signs it. Until then it does not count.",
    )


@requires(Action.SIGN_DELEGATION)
@GET_POST
def sign_delegation(request: StaffRequest, pk: int) -> HttpResponse:
    """Sign a line that was prepared (R-15)."""
    line = delegation.delegation_for(request.user, pk)
    form = SignLineForm(posted(request))
    if form.is_valid():
        try:
            now = timezone.now()
            proof = reauthenticate(user=request.user, secret=form.cleaned_data["secret"], at=now)
            delegation.sign_line(delegation=line, proof=proof, by=request.user, at=now)
        except (ProofRefused, TooManyFailures) as error:
            form.add_error("secret", str(error))
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{line}, {line.site}: signed.")
            return redirect("access:delegation")
    until = long_date(line.to_date) if line.to_date else "no end"
    trained = f"{line.training_evidence}, {long_date(line.training_date)}"
    return form_page(
        request,
        form,
        trail=[("Delegation log", reverse("access:delegation"))],
        title="Sign a line of the delegation log",
        here="Sign",
        button="Sign",
        detail=f"{line}, {line.site}, {long_date(line.from_date)} to {until}. Training: {trained}.",
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
