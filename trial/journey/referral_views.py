"""Referral, contact, information, and the ends before randomisation (T01 to T06, T08, T11)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from trial.access.models import Site, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.consent import actions as consents
from trial.consent.models import DocumentVersion
from trial.journey import actions, steps
from trial.journey import forms as step_forms
from trial.journey.pages import GET_POST, page, posted
from trial.journey.referral_forms import ReferralForm
from trial.participants import identity
from trial.participants.models import Referral, Status
from trial.participants.reads import referral_for
from trial.protocol import rules as protocol_rules
from trial.protocol.versions import current
from trial.screening import rules as screening_rules
from trial.screening.models import Eligibility


def _sites(user: User) -> list[Site]:
    ids = user.access.site_ids(Action.ADD_REFERRAL)
    sites = Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids)
    return list(sites)


@requires(Action.ADD_REFERRAL)
@GET_POST
def refer(request: StaffRequest) -> HttpResponse:
    """Screen a new person (T01, T17)."""
    form = ReferralForm(_sites(request.user), current().spec, posted(request))
    if form.is_valid():
        try:
            referral = actions.refer(
                site=form.site(), data=form.referral(), who=form.identity(), by=request.user, at=timezone.now()
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{referral.screening_number} recorded.")
            return redirect("journey:record", referral.screening_number)
    return page(
        request,
        form,
        title="Screen a new person",
        subject=None,
        here="New person",
        button="Save referral",
        template="journey/refer.html",
    )


@requires(Action.RECORD_CONTACT)
@GET_POST
def contact(request: StaffRequest, number: str) -> HttpResponse:
    """Record a contact attempt (T02)."""
    referral = referral_for(request.user, number, Action.RECORD_CONTACT)
    form = step_forms.ContactForm(referral.protocol_version.spec, posted(request))
    if form.is_valid():
        try:
            steps.contact(referral=referral, by=request.user, at=timezone.now(), **_filled(form))
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Contact recorded.")
            return redirect("journey:record", referral.number)
    return page(request, form, title="Record a contact", subject=referral, here="Contact", button="Save contact")


def _filled(form: forms.Form) -> dict[str, Any]:
    """Cleaned data with nothing typed as the empty text."""
    return {k: "" if v is None and not _takes_none(form.fields[k]) else v for k, v in form.cleaned_data.items()}


def _takes_none(field: forms.Field) -> bool:
    return not isinstance(field, forms.CharField)


@requires(Action.RECORD_CONTACT)
@GET_POST
def information(request: StaffRequest, number: str) -> HttpResponse:
    """Record that an information sheet was given (T04)."""
    referral = referral_for(request.user, number, Action.RECORD_CONTACT)
    sheets = consents.documents_on(kind=DocumentVersion.Kind.PIS, site=referral.site, on=local_day(timezone.now()))
    form = step_forms.DocumentForm(sheets, posted(request))
    if form.is_valid():
        data = form.cleaned_data
        try:
            steps.inform(
                referral=referral,
                document=form.documents[data["document"]],
                given_at=data["given_at"],
                how=data["how"],
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Information sheet recorded.")
            return redirect("journey:record", referral.number)
    return page(request, form, title="Give an information sheet", subject=referral, here="Information sheet")


CLOSINGS: dict[str, tuple[Status, str]] = {
    "declined": (Status.DECLINED, "The person does not want to take part"),
    "not-eligible": (Status.PRESCREEN_INELIGIBLE, "The referral shows that the person is not eligible"),
    "not-contactable": (Status.NOT_CONTACTABLE, "The person cannot be contacted"),
    "screen-failed": (Status.SCREEN_FAILED, "The person is not eligible"),
    "left": (Status.WITHDRAWN_BEFORE_RANDOMISATION, "The person leaves before randomisation"),
}


def _closing_reasons(referral: Referral, target: Status) -> list[tuple[str, str]]:
    spec = referral.protocol_version.spec
    if target == Status.DECLINED:
        return step_forms.reason_choices(protocol_rules.reasons(spec, "decline"))
    if target == Status.WITHDRAWN_BEFORE_RANDOMISATION:
        return step_forms.reason_choices(protocol_rules.reasons(spec, "withdrawal"))
    if target == Status.PRESCREEN_INELIGIBLE:
        return [(c.code, f"{c.code}. {c.text}") for c in protocol_rules.prescreen_criteria(spec)]
    if target == Status.SCREEN_FAILED:
        return _failed_criteria(referral)
    return [("not_contactable", "Enough attempts were made")]


def _failed_criteria(referral: Referral) -> list[tuple[str, str]]:
    eligibility = Eligibility.objects.filter(participant__referral=referral).first()
    answers = {code: entry["answer"] for code, entry in eligibility.answers.items()} if eligibility else {}
    criteria = referral.protocol_version.spec.criteria
    failed = screening_rules.failed_codes(criteria, answers)
    return [(c.code, f"{c.code}. {c.text}") for c in criteria if c.code in failed]


@requires(Action.VIEW_RECORD)
@GET_POST
def close(request: StaffRequest, number: str, how: str) -> HttpResponse:
    """End a referral before randomisation, with its reasons (T03, T05, T06, T08, T11)."""
    referral = referral_for(request.user, number)
    target, title = CLOSINGS[how]
    form = step_forms.ReasonsForm(_closing_reasons(referral, target), posted(request))
    if form.is_valid():
        try:
            actions.close(
                referral=referral,
                target=target,
                reasons=form.codes(),
                by=request.user,
                at=timezone.now(),
                effective_date=form.cleaned_data["effective_date"],
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{referral.number}: {target.label.lower()}.")
            return redirect("journey:record", referral.number)
    return page(request, form, title=title, subject=referral, here="Close", button="Close the referral")


@requires(Action.CHANGE_IDENTITY)
@GET_POST
def change_identity(request: StaffRequest, number: str) -> HttpResponse:
    """Correct names and ways to reach a person; showing them here is logged."""
    referral = referral_for(request.user, number, Action.CHANGE_IDENTITY)
    data = identity.show(referral=referral, by=request.user, at=timezone.now(), reason="Change contact details")
    form = step_forms.IdentityChangeForm(referral.protocol_version.spec, data, posted(request))
    if form.is_valid():
        try:
            identity.change(
                referral=referral, data=form.identity(), reason=form.cleaned_data["reason"], by=request.user
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Contact details saved.")
            return redirect("journey:record", referral.number)
    return page(request, form, title="Change contact details", subject=referral, here="Contact details")
