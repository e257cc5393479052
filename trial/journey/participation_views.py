"""Participation changes, and statuses taken back (T14, T16, T18)."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from trial.access.models import User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.journey import ending, reversal, steps
from trial.journey import forms as step_forms
from trial.journey.models import Reversal
from trial.journey.pages import GET_POST, blocked, page, posted
from trial.participants.reads import participant_for, referral_for
from trial.participation import rules as participation_rules


@requires(Action.CHANGE_PARTICIPATION)
@GET_POST
def participation(request: StaffRequest, number: str) -> HttpResponse:
    """Record what somebody stops or takes up again (BR-60, T14, T16)."""
    participant = participant_for(request.user, number, Action.CHANGE_PARTICIPATION)
    spec = participant.referral.protocol_version.spec
    now = participation_rules.elements_on(participant.participation_changes.all(), local_day(timezone.now()))
    form = step_forms.ParticipationForm(spec, now, posted(request))
    if form.is_valid():
        data = form.cleaned_data
        try:
            steps.change_participation(
                participant=participant,
                effective_date=data["effective_date"],
                decided_by=data["decided_by"],
                elements=form.elements(),
                cause=data["cause"],
                reason_code=data["reason_code"] or "",
                how_learned=data["how_learned"] or "",
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Change recorded. Messages that it ends have stopped.")
            return redirect("journey:record", participant.study_id)
    return page(
        request,
        form,
        title="Change participation",
        subject=participant.referral,
        here="Participation",
        button="Save change",
        detail="Data collected so far are kept. Death and loss of capacity stop everything at once.",
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
