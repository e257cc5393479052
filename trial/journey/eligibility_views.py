"""Eligibility answered and signed (T08, T09)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.base.errors import TrialError
from trial.journey import forms as step_forms
from trial.journey import steps
from trial.journey.pages import GET_POST, page, posted
from trial.participants.reads import participant_for
from trial.screening import actions as screening
from trial.screening.models import Eligibility


@requires(Action.ASSESS_ELIGIBILITY)
@GET_POST
def eligibility(request: StaffRequest, number: str) -> HttpResponse:
    """Answer the criteria; those that data decide are worked out (T08, T09)."""
    participant = participant_for(request.user, number, Action.ASSESS_ELIGIBILITY)
    spec = participant.referral.protocol_version.spec
    stored = Eligibility.objects.filter(participant=participant).select_related("signature").first()
    form = step_forms.EligibilityForm(spec.criteria, posted(request), _stored_answers(stored))
    if form.is_valid():
        try:
            stored = screening.assess(
                participant=participant,
                judged=form.answers(),
                assessed_date=form.cleaned_data["assessed_date"],
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Eligibility saved.")
            return redirect("journey:eligibility", participant.study_id)
    worked = screening.worked_out(participant, spec)
    return page(
        request,
        form,
        title="Eligibility",
        subject=participant.referral,
        here="Eligibility",
        button="Save answers",
        template="journey/eligibility.html",
        worked=[(c, worked[c.code]) for c in spec.criteria if c.code in worked],
        stored=stored,
        may_sign=request.user.access.may(Action.SIGN_ELIGIBILITY, participant.site),
    )


def _stored_answers(stored: Eligibility | None) -> dict[str, Any]:
    if stored is None:
        return {}
    initial: dict[str, Any] = {"assessed_date": stored.assessed_date}
    for code, (answer, evidence) in screening.judged_of(stored).items():
        initial |= {f"answer_{code}": answer, f"evidence_{code}": evidence}
    return initial


@requires(Action.SIGN_ELIGIBILITY)
@sensitive_post_parameters("secret")
@GET_POST
def sign_eligibility(request: StaffRequest, number: str) -> HttpResponse:
    """Endorse that every criterion is met, with password or code (T09, R-19)."""
    participant = participant_for(request.user, number, Action.SIGN_ELIGIBILITY)
    stored = Eligibility.objects.filter(participant=participant).first()
    if stored is None or stored.outcome != "met" or stored.signature_id:
        return redirect("journey:eligibility", participant.study_id)
    form = step_forms.SignForm(posted(request))
    if form.is_valid():
        now = timezone.now()
        try:
            proof = reauthenticate(user=request.user, secret=form.cleaned_data["secret"], at=now)
            steps.sign_eligibility(eligibility=stored, proof=proof, by=request.user, at=now)
        except TrialError as error:
            form.add_error("secret", str(error))
        else:
            messages.success(request, "Eligibility signed.")
            return redirect("journey:record", participant.study_id)
    return page(
        request,
        form,
        title=f"Sign that {participant.study_id} is eligible",
        subject=participant.referral,
        here="Sign",
        button="Sign",
        detail="You sign: “I have checked that this person is eligible.” Your name and the time are kept with it.",
    )
