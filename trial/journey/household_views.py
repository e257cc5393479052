"""Households: made from people of a site, and where the scheme says so randomised together (randomisation.md 5)."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from trial.access.models import Site
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import Proof
from trial.allocation import checks
from trial.allocation.exceptions import reads
from trial.allocation.households import households_for, make_household
from trial.allocation.models import Household
from trial.allocation.reads import allocation_of, scheme_of
from trial.allocation.units import members_of
from trial.base.errors import TrialError
from trial.base.lists import page_of
from trial.base.parts import Link
from trial.journey import together
from trial.journey.confirming import Confirmation, check_and_confirm
from trial.journey.pages import GET_POST, page, posted
from trial.journey.together_forms import HouseholdForm
from trial.participants.models import Participant
from trial.participants.reads import participant_for

HOUSEHOLDS = ("Households", "/people/households/")
MAKES = (Action.ASSESS_ELIGIBILITY, Action.RANDOMISE)


@requires(*MAKES)
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    """Every household of the person's sites."""
    shown, pages = page_of(request, households_for(request.user, *MAKES))
    context = {
        "title": HOUSEHOLDS[0],
        "households": shown,
        "pages": pages,
        "make": Link("Record a household", "/people/households/new/"),
        "breadcrumbs": [("People", "/people/")],
        "here": HOUSEHOLDS[0],
    }
    return render(request, "journey/households.html", context)


@requires(*MAKES)
@GET_POST
def make(request: StaffRequest) -> HttpResponse:
    """Who lives together."""
    sites = list(Site.objects.filter(pk__in=_site_ids(request)).order_by("code"))
    form = HouseholdForm(sites, posted(request))
    if form.is_valid():
        try:
            people = [_person(request, number) for number in form.cleaned_data["numbers"]]
            site = next(one for one in sites if one.code == form.cleaned_data["site"])
            made = make_household(site=site, people=people, by=request.user, at=timezone.now())
        except TrialError as error:
            form.add_error("numbers", str(error))
        else:
            messages.success(request, f"Household {made} recorded")
            return redirect("journey:household", made.code)
    return page(
        request,
        form,
        title="Record a household",
        subject=None,
        here="Record a household",
        button="Save",
        breadcrumbs=[("People", "/people/"), HOUSEHOLDS],
    )


def _site_ids(request: StaffRequest) -> set[int]:
    found: set[int] = set()
    for action in MAKES:
        if request.user.access.may(action):
            ids = request.user.access.site_ids(action)
            found |= set(Site.objects.values_list("pk", flat=True)) if ids is None else ids
    return found


class NobodyThere(TrialError):
    """A study number that is nobody's at the person's sites."""


def _person(request: StaffRequest, number: str) -> Participant:
    for action in MAKES:
        try:
            return participant_for(request.user, number, action)
        except Http404:
            continue
    raise NobodyThere(f"There is no participant {number} at your sites.")


def _household(request: StaffRequest, code: str, *actions: Action) -> Household:
    found = households_for(request.user, *actions).filter(code=code).first()
    if found is None:
        raise Http404
    return found


@requires(*MAKES)
@require_safe
def detail(request: StaffRequest, code: str) -> HttpResponse:
    """Who lives there, how each stands, and the way to randomise them together where that is open."""
    household = _household(request, code, *MAKES)
    people = members_of(household)
    scheme = scheme_of(people[0]) if people else None
    together_ = bool(scheme and scheme.households) and not any(allocation_of(one) for one in people)
    may = request.user.access.may(Action.RANDOMISE, household.site)
    context = {
        "title": f"Household {household}",
        "people": [(one, one.referral.get_status_display(), allocation_of(one) is not None) for one in people],
        "household": household,
        "button": Link("Randomise together", f"/people/households/{code}/randomise/") if together_ and may else None,
        "is_together": bool(scheme and scheme.households),
        "breadcrumbs": [("People", "/people/"), HOUSEHOLDS],
        "here": household.code,
    }
    return render(request, "journey/household.html", context)


@requires(Action.RANDOMISE)
@never_cache
@sensitive_post_parameters("secret")
@GET_POST
def randomise(request: StaffRequest, code: str) -> HttpResponse:
    """Check every member, choose their values again, confirm: one allocation for all of them."""
    household = _household(request, code, Action.RANDOMISE)
    people = members_of(household)
    if people and all(allocation_of(one) for one in people):
        return redirect("journey:household", code)
    problems = checks.refusals_together(people=people, by=request.user, at=timezone.now())
    if problems:
        return _blocked(request, household, [one.text for one in problems])
    spec = people[0].referral.protocol_version.spec
    scheme = scheme_of(people[0])
    factors = reads.typed_again(reads.factor_words_of(scheme, spec))
    site = {reads.SITE_FACTOR: household.site.code} if reads.has_site(spec) else {}

    def run(levels: list[dict[str, str]], key: str, proof: Proof, now: datetime) -> HttpResponse:
        together.randomise_household(
            household=household,
            levels={one.pk: {**site, **given} for one, given in zip(people, levels, strict=True)},
            request_key=key,
            proof=proof,
            by=request.user,
            at=now,
        )
        messages.success(request, f"Household {household} is allocated")
        return redirect("journey:household", code)

    return check_and_confirm(
        request,
        Confirmation(
            question=f"Randomise household {household} together?",
            people=[one.study_id for one in people],
            factors=factors,
            spec=spec,
            run=run,
            back=Link(f"Back to {household}", f"/people/households/{code}/"),
            trail=[("People", "/people/"), HOUSEHOLDS, (household.code, f"/people/households/{code}/")],
            here="Randomise",
            facts=[("Site", f"{household.site.code} {household.site.name}"), ("People", str(len(people)))],
        ),
    )


def _blocked(request: StaffRequest, household: Household, problems: list[str]) -> HttpResponse:
    context = {
        "title": "Randomise together",
        "problems": problems,
        "back": Link(f"Back to {household}", f"/people/households/{household.code}/"),
        "breadcrumbs": [("People", "/people/"), HOUSEHOLDS, (household.code, f"/people/households/{household.code}/")],
        "here": "Randomise",
    }
    return render(request, "journey/together_blocked.html", context)
