"""Sites, and whether they recruit."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from trial.access import actions, reads
from trial.access.forms import SiteForm
from trial.access.models import Site
from trial.access.pages import GET_POST, SETTINGS, form_page, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError


@requires(Action.VIEW_SETTINGS, Action.OPERATE_SCHEME)
@require_safe
def sites(request: StaffRequest) -> HttpResponse:
    """Every site, and whether it recruits."""
    today = timezone.localdate()
    rows = [(site, site.is_recruiting(today), actions.recruitment_words(site)) for site in Site.objects.all()]
    context = {"title": "Sites", "breadcrumbs": _settings_trail(request), "here": "Sites", "rows": rows}
    return render(request, "access/sites.html", context)


def _settings_trail(request: StaffRequest) -> list[tuple[str, str]]:
    return [SETTINGS] if request.user.access.may(Action.VIEW_SETTINGS) else []


@requires(Action.VIEW_SETTINGS, Action.OPERATE_SCHEME)
@GET_POST
def site(request: StaffRequest, code: str) -> HttpResponse:
    """Pause, resume or close recruitment at a site."""
    found = reads.site_or_404(code)
    newest = found.history.first()
    stored = {
        "paused": found.recruitment_paused,
        "closed_date": found.recruitment_closed_date,
        "seen": newest.history_id if newest else None,
    }
    form = SiteForm(posted(request), initial=stored)
    if form.is_valid():
        try:
            actions.set_recruitment(site=found, by=request.user, **form.cleaned_data)
        except TrialError as error:
            form.data = {**request.POST.dict(), "seen": str(stored["seen"] or "")}
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{found}: saved.")
            return redirect("access:sites")
    return form_page(
        request,
        form,
        trail=[*_settings_trail(request), ("Sites", reverse("access:sites"))],
        title=f"Recruitment at {found}",
        here=found.name,
        button="Save",
        detail=f"Site {found.code}. Nobody is randomised while recruitment is paused or closed.",
    )
