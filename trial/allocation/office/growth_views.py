"""Asking for a lock, longer lists, another level, more people, or to go on after a restore (randomisation.md 9, 10)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpResponse

from randomisation import high_water, proposals
from randomisation.models import Scheme, State
from trial.access.models import Site
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation import schemes
from trial.allocation.errors import AllocationRefused
from trial.allocation.office import opening, operating
from trial.allocation.office.pages import GET_POST, Step, posted, scheme_or_404, take, trail_of, url_of
from trial.allocation.office.scheme_reads import factor_words, newest_of
from trial.allocation.office.step_forms import CeilingForm, ExtendForm, LevelForm, ReasonForm
from trial.base.parts import Link

ASKED = "Asked. It is done once the others have approved"


def _ask(
    request: StaffRequest,
    scheme: Scheme,
    form: forms.Form,
    *,
    title: str,
    detail: str,
    here: str,
    act: Any,
    facts: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    step = Step(
        title=title,
        detail=detail,
        button="Ask for it",
        act=act,
        back=Link("Back to the scheme", url_of(scheme)),
        trail=trail_of(scheme),
        here=here,
        facts=facts,
    )
    return take(request, form, step)


@requires(Action.OPERATE_SCHEME, Action.CONFIGURE_SCHEME)
@GET_POST
def ask_lock(request: StaffRequest, scheme: str) -> HttpResponse:
    """Ask two people to approve the lock of a tested revision."""
    found = scheme_or_404(scheme)
    draft = found.draft

    def act(values: dict[str, Any], now: datetime) -> str:
        if draft is None or draft.state != State.TESTED:
            raise AllocationRefused("Only a revision whose acceptance test is signed can be locked.")
        schemes.ask_lock(revision=draft, reason=values["reason"], by=request.user, at=now)
        return "Asked. Two people must approve the lock: independent statistician and sponsor representative"

    stands = (
        f"Revision {draft.number}: {State(draft.state).label.lower()}" if draft else "No revision is being prepared"
    )
    return _ask(
        request,
        found,
        ReasonForm(posted(request)),
        title=f"Ask to lock {found}?",
        detail="The system draws the secret once, seals the lists, shows the commitment. Nothing changes afterwards.",
        here="Lock",
        act=act,
        facts=[("Prepared", stands)],
    )


@requires(Action.OPERATE_SCHEME)
@GET_POST
def extend(request: StaffRequest, scheme: str) -> HttpResponse:
    """Ask for longer lists."""
    found = scheme_or_404(scheme)

    def act(values: dict[str, Any], now: datetime) -> str:
        facts = {"rows_per_stratum": values["rows_per_stratum"]}
        operating.ask(
            scheme=found, kind=proposals.EXTEND, facts=facts, reason=values["reason"], by=request.user, at=now
        )
        return ASKED

    return _ask(
        request,
        found,
        ExtendForm(posted(request)),
        title="Ask to extend the lists",
        detail="The same lists, longer: rows that are there stay. Two people approve it.",
        here="Extend",
        act=act,
    )


@requires(Action.OPERATE_SCHEME)
@GET_POST
def add_level(request: StaffRequest, scheme: str) -> HttpResponse:
    """Ask for a level at the end of a factor, such as a new site."""
    found = scheme_or_404(scheme)
    revision = newest_of(found)
    codes = [factor["code"] for factor in revision.params_public["factors"]] if revision else []

    def act(values: dict[str, Any], now: datetime) -> str:
        facts = {"factor": values["factor"], "level": values["level"].strip()}
        operating.ask(
            scheme=found, kind=proposals.ADD_LEVEL, facts=facts, reason=values["reason"], by=request.user, at=now
        )
        return ASKED

    return _ask(
        request,
        found,
        LevelForm(posted(request), factors=[(code, factor_words(code)[0]) for code in codes]),
        title="Ask to add a level",
        detail="It gets lists of its own, and no other list changes. Two people approve it.",
        here="Add a level",
        act=act,
    )


@requires(Action.OPERATE_SCHEME)
@GET_POST
def raise_ceiling(request: StaffRequest, scheme: str) -> HttpResponse:
    """Ask that more people may be randomised, in all or at one site."""
    found = scheme_or_404(scheme)
    sites = list(Site.objects.values_list("code", "name"))

    def act(values: dict[str, Any], now: datetime) -> str:
        site = values["site"]
        facts = {"ceiling": values["ceiling"], **({"site": site} if site else {})}
        operating.ask(
            scheme=found,
            kind=proposals.RAISE_CEILING,
            facts=facts,
            reason=values["reason"],
            by=request.user,
            at=now,
            site=site,
        )
        return ASKED

    current = f"{found.ceiling:,}" if found.ceiling is not None else "None"
    return _ask(
        request,
        found,
        CeilingForm(posted(request), sites=sites),
        title="Ask for a higher ceiling",
        detail="A ceiling is only raised. Others approve it.",
        here="Ceiling",
        act=act,
        facts=[("Ceiling of all sites together now", current)],
    )


@requires(Action.OPERATE_SCHEME)
@GET_POST
def reopen(request: StaffRequest, scheme: str) -> HttpResponse:
    """Ask to go on after a backup was restored, with what is missing (9.15)."""
    found = scheme_or_404(scheme)

    def act(values: dict[str, Any], now: datetime) -> str:
        operating.ask_reopen(scheme=found, reason=values["reason"], by=request.user, at=now)
        return "Asked. Two people must approve that randomisation goes on"

    n_lost = high_water.n_lost(found)
    missing = f"{n_lost:,}. Enter each from its certificate, in order" if n_lost else "None"
    return _ask(
        request,
        found,
        ReasonForm(posted(request)),
        title="Ask to reopen after a restored backup",
        detail="Allocations that people know of but the database lacks are entered first. Then two people approve.",
        here="Reopen",
        act=act,
        facts=[("Allocations that are missing", missing), *opening.records_of(found)],
    )
