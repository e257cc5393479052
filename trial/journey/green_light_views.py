"""The green-light checklist as pages: sites with their state, and one site's list to fill in and sign."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from trial.access.models import Site, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.base.errors import TrialError
from trial.base.fields import TextField
from trial.base.words import long_date
from trial.journey import green_light
from trial.journey.consent_forms import secret_field
from trial.journey.pages import GET_POST, posted

TRAIL = ("Green light", "/green-light/")


class TicksForm(forms.Form):
    """The evidence of each judged line."""

    def __init__(self, ticks: dict[str, str], data: Any = None) -> None:
        super().__init__(data, initial=ticks)
        for code, label in green_light.JUDGED:
            self.fields[code] = TextField(
                label=label, max_length=200, required=False, help_text="Evidence: document, date, who"
            )


class SignForm(forms.Form):
    """The password or code that signs."""

    mark_optional = False

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["secret"] = secret_field()


@requires(Action.SIGN_GREEN_LIGHT)
@require_safe
def sites(request: StaffRequest) -> HttpResponse:
    """The sites whose checklist this person signs."""
    ids = request.user.access.site_ids(Action.SIGN_GREEN_LIGHT)
    found = Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids)
    today = timezone.localdate()
    rows = [(site, _state(site), len(_missing(site, today))) for site in found]
    context = {"title": "Green light", "here": "Green light", "rows": rows}
    return render(request, "journey/green_lights.html", context)


def _missing(site: Site, today: Any) -> list[str]:
    if site.green_light_date:
        return []
    return green_light.missing(site, green_light.checklist_of(site).ticks, today)


def _state(site: Site) -> str:
    if site.green_light_date:
        return f"Open since {long_date(site.green_light_date)}"
    signed = green_light.checklist_of(site).manager_signature
    return f"Signed by {signed.printed_name}, waits for the investigator" if signed else "Not open"


def _site_for(user: User, code: str) -> Site:
    site = get_object_or_404(Site, code=code)
    if not user.access.may(Action.SIGN_GREEN_LIGHT, site):
        raise Http404
    return site


@requires(Action.SIGN_GREEN_LIGHT)
@GET_POST
def checklist(request: StaffRequest, code: str) -> HttpResponse:
    """One site's checklist: the manager fills in and signs, then the investigator signs, and the site is open."""
    site = _site_for(request.user, code)
    found, who = green_light.checklist_of(site), green_light.signs_as(request.user, site)
    ticks = TicksForm(found.ticks, posted(request) if request.POST.get("do") == "tick" else None)
    sign = SignForm(posted(request) if request.POST.get("do") == "sign" else None)
    form = ticks if ticks.is_bound else sign
    if form.is_bound and form.is_valid():
        try:
            _do(request, site, who, ticks, sign)
        except TrialError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{site}: saved.")
            return redirect("journey:green_light", code)
    today = timezone.localdate()
    context = {
        "title": f"Green light, {site}",
        "here": str(site),
        "breadcrumbs": [TRAIL],
        "site": site,
        "form": form,
        "detail": _state(site),
        "computed": [] if site.green_light_date else green_light.computed(site, today),
        "judged": green_light.judged(found.ticks),
        "signatures": [one for one in (found.manager_signature, found.investigator_signature) if one],
        "ticks": ticks if who == "manager" and not site.green_light_date else None,
        "sign": sign if _may_sign(who, site) else None,
        "n_missing": len(_missing(site, today)),
    }
    return render(request, "journey/green_light.html", context)


def _may_sign(who: str, site: Site) -> bool:
    """Whether the next signature is this person's."""
    found = green_light.checklist_of(site)
    if site.green_light_date or found.investigator_signature_id:
        return False
    return (who == "manager") == (found.manager_signature_id is None) and bool(who)


def _do(request: StaffRequest, site: Site, who: str, ticks: TicksForm, sign: SignForm) -> None:
    if ticks.is_bound:
        if who != "manager":
            raise Http404
        green_light.tick(
            site=site, ticks={code: text or "" for code, text in ticks.cleaned_data.items()}, by=request.user
        )
        return
    now = timezone.now()
    proof = reauthenticate(user=request.user, secret=sign.cleaned_data["secret"], at=now)
    act = green_light.sign_as_manager if who == "manager" else green_light.sign_as_investigator
    act(site=site, proof=proof, by=request.user, at=now)
