"""Consent on a screen, for staff: hand the tablet over, send a link, countersign, give the copy, see what was given."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.base.errors import TrialError
from trial.base.words import date_and_time
from trial.consent.models import Consent
from trial.econsent import actions as econsent
from trial.econsent import pages as shown
from trial.econsent import reads, sitting, texts
from trial.econsent import sending as links
from trial.econsent.models import ConsentSession
from trial.journey import consenting
from trial.journey.consent_forms import CountersignForm, StartForm
from trial.journey.consent_views import ready
from trial.journey.pages import GET_POST, blocked, page, posted
from trial.participants.models import Referral
from trial.participants.reads import referral_for

Method = Consent.Method


def _started(request: StaffRequest, referral: Referral, form: StartForm, method: str) -> ConsentSession | None:
    """The session, begun; None where something is in the way, which the form then says."""
    version, given, _ = ready(referral)
    if version is None or given is None or not form.is_valid():
        return None
    try:
        return econsent.start(
            referral=referral,
            method=method,
            form=version,
            information=given,
            interpreter=form.cleaned_data["interpreter"],
            by=request.user,
            at=timezone.now(),
        )
    except TrialError as refused:
        form.add_error(None, str(refused))
        return None


@requires(Action.RECORD_CONSENT)
@never_cache
@GET_POST
def on_tablet(request: StaffRequest, number: str) -> HttpResponse:
    """Hand this device over: staff are signed out, and only the consent pages open (BR-14)."""
    referral = referral_for(request.user, number, Action.RECORD_CONSENT)
    if problems := ready(referral)[2]:
        return blocked(request, referral, "Consent on this tablet", problems)
    form = StartForm(posted(request))
    if begun := _started(request, referral, form, Method.ECONSENT_IN_PERSON):
        sitting.hand_over(request, begun, request.user)
        return redirect("c_sheet")
    detail = "You are signed out while the person has the tablet. Your own password brings you back"
    return page(
        request,
        form,
        title="Consent on this tablet",
        subject=referral,
        here="On this tablet",
        button="Sign me out and begin",
        detail=detail,
    )


@requires(Action.RECORD_CONSENT)
@GET_POST
def by_link(request: StaffRequest, number: str) -> HttpResponse:
    """Send a link with which the person reads, answers and signs at home."""
    referral = referral_for(request.user, number, Action.RECORD_CONSENT)
    if problems := ready(referral)[2]:
        return blocked(request, referral, "Consent by link", problems)
    form = StartForm(posted(request))
    if begun := _started(request, referral, form, Method.ECONSENT_REMOTE):
        try:
            links.send(session=begun, kind=texts.TO_SIGN, by=request.user, at=timezone.now())
        except TrialError as refused:
            econsent.cancel(session=begun, reason="No link could be sent", by=request.user, at=timezone.now())
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The link will be sent within a minute.")
            return redirect(f"/people/{referral.number}/consent/")
    detail = f"It works for {links.SIGN_DAYS} days. You check who signed before you countersign"
    return page(
        request,
        form,
        title="Consent by link",
        subject=referral,
        here="By link",
        button="Send the link",
        detail=detail,
    )


@requires(Action.RECORD_CONSENT)
@require_POST
def cancel(request: StaffRequest, number: str) -> HttpResponse:
    """End a consent on a screen that was not countersigned."""
    referral = referral_for(request.user, number, Action.RECORD_CONSENT)
    found = reads.on_its_way(referral)
    if found is not None:
        econsent.cancel(session=found, reason="Cancelled by the team", by=request.user, at=timezone.now())
        messages.success(request, "Cancelled. It stays on record, and its links have stopped.")
    return redirect(f"/people/{referral.number}/consent/")


@requires(Action.RECORD_CONSENT)
@never_cache
@GET_POST
def countersign(request: StaffRequest, number: str) -> HttpResponse:
    """Sign for the team: only then is the consent valid, and its sealed form is made and given at once."""
    referral = referral_for(request.user, number, Action.RECORD_CONSENT)
    session = reads.on_its_way(referral)
    if session is None or session.state != ConsentSession.State.SIGNED:
        return blocked(
            request,
            referral,
            "Countersign a consent",
            [("No signed consent waits for a countersignature.", f"/people/{referral.number}/consent/")],
        )
    form = CountersignForm(session, posted(request))
    if form.is_valid():
        try:
            made = _countersigned(request, session, form)
        except TrialError as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"Consent is valid. The study number is {made.participant.study_id}.")
            return redirect(f"/people/{made.participant.study_id}/consent/given/")
    return _countersign_page(request, referral, session, form)


def _countersigned(request: StaffRequest, session: ConsentSession, form: CountersignForm) -> Consent:
    data, now = form.cleaned_data, timezone.now()
    proof = reauthenticate(user=request.user, secret=data["secret"], at=now)
    added = consenting.Countersignature(
        mark=form.mark(),
        capacity_confirmed=data["capacity_confirmed"],
        copy_how=data["copy_how"],
        comment=data["comment"] or "",
        interpreter_name=data.get("interpreter_name") or "",
        identity_check=data.get("identity_check") or "",
        identity_items=tuple(data.get("identity_items") or ()),
        identity_checked_date=data.get("identity_checked_date"),
    )
    return consenting.countersign(session=session, added=added, proof=proof, by=request.user, at=now)


def _countersign_page(
    request: StaffRequest, referral: Referral, session: ConsentSession, form: CountersignForm
) -> HttpResponse:
    name, mark = econsent.name_and_mark(session)
    signed_at = session.signed_at or session.started_at
    more: dict[str, Any] = {
        "session": session,
        "name": name,
        "mark": shown.shown_mark(mark),
        "agreed": shown.agreed(session),
        "signed_words": f"{session.get_method_display()}, {date_and_time(signed_at)}",
        "first_fields": [form[one] for one in form.first_fields],
    }
    return page(
        request,
        form,
        title="Countersign the consent",
        subject=referral,
        here="Countersign",
        button="Countersign",
        detail=f"{session.form.title} {session.form.version}",
        template="consent/countersign.html",
        **more,
    )


@requires(Action.RECORD_CONSENT)
@require_safe
def waiting(request: StaffRequest) -> HttpResponse:
    """Consents that wait for a countersignature, the oldest first."""
    context = {
        "title": "Consents to countersign",
        "here": "Consents",
        "rows": reads.waiting_for(request.user),
    }
    return render(request, "consent/waiting.html", context)
