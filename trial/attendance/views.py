"""The register on a leader's phone: every button is a form, and every page works without JavaScript."""

from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.activities import reads as activity_reads
from trial.activities.models import Session
from trial.attendance import actions, reads, whole
from trial.attendance.actions import Answer, MarkResult
from trial.attendance.forms import (
    BUTTONS,
    KeyForm,
    MoreForm,
    RiskCheckForm,
    TapForm,
    key_of,
)
from trial.attendance.models import Mark
from trial.base.errors import TrialError
from trial.base.words import clock_time, local_day
from trial.participants.identity import first_names
from trial.participants.models import Participant


def posted(request: StaffRequest) -> QueryDict | None:
    """What was sent, or None where the page is only looked at."""
    return request.POST if request.method == "POST" else None


def _say(request: StaffRequest, result: MarkResult) -> None:
    """Only what the person must know: a mark that was saved shows on its card."""
    if result.answer is Answer.REJECTED:
        messages.error(request, result.text)
    elif result.answer is Answer.CONFLICT:
        messages.warning(request, result.text)


def card_url(session: Session, participant_id: int) -> str:
    """The register, at the card of one person."""
    return f"/register/{session.pk}/#person-{participant_id}"


def marked_person(session: Session, pk: int) -> Participant:
    """Somebody on this register: a member expected at the session, or a visitor.

    Raises:
        Http404: anybody else (BR-40).
    """
    for member in activity_reads.expected_members(session):
        if member.participant_id == pk:
            return member.participant
    visitor = Mark.objects.filter(session=session, participant=pk).select_related("participant").first()
    if visitor is None:
        raise Http404
    return visitor.participant


@requires(Action.TAKE_REGISTER)
@require_safe
def home(request: StaffRequest) -> HttpResponse:
    """Today's sessions, the next one, and registers still to finish."""
    now = timezone.now()
    return render(request, "attendance/home.html", {"day": reads.leader_day(request.user, now), "now": now})


@requires(Action.TAKE_REGISTER)
@require_safe
def register(request: StaffRequest, session: int) -> HttpResponse:
    """One register: risk check, then a card for each person."""
    found = reads.register_for(request.user, session)
    now = timezone.now()
    shown = reads.register(found, request.user)
    return render(
        request,
        "attendance/register.html",
        {
            "session": found,
            "register": shown,
            "line": _status_line(shown),
            "is_today": local_day(found.starts_at) == local_day(now),
            "has_started": found.starts_at <= now,
            "is_over": found.ends_at <= now,
            "needs_reason": actions.is_closed(found, now),
            "too_small": found.number == 1 and shown.n_expected < found.group.min_size,
            "key": str(uuid4()),
            "form": RiskCheckForm(session=found, at=now),
        },
    )


def _status_line(shown: reads.Register) -> dict[str, str]:
    """The line under the bar: state, strong words, more words and the count."""
    count = f"{shown.n_marked} of {shown.n_expected} marked"
    if shown.last_received_at is None:
        return {"state": "sent", "strong": "Nothing to send yet", "text": "", "count": count}
    sent = clock_time(shown.last_received_at)
    if shown.n_conflicts:
        strong = f"{shown.n_conflicts} mark{'s need' if shown.n_conflicts > 1 else ' needs'} checking."
        return {"state": "check", "strong": strong, "text": f"Everything else sent at {sent}.", "count": count}
    return {"state": "sent", "strong": f"All sent at {sent}", "text": "", "count": count}


@requires(Action.TAKE_REGISTER)
@require_POST
def mark(request: StaffRequest, session: int) -> HttpResponse:
    """One press of Here or Absent."""
    found = reads.register_for(request.user, session)
    form = TapForm(request.POST)
    if not form.is_valid():
        messages.error(request, "That mark could not be read. Mark the person again.")
        return redirect("attendance:register", found.pk)
    participant = marked_person(found, form.cleaned_data["person"])
    now = timezone.now()
    result = actions.mark(
        key=key_of(form),
        session=found,
        participant=participant,
        status=BUTTONS[form.cleaned_data["mark"]],
        replaces=form.cleaned_data["replaces"],
        by=request.user,
        captured_at=now,
        at=now,
    )
    _say(request, result)
    return redirect(card_url(found, participant.pk))


@requires(Action.TAKE_REGISTER)
@require_POST
def everyone(request: StaffRequest, session: int) -> HttpResponse:
    """Everyone here: whoever has no mark yet."""
    found = reads.register_for(request.user, session)
    form = KeyForm(request.POST)
    if not form.is_valid():
        raise Http404
    results = whole.mark_everyone(key=key_of(form), session=found, by=request.user, at=timezone.now())
    for text in dict.fromkeys(result.text for result in results if result.answer is Answer.REJECTED):
        messages.error(request, text)
    return redirect("attendance:register", found.pk)


@requires(Action.TAKE_REGISTER)
@require_http_methods(["GET", "POST"])
def more(request: StaffRequest, session: int, number: str) -> HttpResponse:
    """Late, left early, told us, why."""
    found = reads.register_for(request.user, session)
    participant = member_by_number(found, number)
    now = timezone.now()
    chain = actions.chain_of(found, participant)
    form = MoreForm(
        posted(request),
        session=found,
        spec=reads.spec_of(found),
        needs_reason=actions.is_closed(found, now),
        initial=_initial(chain),
    )
    if form.is_valid():
        result = actions.mark(
            session=found, participant=participant, by=request.user, captured_at=now, at=now, **form.cleaned_data
        )
        if result.answer is not Answer.REJECTED:
            _say(request, result)
            return redirect(card_url(found, participant.pk))
        form.add_error(None, result.text)
    name = first_names([participant.referral.person]).get(participant.referral.person_id, "")
    context = {"form": form, "session": found, "participant": participant, "name": name}
    return render(request, "attendance/more.html", context)


def member_by_number(session: Session, number: str) -> Participant:
    """A member expected at a session, by study number.

    Raises:
        Http404: anybody else (BR-40).
    """
    for member in activity_reads.expected_members(session):
        if member.participant.study_id == number:
            return member.participant
    raise Http404


def _initial(chain: list[Mark]) -> dict[str, object]:
    """What the person's mark says now, with a fresh key."""
    if not chain:
        return {"key": uuid4()}
    last = chain[-1]
    shown = ("status", "minutes", "companion", "absence_reason")
    return {"key": uuid4(), "replaces": last.key, **{name: getattr(last, name) for name in shown}}


@requires(Action.TAKE_REGISTER)
@require_POST
def finish(request: StaffRequest, session: int) -> HttpResponse:
    """Finish the register (BR-42)."""
    found = reads.register_for(request.user, session)
    try:
        done = actions.complete_session(session=found, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
    else:
        late = " It is later than the protocol asks, and marked so." if done.is_late_entry else ""
        messages.success(request, f"Register finished.{late}")
    return redirect("attendance:register", found.pk)
