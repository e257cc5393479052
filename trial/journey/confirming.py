"""Levels chosen again, then one stop before what cannot be undone: shared by every way of randomising."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from trial.access.permissions import StaffRequest
from trial.access.signing import Proof, reauthenticate
from trial.allocation.actions import AllocationRefused
from trial.allocation.exceptions.forms import LevelsAgainForm
from trial.allocation.exceptions.reads import FactorWords
from trial.base.errors import TrialError
from trial.base.parts import Link
from trial.base.words import date_and_time
from trial.journey.forms import SignForm
from trial.journey.pages import page, posted
from trial.protocol.spec import ProtocolSpec

CHOSEN = ("chosen", "yes")
"""A hidden field that says that the levels were on the page that is posted."""

Run = Callable[[list[dict[str, str]], str, Proof, datetime], HttpResponse]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is to be confirmed.

    Attributes:
        question: the heading of the stop, such as “Randomise GRX-01-042-1?”.
        people: study numbers, in the order of the form.
        run: does it, given levels of each person, the request key, the proof and the time; answers with the result.
        hidden: what the page must keep besides levels and request key.
        trail, here: the way back.
    """

    question: str
    people: Sequence[str]
    factors: Sequence[FactorWords]
    spec: ProtocolSpec
    run: Run
    back: Link
    trail: Sequence[tuple[str, str]]
    here: str
    facts: Sequence[tuple[str, str]] = ()
    hidden: Sequence[tuple[str, str]] = field(default=())


def check_and_confirm(request: StaffRequest, what: Confirmation) -> HttpResponse:
    """The levels first, then the stop with the password, then the result.

    A post from a page before this one shows the levels: nothing was chosen here yet.
    """
    data = posted(request) if CHOSEN[0] in request.POST else None
    levels = LevelsAgainForm(what.spec, what.factors, what.people, data)
    if data is not None and levels.is_valid():
        return _confirm(request, what, levels)
    return page(
        request,
        levels,
        title="Check before you randomise",
        subject=None,
        here=what.here,
        button="Continue",
        template="journey/together_check.html",
        facts=what.facts,
        hidden=[*what.hidden, CHOSEN],
        back=what.back,
        breadcrumbs=what.trail,
    )


def _confirm(request: StaffRequest, what: Confirmation, levels: LevelsAgainForm) -> HttpResponse:
    has_secret = "secret" in request.POST
    form = SignForm(request.POST if has_secret else None)
    if has_secret and form.is_valid():
        now = timezone.now()
        try:
            proof = reauthenticate(user=request.user, secret=form.cleaned_data["secret"], at=now)
            return what.run(levels.levels(), request_key(request), proof, now)
        except AllocationRefused as error:
            return refused(request, error, spec=what.spec, back=what.back, trail=what.trail, here=what.here)
        except TrialError as error:
            form.add_error("secret", str(error))
    key = request_key(request) if has_secret else str(uuid.uuid4())
    return page(
        request,
        form,
        title=what.question,
        subject=None,
        here=what.here,
        template="journey/randomise_confirm.html",
        facts=[*what.facts, *_chosen(what, levels.levels())],
        hidden=[*what.hidden, CHOSEN, *_levels_hidden(levels), ("request_key", key)],
        back=what.back,
        breadcrumbs=what.trail,
        after=f"{LOST} {office_line(what.spec)}",
    )


def _chosen(what: Confirmation, levels: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """The levels as words, one line for each person."""
    words = [", ".join(factor.word(one[factor.code]) for factor in what.factors) for one in levels]
    return list(zip(what.people, words, strict=True))


def _levels_hidden(levels: LevelsAgainForm) -> list[tuple[str, str]]:
    return [(name, levels.cleaned_data[name]) for name in levels.fields if name.startswith("level_")]


def refused(
    request: HttpRequest,
    error: AllocationRefused,
    *,
    spec: ProtocolSpec,
    back: Link,
    trail: Sequence[tuple[str, str]],
    here: str,
) -> HttpResponse:
    """Nothing was allocated, why, and that trying again changes nothing (8.7)."""
    reasons = [one.text for one in error.refusals] or [str(error)]
    context: dict[str, Any] = {
        "title": "No allocation was made",
        "reasons": reasons,
        "back": back,
        "breadcrumbs": trail,
        "here": here,
        "office": office_line(spec),
    }
    return render(request, "journey/not_allocated.html", context)


def say_already(request: HttpRequest, made_at: datetime) -> None:
    """A page lost, a double press, a repeated request: the same result again (8.7)."""
    text = f"Already allocated on {date_and_time(made_at)}. This is the same result: nothing new was allocated"
    messages.info(request, text)


LOST = "If the connection is lost, open the record of the person: it says whether they are allocated."


def office_line(spec: ProtocolSpec) -> str:
    """Whom to ring."""
    study = spec.study
    return f"If you are not sure, ring the trial office: {study.office_phone}, {study.office_hours}."


def request_key(request: HttpRequest) -> str:
    """The key made when the confirmation was rendered; one that is not ours is replaced."""
    try:
        return str(uuid.UUID(request.POST.get("request_key", "")))
    except ValueError:
        return str(uuid.uuid4())
