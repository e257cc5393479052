"""What a consultee advised about somebody who lost capacity (BR-16)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.fields import ChoiceField, DateField, TextField
from trial.consent import consultee
from trial.consent.evidence_models import ConsulteeAdvice
from trial.journey.pages import GET_POST, page, posted
from trial.participants.reads import participant_for


class AdviceForm(forms.Form):
    """Who advised what, under which approval."""

    kind = ChoiceField(label="Who advised?", what="who advised", choices=ConsulteeAdvice.Kind.choices)
    name = TextField(label="Name of the consultee", max_length=120, help_text="It is stored sealed")
    advice = ChoiceField(label="What is their advice?", what="the advice", choices=ConsulteeAdvice.Advice.choices)
    advised_date = DateField(label="On which day?", what="date of the advice", not_in_future=True, quick=True)
    rec_reference = TextField(
        label="REC reference of the approved consultee arrangements",
        what="REC reference",
        max_length=60,
        help_text="Without such an approval nobody goes on",
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)


@requires(Action.CHANGE_PARTICIPATION)
@GET_POST
def advice(request: StaffRequest, number: str) -> HttpResponse:
    """Record a consultee's advice; then the loss of capacity is recorded on the page of participation."""
    participant = participant_for(request.user, number, Action.CHANGE_PARTICIPATION)
    form = AdviceForm(posted(request))
    if form.is_valid():
        try:
            consultee.record_advice(participant=participant, by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "Advice recorded. Record the loss of capacity, and what goes on, now.")
            return redirect("journey:participation", number)
    return page(
        request,
        form,
        title="Advice of a consultee",
        subject=participant.referral,
        here="Consultee",
        detail="When somebody can no longer decide for themselves. Data collected so far are kept.",
    )
