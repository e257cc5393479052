"""Open, pause and close a scheme or one site; a suspected leak (randomisation.md 9.9, 9.10, 10)."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse

from randomisation import proposals
from randomisation.models import SchemeSite
from trial.access.models import Site
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation import schemes
from trial.allocation.office import opening, operating
from trial.allocation.office.pages import GET_POST, OFFICE, Step, posted, scheme_or_404, take, trail_of, url_of
from trial.allocation.office.step_forms import OpenForm, ReasonForm, SiteStateForm
from trial.base.parts import Link


@requires(Action.OPERATE_SCHEME)
@GET_POST
def open_scheme(request: StaffRequest, scheme: str) -> HttpResponse:
    """Open the newest locked revision, or go on after a pause."""
    found = scheme_or_404(scheme)

    def act(values: dict[str, Any], now: datetime) -> str:
        schemes.open_scheme(code=found.code, by=request.user, at=now)
        return f"{found} is open"

    step = Step(
        title=f"Open {found}?",
        detail="People can be randomised from then on. A revision that was in force before is closed.",
        button="Open",
        act=act,
        back=Link("Back to the scheme", url_of(found)),
        trail=trail_of(found),
        here="Open",
        facts=opening.checklist_of(found),
    )
    return take(request, OpenForm(posted(request)), step)


@requires(Action.OPERATE_SCHEME)
@GET_POST
def pause_scheme(request: StaffRequest, scheme: str) -> HttpResponse:
    """Pause at once."""
    found = scheme_or_404(scheme)

    def act(values: dict[str, Any], now: datetime) -> str:
        operating.pause_scheme(scheme=found, reason=values["reason"], by=request.user, at=now)
        return f"{found} is paused"

    step = Step(
        title=f"Pause {found}?",
        detail="Nobody is randomised until it is opened again. Code breaks and follow-up go on.",
        button="Pause now",
        act=act,
        back=Link("Back to the scheme", url_of(found)),
        trail=trail_of(found),
        here="Pause",
    )
    return take(request, ReasonForm(posted(request)), step)


@requires(Action.OPERATE_SCHEME)
@GET_POST
def ask_close(request: StaffRequest, scheme: str) -> HttpResponse:
    """Ask that randomisation ends for good; a second person approves."""
    found = scheme_or_404(scheme)

    def act(values: dict[str, Any], now: datetime) -> str:
        operating.ask(scheme=found, kind=proposals.CLOSE, facts={}, reason=values["reason"], by=request.user, at=now)
        return "Asked. Somebody else must approve that randomisation ends"

    step = Step(
        title=f"Ask to close {found}?",
        detail="Once another person approves, nobody is randomised in this revision. It cannot be opened again.",
        button="Ask to close",
        act=act,
        back=Link("Back to the scheme", url_of(found)),
        trail=trail_of(found),
        here="Close",
    )
    return take(request, ReasonForm(posted(request)), step)


@requires(Action.OPERATE_SCHEME, Action.PAUSE_SITE)
@GET_POST
def site_state(request: StaffRequest, scheme: str, site: str) -> HttpResponse:
    """Randomisation at one site; an investigator pauses their own."""
    found = scheme_or_404(scheme)
    place = Site.objects.filter(code=site).first()
    offered = operating.states_for(request.user, place) if place else []
    if place is None or not offered:
        raise Http404
    row = SchemeSite.objects.filter(scheme=found, site=place.code).first()
    now_is = SchemeSite.State(row.state) if row else SchemeSite.State.OPEN

    def act(values: dict[str, Any], now: datetime) -> str:
        operating.move_site(
            scheme=found, site=place, state=values["state"], reason=values["reason"], by=request.user, at=now
        )
        return f"Randomisation at {place} is {SchemeSite.State(values['state']).label.lower()}"

    step = Step(
        title=f"Randomisation at {place}",
        detail=f"It is {now_is.label.lower()} now. Other sites go on. A site that is closed stays closed.",
        button="Save",
        act=act,
        back=Link("Back to the scheme", url_of(found)),
        trail=trail_of(found),
        here=place.name,
    )
    verbs = {SchemeSite.State.OPEN: "Open", SchemeSite.State.PAUSED: "Pause", SchemeSite.State.CLOSED: "Close for good"}
    choices = [(state.value, verbs[state]) for state in offered if state != now_is]
    return take(request, SiteStateForm(posted(request), states=choices), step)


@requires(Action.OPERATE_SCHEME)
@GET_POST
def leak(request: StaffRequest) -> HttpResponse:
    """A list, key or allocation may be known: stop everything, record it, say what follows (9.10)."""

    def act(values: dict[str, Any], now: datetime) -> str:
        paused = operating.pause_for_leak(reason=values["reason"], by=request.user, at=now)
        return f"Paused: {', '.join(str(scheme) for scheme in paused)}. Now rotate the sealing key"

    step = Step(
        title="Pause everything after a suspected leak?",
        detail="Every open scheme stops at once. What you write goes into their logs.",
        button="Pause everything",
        act=act,
        back=Link("Back to randomisation", reverse("allocation:home")),
        trail=[OFFICE],
        here="Suspected leak",
        notes=(
            "Then, in this order: the administrator rotates the sealing key (manage.py rotate_keys). The statistician"
            " starts a new revision of each scheme, which gets a new secret and is simulated, tested and locked anew.",
            "Numbers of allocations go on. Rows of the old revision are never used again; its secret stays sealed until"
            " the common reveal.",
        ),
    )
    return take(request, ReasonForm(posted(request)), step)
