"""Participation changes, and statuses taken back (T14, T16, T18)."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.journey import forms as step_forms
from trial.journey import reversal, steps
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
    waiting = Reversal.objects.filter(referral=referral, approved_at__isnull=True).select_related("asked_by").first()
    if waiting is None:
        return blocked(request, referral, "Entered in error", [("No request waits for approval.", "")])
    form = forms.Form(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            reversal.approve(reversal=waiting, by=request.user, at=timezone.now())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Approved. The record shows the earlier status again.")
            return redirect("journey:record", referral.number)
    return page(
        request,
        form,
        title=f"Take back “{referral.get_status_display()}”?",
        subject=referral,
        here="Entered in error",
        button="Approve",
        detail=f"{waiting.asked_by} asked: “{waiting.reason}”",
    )
