"""Retention, disposals by two people, and texts that are replaced by a marker (R-03, R-36)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from trial.access.pages import form_page
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import ProofRefused, TooManyFailures, reauthenticate
from trial.base.errors import TrialError
from trial.base.lists import page_of
from trial.base.pdf import pdf_response
from trial.base.words import local_day
from trial.journey.pages import GET_POST, page, posted
from trial.participants import disposal as disposals
from trial.participants import redaction
from trial.participants.models import Disposal, Referral
from trial.participants.reads import referral_for
from trial.rights import retention
from trial.rights.forms import AskDisposalForm, DecideDisposalForm, RedactForm
from trial.rights.texts import texts_of

RETENTION = ("Retention", "/retention/")


@requires(Action.ASK_DISPOSAL, Action.AGREE_DISPOSAL)
@require_safe
def overview(request: StaffRequest) -> HttpResponse:
    """Until when data are kept, whose time is over, what waits for a second person, and backups with old keys."""
    today = local_day(timezone.now())
    due, pages = page_of(request, retention.due_for_disposal(today))
    found = retention.disposals_for(request.user)
    context = {
        "title": "Retention and disposal",
        "dates": retention.dates(),
        "due": due,
        "pages": pages,
        "may_ask": request.user.access.may(Action.ASK_DISPOSAL),
        "may_agree": request.user.access.may(Action.AGREE_DISPOSAL),
        "waiting": found.filter(state=Disposal.State.ASKED),
        "done": found.filter(state=Disposal.State.DONE).order_by("-decided_at", "-pk")[:50],
        "backups": [
            (one, bool(one.backups_expire_date and one.backups_expire_date < today))
            for one in retention.backups_waiting()
        ],
        "user_id": request.user.pk,
    }
    return render(request, "rights/retention.html", context)


@requires(Action.ASK_DISPOSAL)
@GET_POST
def ask(request: StaffRequest, number: str) -> HttpResponse:
    """Ask that one person's protected details be destroyed."""
    referral = _referral(request, number)
    form = AskDisposalForm(posted(request))
    if form.is_valid():
        try:
            disposals.ask(referral=referral, by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Asked. Somebody else must agree and sign.")
            return redirect("rights:retention")
    return form_page(
        request,
        form,
        trail=[RETENTION],
        title=f"Destroy the protected details of {referral.number}?",
        here="Ask",
        button="Ask for it",
        detail="Research data and the allocation stay. Names, contact details, free text and scans go for ever.",
    )


def _referral(request: StaffRequest, number: str) -> Referral:
    return referral_for(request.user, number, Action.ASK_DISPOSAL)


@requires(Action.AGREE_DISPOSAL)
@GET_POST
def decide(request: StaffRequest, pk: int) -> HttpResponse:
    """Agree and sign, or say why the details stay: never by whoever asked."""
    row = retention.disposal_for(request.user, pk)
    form = DecideDisposalForm(posted(request))
    if form.is_valid():
        try:
            said = _decide(request, row, form.cleaned_data)
        except (ProofRefused, TooManyFailures) as error:
            form.add_error("secret", str(error))
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, said)
            return redirect("rights:retention")
    return form_page(
        request,
        form,
        trail=[RETENTION],
        title=f"Destroy the protected details of {row.referral.number}?",
        here="Decide",
        button="Save the decision",
        detail=f"{row.asked_by} asked: {row.get_why_display().lower()}. {row.reason}",
    )


def _decide(request: StaffRequest, row: Disposal, data: dict[str, Any]) -> str:
    user, now = request.user, timezone.now()
    if data["decision"] == "refuse":
        disposals.refuse(disposal=row, why=data["refusal"], by=user, at=now)
        return "Not agreed. The details stay."
    proof = reauthenticate(user=user, secret=data["secret"], at=now)
    disposals.carry_out(disposal=row, proof=proof, by=user, at=now)
    return "The key is destroyed. Keep the certificate."


@requires(Action.ASK_DISPOSAL, Action.AGREE_DISPOSAL)
@require_safe
def certificate(request: StaffRequest, pk: int) -> HttpResponse:
    """The certificate of a disposal as PDF."""
    row = retention.disposal_for(request.user, pk)
    if row.state != Disposal.State.DONE:
        raise Http404
    return pdf_response(retention.certificate(row), f"disposal-{row.pk}.pdf")


@requires(Action.ASK_DISPOSAL, Action.AGREE_DISPOSAL)
@require_POST
def backups(request: StaffRequest, pk: int) -> HttpResponse:
    """Confirm that no backup is left that holds the key."""
    row = retention.disposal_for(request.user, pk)
    try:
        disposals.confirm_backups(disposal=row, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Confirmed.")
    return redirect("rights:retention")


@requires(Action.REDACT_TEXT)
@never_cache
@GET_POST
def redact(request: StaffRequest, number: str) -> HttpResponse:
    """Replace one sealed text by a marker, for ever (R-03)."""
    referral = referral_for(request.user, number, Action.REDACT_TEXT)
    texts = {str(one.number): one for one in texts_of(referral, request.user)}
    form = RedactForm([(key, f"{one.what}: {one.text[:200]}") for key, one in texts.items()], posted(request))
    if form.is_valid():
        chosen, data = texts[form.cleaned_data["text"]], form.cleaned_data
        try:
            redaction.redact(
                referral=referral,
                token=chosen.token,
                what=chosen.what,
                marker=data["marker"],
                reason=data["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{chosen.what}: replaced by a marker.")
            return redirect("journey:record", referral.number)
    return page(
        request,
        form,
        title="Remove a text",
        subject=referral,
        here="Remove a text",
        button="Remove it for ever",
        detail="A marker stands in its place, with your name and the reason. It cannot be undone."
        if texts
        else "There is no text about this person.",
    )
