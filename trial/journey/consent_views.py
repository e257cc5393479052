"""Consent as a page (T07)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.words import local_day, long_date
from trial.consent import actions as consents
from trial.consent.models import Consent, DocumentVersion
from trial.journey import forms as step_forms
from trial.journey import steps
from trial.journey.pages import GET_POST, blocked, page, posted
from trial.participants.models import BEFORE_CONSENT, Referral, Status
from trial.participants.reads import referral_for

CONSENT_METHODS = (Consent.Method.PAPER, Consent.Method.TELEPHONE_WITNESSED)
"""Ways recorded here. On screen and by link need a drawn signature (BR-14), which has pages of its own."""


@requires(Action.RECORD_CONSENT)
@GET_POST
def consent(request: StaffRequest, number: str) -> HttpResponse:
    """Record consent, statement by statement (T07, BR-10 to BR-16)."""
    referral = referral_for(request.user, number, Action.RECORD_CONSENT)
    given = referral.information_given.select_related("document").first()
    versions = consents.documents_on(
        kind=DocumentVersion.Kind.CONSENT, site=referral.site, on=local_day(timezone.now())
    )
    problems = _consent_blocked(referral, given is not None, bool(versions))
    if problems or given is None:
        return blocked(request, referral, "Record consent", problems)
    version = versions[0]
    form = step_forms.ConsentForm(version, CONSENT_METHODS, posted(request))
    if form.is_valid():
        data = form.cleaned_data
        try:
            made = steps.consent(
                referral=referral,
                form=version,
                information=given,
                data=consents.ConsentData(
                    method=data["method"],
                    answers=form.answers(),
                    signed_at=data["signed_at"],
                    capacity_confirmed=data["capacity_confirmed"],
                    copy_given_date=data["copy_given_date"],
                    witness_name=data["witness_name"] or "",
                    interpreter=data["interpreter"],
                    comment=data["comment"] or "",
                ),
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Consent recorded. The study number is {made.participant.study_id}.")
            return redirect("journey:record", made.participant.study_id)
    detail = (
        f"{given.document.title} {given.document.version}, given {long_date(given.given_at)}."
        f" {version.title} {version.version}"
    )
    return page(request, form, title="Record consent", subject=referral, here="Consent", detail=detail)


def _consent_blocked(referral: Referral, is_informed: bool, has_version: bool) -> list[tuple[str, str]]:
    if not has_version:
        return [(f"No consent form is approved and in use at {referral.site} today.", "")]
    if referral.status not in steps.AFTER_CONSENT | BEFORE_CONSENT:
        return [(f"This referral is closed: {referral.get_status_display().lower()}.", "")]
    problems = []
    if referral.status == Status.REFERRED:
        problems.append(("Record a contact with the person first.", f"/people/{referral.number}/contact/"))
    if not is_informed:
        problems.append(("Give an information sheet first.", f"/people/{referral.number}/information/"))
    return problems
