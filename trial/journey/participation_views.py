"""Participation changes, and statuses taken back (T14, T16, T18)."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from trial.access.models import User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.pdf import pdf_response
from trial.base.words import local_day
from trial.journey import ending, reversal, steps
from trial.journey import forms as step_forms
from trial.journey.models import Reversal
from trial.journey.pages import GET_POST, blocked, page, posted
from trial.journey.participation_preview import preview
from trial.participants.models import Participant
from trial.participants.reads import participant_for, referral_for
from trial.participation import letter
from trial.participation import rules as participation_rules
from trial.participation.models import ParticipationChange


@requires(Action.CHANGE_PARTICIPATION)
@GET_POST
def participation(request: StaffRequest, number: str) -> HttpResponse:
    """Record what somebody stops or takes up again, once what that stops was read and confirmed (BR-60, T14, T16)."""
    participant = participant_for(request.user, number, Action.CHANGE_PARTICIPATION)
    spec = participant.referral.protocol_version.spec
    at = timezone.now()
    now = participation_rules.elements_on(participant.participation_changes.all(), local_day(at))
    form = step_forms.ParticipationForm(spec, now, posted(request))
    if form.is_valid() and "confirm" not in request.POST:
        return _ask_to_confirm(request, participant, form, at)
    if form.is_valid():
        data = form.cleaned_data
        try:
            change = steps.change_participation(
                participant=participant,
                effective_date=data["effective_date"],
                decided_by=data["decided_by"],
                elements=form.elements(),
                cause=data["cause"],
                reason_code=data["reason_code"] or "",
                how_learned=data["how_learned"] or "",
                by=request.user,
                at=at,
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Change recorded. Messages that it ends have stopped.")
            return _letter_of(request, change, data["letter"])
    return page(
        request,
        form,
        title="Change participation",
        subject=participant.referral,
        here="Participation",
        button="See what stops",
        detail="Data collected so far are kept. Death and loss of capacity stop everything at once.",
    )


def _ask_to_confirm(
    request: StaffRequest, participant: Participant, form: step_forms.ParticipationForm, at: datetime
) -> HttpResponse:
    """What the change would stop, before it is recorded."""
    data = form.cleaned_data
    found = preview(
        participant=participant,
        elements=form.elements(),
        cause=data["cause"],
        on=data["effective_date"],
        user=request.user,
        at=at,
    )
    hidden = [(name, value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"]
    return page(
        request,
        form,
        title="Is this right?",
        subject=participant.referral,
        here="Participation",
        button="Record the change",
        template="journey/participation_confirm.html",
        preview=found,
        hidden=hidden,
        effective_date=data["effective_date"],
    )


def _letter_of(request: StaffRequest, change: ParticipationChange, how: str) -> HttpResponse:
    """Send the letter or lead to the printed one; nobody is written to after a death or a loss of capacity."""
    number = change.participant.study_id
    if letter.why_not(change, how) or how not in ("email", "print"):
        return redirect("journey:record", number)
    if how == "email":
        letter.send(change=change, by=request.user, at=timezone.now())
        messages.success(request, "The letter to the person is on its way.")
        return redirect("journey:record", number)
    return redirect("journey:participation_letter", number, change.pk)


@requires(Action.CHANGE_PARTICIPATION)
@GET_POST
def participation_letter(request: StaffRequest, number: str, change: int) -> HttpResponse:
    """Make the letter that confirms a change, to print; its address is shown, which is logged (R-34)."""
    participant = participant_for(request.user, number, Action.CHANGE_PARTICIPATION)
    found = participant.participation_changes.filter(pk=change).first()
    if found is None or not request.user.access.may(Action.VIEW_IDENTITY, participant.site):
        raise Http404
    if problem := letter.why_not(found, "print"):
        return blocked(request, participant.referral, "Letter about participation", [(problem, "")])
    form = forms.Form(posted(request))
    if form.is_valid():
        try:
            content = letter.printed(change=found, by=request.user, at=timezone.now())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            return pdf_response(content, f"letter-{participant.study_id}.pdf")
    return page(
        request,
        form,
        title="Letter about participation",
        subject=participant.referral,
        here="Letter",
        button="Make the letter (PDF)",
        detail="It holds the name and address. That you made it is logged.",
    )


@requires(Action.ASK_REVERSAL)
@GET_POST
def ask_reversal(request: StaffRequest, number: str) -> HttpResponse:
    """Ask to take back a status that was entered in error (T18)."""
    referral = referral_for(request.user, number, Action.ASK_REVERSAL)
    form = step_forms.ReversalForm(posted(request))
    if form.is_valid():
        try:
            reversal.ask(referral=referral, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Asked. A principal investigator must approve it.")
            return redirect("journey:record", referral.number)
    title = f"Take back “{referral.get_status_display()}”"
    return page(request, form, title=title, subject=referral, here="Entered in error", button="Ask for approval")


@requires(Action.APPROVE_REVERSAL)
@GET_POST
def approve_reversal(request: StaffRequest, number: str) -> HttpResponse:
    """Approve that a status is taken back (T18)."""
    referral = referral_for(request.user, number, Action.APPROVE_REVERSAL)
    waiting = reversal.waiting_for(referral)
    if waiting is None:
        return blocked(request, referral, "Entered in error", [("No request waits for approval.", "")])
    form = step_forms.ReversalDecisionForm(posted(request))
    if form.is_valid():
        try:
            said = _decide(waiting, form.cleaned_data, request.user)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, said)
            return redirect("journey:record", referral.number)
    return page(
        request,
        form,
        title=f"Take back “{referral.get_status_display()}”?",
        subject=referral,
        here="Entered in error",
        button="Save decision",
        detail=f"{waiting.asked_by} asked: “{waiting.reason}”",
    )


def _decide(waiting: Reversal, decided: dict[str, str], by: User) -> str:
    if decided["decision"] == "refuse":
        reversal.refuse(reversal=waiting, why=decided["why"], by=by, at=timezone.now())
        return "Not approved. The status stays."
    reversal.approve(reversal=waiting, by=by, at=timezone.now())
    return "Approved. The record shows the earlier status again."


@requires(Action.CONFIRM_END)
@GET_POST
def confirm_end(request: StaffRequest, number: str) -> HttpResponse:
    """Confirm that a participant ended early (T16)."""
    referral = referral_for(request.user, number, Action.CONFIRM_END)
    if not ending.awaits_confirmation(referral):
        return blocked(request, referral, "Ended early", [("There is no early end to confirm.", "")])
    form = forms.Form(posted(request))
    if form.is_valid():
        try:
            ending.confirm_end(referral=referral, by=request.user, at=timezone.now())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Confirmed.")
            return redirect("journey:record", referral.number)
    return page(
        request,
        form,
        title=f"Confirm that {referral.number} ended early?",
        subject=referral,
        here="Ended early",
        button="Confirm",
        detail="Messages stopped when it was recorded. Data collected so far are kept.",
    )
