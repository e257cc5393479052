"""The worklist of messages back, each with its words, and what was sent."""

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.models import AccessEvent, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.words import local_day
from trial.consent.documents import bytes_of, file_of
from trial.participants.reads import participant_for
from trial.referrals import actions, document
from trial.referrals.forms import LeaveOutForm, SafetyForm, SendForm
from trial.referrals.models import MessageBack

GET_POST = require_http_methods(["GET", "POST"])
LIST = ("Messages back", "/messages-back/")
SHOWN = 50


def _message_for(user: User, pk: int) -> MessageBack:
    found = MessageBack.objects.visible_to(user).select_related("participant__referral__site", "letter", "settled_by")
    message = found.filter(pk=pk).first()
    if message is None:
        raise Http404
    return message


def _log(message: MessageBack, user: User, what: str) -> None:
    AccessEvent(
        user=user,
        role=user.role_code,
        kind=AccessEvent.Kind.IDENTITY_VIEWED,
        record=message.participant.study_id,
        detail=f"Message back to the {message.get_recipient_display()}: {what}",
        at=timezone.now(),
    ).save()


@requires(Action.SEND_MESSAGE_BACK)
@require_safe
def worklist(request: StaffRequest) -> HttpResponse:
    """What is due, the oldest first, and what was settled last. No name stands here."""
    found = MessageBack.objects.visible_to(request.user).select_related("participant__referral", "settled_by")
    context = {
        "title": "Messages back",
        "detail": "To GPs and referrers: they hear when somebody takes part, when it ends, and for safety",
        "here": "Messages back",
        "due": found.filter(state=MessageBack.State.DUE)[:SHOWN],
        "n_due": found.filter(state=MessageBack.State.DUE).count(),
        "settled": found.exclude(state=MessageBack.State.DUE).order_by("-settled_at")[:SHOWN],
        "today": local_day(timezone.now()),
    }
    return render(request, "referrals/worklist.html", context)


@requires(Action.SEND_MESSAGE_BACK)
@never_cache
@GET_POST
def message(request: StaffRequest, pk: int) -> HttpResponse:
    """One message: its words and where it goes; sending it, or saying why not. Each showing is logged."""
    found = _message_for(request.user, pk)
    if found.state != MessageBack.State.DUE:
        return _sent_page(request, found)
    leaving = request.POST.get("do") == "leave_out"
    posted = request.POST if request.method == "POST" else None
    to = actions.suggested(found)
    form, out = SendForm(to, None if leaving else posted), LeaveOutForm(posted if leaving else None)
    active = out if leaving else form
    if active.is_valid():
        now = timezone.now()
        try:
            if leaving:
                actions.leave_out(message=found, why=out.cleaned_data["why"], by=request.user, at=now)
            else:
                actions.send(message=found, to=form.to(), how=form.cleaned_data["how"], by=request.user, at=now)
        except TrialError as error:
            active.add_error(None, str(error))
        else:
            messages.success(request, "Not sent; the reason is kept." if leaving else "Logged as sent.")
            return redirect("referrals:message", found.pk)
    _log(found, request.user, "looked at before sending")
    return render(request, "referrals/message.html", _draft(request, found, form, out))


def _draft(request: StaffRequest, found: MessageBack, form: SendForm, out: LeaveOutForm) -> dict[str, object]:
    letter = actions.letter_for(found, timezone.now())
    to = actions.suggested(found)
    shown = document.Recipient(to.name or "Practice not known", to.ods_code, to.address)
    text = document.plain(document.build(found, to=shown, letter=letter, on=local_day(timezone.now())))
    return {
        "title": f"Message to the {found.get_recipient_display()}: {found.get_kind_display().lower()}",
        "breadcrumbs": [LIST],
        "here": found.participant.study_id,
        "message": found,
        "text": text,
        "letter": letter,
        "form": out if out.is_bound else form,
        "send_form": form,
        "out_form": out,
    }


def _sent_page(request: StaffRequest, found: MessageBack) -> HttpResponse:
    context = {
        "title": f"Message to the {found.get_recipient_display()}: {found.get_kind_display().lower()}",
        "breadcrumbs": [LIST],
        "here": found.participant.study_id,
        "message": found,
    }
    return render(request, "referrals/sent.html", context)


def _sent_for(user: User, pk: int) -> MessageBack:
    found = _message_for(user, pk)
    if found.state != MessageBack.State.SENT:
        raise Http404
    return found


@requires(Action.SEND_MESSAGE_BACK)
@never_cache
@require_safe
def letter(request: StaffRequest, pk: int) -> HttpResponse:
    """What was sent, as PDF; the approved letter of that version follows it where its file is held."""
    found = _sent_for(request.user, pk)
    content = actions.content_of(found)
    file = file_of(found.letter) if found.letter else None
    data = document.pdf(content, sha256=found.sha256, approved=bytes_of(file.sha256) if file else None)
    _log(found, request.user, "PDF")
    response = HttpResponse(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="message-{found.pk}.pdf"'
    return response


@requires(Action.SEND_MESSAGE_BACK)
@never_cache
@require_safe
def structured(request: StaffRequest, pk: int) -> HttpResponse:
    """What was sent, as JSON; the bytes have the hash of the log."""
    found = _sent_for(request.user, pk)
    text = document.canonical(actions.content_of(found))
    _log(found, request.user, "JSON")
    response = HttpResponse(text, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="message-{found.pk}.json"'
    return response


@requires(Action.SEND_MESSAGE_BACK)
@require_safe
def schema(request: StaffRequest) -> HttpResponse:
    """The published schema of the JSON document."""
    found = json.loads(document.SCHEMA.read_text(encoding="utf-8"))
    return HttpResponse(json.dumps(found, indent=2), content_type="application/schema+json")


@requires(Action.SEND_MESSAGE_BACK)
@never_cache
@GET_POST
def safety(request: StaffRequest, number: str) -> HttpResponse:
    """Write what GP and referrer must know at once; the messages are due today."""
    participant = participant_for(request.user, number, Action.SEND_MESSAGE_BACK)
    form = SafetyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = actions.ask_for_safety(
                participant=participant, text=form.cleaned_data["text"], by=request.user, at=timezone.now()
            )
        except TrialError as error:
            form.add_error("text", str(error))
        else:
            messages.success(request, "Written. Send it now.")
            return redirect("referrals:message", made[0].pk)
    context = {
        "title": "Message for safety",
        "breadcrumbs": [("People", "/people/"), (participant.study_id, f"/people/{participant.study_id}/")],
        "here": "Message for safety",
        "form": form,
        "button": "Save the message",
        "subject": participant.referral,
        "detail": f"{participant.study_id}: to the GP and the referrer",
    }
    return render(request, "journey/step.html", context)
