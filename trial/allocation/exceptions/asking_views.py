"""Pages on which somebody asks for what may be said of one allocation; a second person decides (section 9)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from randomisation.models import Proposal
from trial.access.pages import GET_POST, form_page, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.exceptions import asking, menu, reads
from trial.allocation.exceptions.forms import CodeBreakForm, CorrectionForm, DuplicateForm, FlagForm
from trial.base.errors import TrialError
from trial.participants.models import Participant

ASKED = "Asked for. Nothing happens before somebody else has approved it"


@requires(Action.ASK_EXCEPTION, Action.CODE_BREAK)
@never_cache
@require_safe
def overview(request: StaffRequest, number: str) -> HttpResponse:
    """What may be asked for about one person's randomisation, and what was. It shows no arm to anybody."""
    participant = reads.participant_by_any(request.user, number, Action.ASK_EXCEPTION, Action.CODE_BREAK)
    return render(request, "allocation/exceptions/overview.html", menu.overview(participant, request.user))


@requires(Action.ASK_EXCEPTION)
@GET_POST
def flag(request: StaffRequest, number: str) -> HttpResponse:
    """Randomised although not eligible, or by mistake (9.1)."""
    participant = _asked_about(request, number)
    form = FlagForm(_spec(participant), posted(request))
    return _asking(
        request,
        participant,
        form,
        title="Not eligible, or randomised by mistake",
        detail="The allocation stands. The person stays in the study, in follow-up and in the analysis",
        ask=lambda data: asking.ask_flag(participant=participant, by=request.user, at=timezone.now(), **data),
    )


@requires(Action.ASK_EXCEPTION)
@GET_POST
def duplicate(request: StaffRequest, number: str) -> HttpResponse:
    """The same person was randomised twice; this record is the second (9.2)."""
    participant = _asked_about(request, number)
    form = DuplicateForm(_spec(participant), posted(request))
    return _asking(
        request,
        participant,
        form,
        title="The same person twice",
        detail="The first allocation stands. This one, the second, no longer counts in the balance",
        ask=lambda data: asking.ask_exclusion(participant=participant, by=request.user, at=timezone.now(), **data),
    )


@requires(Action.ASK_EXCEPTION)
@GET_POST
def correction(request: StaffRequest, number: str) -> HttpResponse:
    """Wrong values were used: the true ones are typed, and stand beside the frozen ones (9.3)."""
    participant = _asked_about(request, number)
    made, spec = reads.allocated(participant), _spec(participant)
    factors = reads.typed_again(reads.factor_words(made.revision, spec))
    people = [member.participant.study_id for member in reads.members_of(made)]
    form = CorrectionForm(spec, factors, people, posted(request))
    return _asking(
        request,
        participant,
        form,
        title="Wrong values were used",
        detail="The allocation and the values used stay as they are. The true values are kept beside them",
        ask=lambda data: asking.ask_correction(
            participant=participant, members=form.levels(), reason=data["reason"], by=request.user, at=timezone.now()
        ),
    )


@requires(Action.CODE_BREAK)
@never_cache
@GET_POST
def code_break(request: StaffRequest, number: str) -> HttpResponse:
    """Ask that one participant's group may be told (6.6)."""
    participant = reads.participant_by_any(request.user, number, Action.CODE_BREAK)
    reads.allocated(participant)
    form = CodeBreakForm(_spec(participant), posted(request))
    return _asking(
        request,
        participant,
        form,
        title="Break the code",
        detail="Only when somebody must know the group now. Another person authorises it",
        ask=lambda _: asking.ask_code_break(
            participant=participant, by=request.user, at=timezone.now(), **form.given()
        ),
    )


def _spec(participant: Participant) -> Any:
    return participant.referral.protocol_version.spec


def _asked_about(request: StaffRequest, number: str) -> Participant:
    """A participant of the person's sites who was randomised."""
    participant = reads.participant_by_any(request.user, number, Action.ASK_EXCEPTION)
    reads.allocated(participant)
    return participant


def _asking(
    request: StaffRequest,
    participant: Participant,
    form: forms.Form,
    *,
    title: str,
    detail: str,
    ask: Callable[[dict[str, Any]], Proposal],
) -> HttpResponse:
    """The form, until what it asks for waits for approval."""
    if form.is_valid():
        try:
            ask(form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, ASKED)
            return redirect("allocation:exceptions", participant.study_id)
    trail = menu.trail(participant, request.user)
    return form_page(request, form, trail=trail, title=title, here=title, detail=detail, button="Ask for approval")
