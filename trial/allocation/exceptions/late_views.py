"""Pages on which an opened envelope or a lost allocation is entered; a second person approves it (9.7, 9.15)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from randomisation.models import Revision, Scheme
from trial.access.pages import GET_POST, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.exceptions import late, reads
from trial.allocation.exceptions.envelope_views import ENVELOPES
from trial.allocation.exceptions.paper_forms import EnvelopeForm, RecoveryForm, StudyNumberForm
from trial.base.errors import TrialError
from trial.participants.models import Participant
from trial.participants.reads import participant_for

RECOVER = ("Recover a lost allocation", "/randomisation/recover/")
ASKED = "Entered. It counts once somebody else has approved it"


@requires(Action.USE_BACKUP)
@GET_POST
def choose_envelope(request: StaffRequest) -> HttpResponse:
    """Whose envelope it is."""
    return _choose(request, "Enter an opened envelope", [ENVELOPES], "allocation:enter_envelope")


@requires(Action.USE_BACKUP)
@GET_POST
def choose_recovery(request: StaffRequest) -> HttpResponse:
    """How many allocations are missing, and whose certificate is at hand. It names nobody."""
    missing = {scheme.code: late.n_missing(scheme) for scheme in Scheme.objects.order_by("code")}
    return _choose(request, RECOVER[0], [ENVELOPES], "allocation:recover", missing=missing)


def _choose(request: StaffRequest, title: str, trail: list[tuple[str, str]], target: str, **more: Any) -> HttpResponse:
    form = StudyNumberForm(posted(request))
    if form.is_valid():
        try:
            found = participant_for(request.user, form.cleaned_data["number"].strip().upper(), Action.USE_BACKUP)
            return redirect(target, found.study_id)
        except Http404:
            form.add_error("number", "There is no participant with this study number. Check each digit")
    context = {"title": title, "form": form, "breadcrumbs": trail, "here": title, "button": "Continue", **more}
    return render(request, "allocation/exceptions/late.html", context)


@requires(Action.USE_BACKUP)
@never_cache
@GET_POST
def enter_envelope(request: StaffRequest, number: str) -> HttpResponse:
    """What stands on the two pages of an opened envelope; nobody types an arm."""
    participant = participant_for(request.user, number, Action.USE_BACKUP)

    def ask(data: dict[str, Any], levels: dict[str, str]) -> None:
        late.ask_envelope(
            participant=participant,
            number=data["envelope"],
            opened_at=data["opened_at"],
            caller=data["caller"],
            opened_by=data["opened_by"],
            levels=levels,
            reason=data["reason"],
            code=data["code"],
            by=request.user,
            at=timezone.now(),
        )

    return _enter(request, participant, EnvelopeForm, "Enter an opened envelope", ask)


@requires(Action.USE_BACKUP)
@never_cache
@GET_POST
def recover(request: StaffRequest, number: str) -> HttpResponse:
    """What stands on the certificate of an allocation that a restored backup lost."""
    participant = participant_for(request.user, number, Action.USE_BACKUP)

    def ask(data: dict[str, Any], levels: dict[str, str]) -> None:
        late.ask_recovery(
            participant=participant,
            made_at=data["made_at"],
            levels=levels,
            code=data["code"],
            reason=data["reason"],
            by=request.user,
            at=timezone.now(),
        )

    return _enter(request, participant, RecoveryForm, RECOVER[0], ask)


def _enter(
    request: StaffRequest,
    participant: Participant,
    kind: type[EnvelopeForm] | type[RecoveryForm],
    title: str,
    ask: Callable[[dict[str, Any], dict[str, str]], None],
) -> HttpResponse:
    """The form, beneath what stands in the way of the entry."""
    spec, now = participant.referral.protocol_version.spec, timezone.now()
    problems = [one.text for one in late.problems(participant=participant, by=request.user, at=now)]
    factors = reads.typed_again(reads.factor_words(_revision(participant), spec))
    form = kind(spec, factors, [participant.study_id], posted(request))
    if form.is_valid():
        try:
            ask(form.cleaned_data, form.levels()[0])
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, ASKED)
            return redirect("allocation:envelopes")
    return _late_page(request, participant, form, title, problems)


def _revision(participant: Participant) -> Revision:
    try:
        return late.revision_of(participant)
    except TrialError as error:
        raise Http404 from error


def _late_page(
    request: StaffRequest, participant: Participant, form: forms.Form, title: str, problems: list[str]
) -> HttpResponse:
    context = {
        "title": title,
        "detail": participant.study_id,
        "form": form,
        "problems": problems,
        "breadcrumbs": [ENVELOPES],
        "here": participant.study_id,
        "button": "Ask for approval",
    }
    return render(request, "allocation/exceptions/late.html", context)
