"""The coordinator's page of one visit's links: send, send again, stop, say that a message came back."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Sum
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from trial.access.models import User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.parts import Fact
from trial.base.words import local_day, short_date, short_date_and_time
from trial.messages.models import OutboxMessage
from trial.participants.reads import participant_for
from trial.protocol import rules as protocol_rules
from trial.schedule.models import Visit
from trial.selfcompletion import reads, sending
from trial.selfcompletion.models import SelfCompletion
from trial.selfcompletion.pack import pack_of


@dataclass(frozen=True)
class Sent:
    """One message of the table: what it was, when it was written and what became of it."""

    name: str
    written: str
    state: str
    detail: str


@requires(Action.SEND_LINK)
@never_cache
@require_http_methods(["GET", "POST"])
def link(request: StaffRequest, number: str, visit: str) -> HttpResponse:
    """What was sent for one visit and how far the answers are; buttons for what can be done now."""
    row = _visit_for(request.user, number, visit)
    if request.method == "POST":
        _do(request, row, timezone.now())
        return redirect("questionnaire_link", number, visit)
    now = timezone.now()
    mine: SelfCompletion | None = getattr(row, "self_completion", None)
    links = list(mine.links.all()) if mine else []
    label = protocol_rules.visit(row.protocol_version.spec, row.code).label
    return render(
        request,
        "selfcompletion/link.html",
        {
            "title": f"Questionnaire link, {label}",
            "breadcrumbs": [("People", "/people/"), (number, f"/people/{number}/")],
            "here": f"Link, {label}",
            "facts": _facts(row, mine, now),
            "why_not": sending.why_not(row, row.participant, now),
            "sent": _sent(row),
            "has_live": any(one.revoked_at is None for one in links) and not (mine and mine.submitted_at),
            "may_bounce": mine is not None and mine.bounced_at is None and mine.submitted_at is None,
            "tries": reads.tries_of(mine, now) if mine else None,
        },
    )


def _visit_for(user: User, number: str, code: str) -> Visit:
    """A visit of a person at one of the user's sites.

    Raises:
        Http404: absent, or not this user's.
    """
    participant = participant_for(user, number, Action.SEND_LINK)
    row = participant.visits.select_related("protocol_version", "self_completion").filter(code=code).first()
    if row is None:
        raise Http404
    row.participant = participant
    return row


def _do(request: StaffRequest, visit: Visit, at: datetime) -> None:
    """One of the page's buttons."""
    by, wanted = request.user, request.POST.get("do")
    try:
        if wanted == "send":
            sending.send(visit=visit, by=by, at=at)
            messages.success(request, "The link will be sent within a minute.")
        elif wanted == "stop":
            n_links = sending.revoke(visit=visit, by=by, at=at)
            messages.success(
                request, f"{n_links} link{'' if n_links == 1 else 's'} stopped. Messages that waited, too."
            )
        elif wanted == "bounced" and hasattr(visit, "self_completion"):
            sending.record_bounce(visit=visit, by=by, at=at)
            messages.success(request, "Recorded. No further message is sent until you send a link again.")
    except TrialError as refused:
        messages.error(request, str(refused))


def _facts(visit: Visit, mine: SelfCompletion | None, at: datetime) -> list[Fact]:
    pack = pack_of(visit, local_day(at))
    n_passed = sum(question.is_passed for question in pack.questions)
    closes = short_date(visit.closes_date) if visit.closes_date else "not known yet"
    if mine and mine.submitted_at:
        spent = visit.administrations.aggregate(total=Sum("seconds_active"))["total"] or 0
        took = f", {max(1, round(spent / 60))} min on the questions" if spent else ""
        answers = Fact("Answers", "Sent", detail=f"{short_date_and_time(mine.submitted_at)}{took}")
    else:
        begun = f"{n_passed} of {len(pack.questions)} questions passed"
        answers = Fact("Answers", begun if mine and mine.opened_at else "Not opened yet")
    return [
        Fact("Window", f"{short_date(visit.opens_date)} to {closes}"),
        Fact("Online now", ", ".join(part.use.label for part in pack.parts) or "Nothing left"),
        answers,
    ]


def _sent(visit: Visit) -> list[Sent]:
    """Messages of the visit, newest first; none shows an address or a link."""
    found = OutboxMessage.objects.filter(key__startswith=f"questionnaires:{visit.pk}:").select_related("link")
    return [
        Sent(
            one.heading,
            short_date_and_time(one.written_at),
            one.get_state_display(),
            short_date_and_time(one.sent_at) if one.sent_at else _waiting(one),
        )
        for one in found
    ]


def _waiting(message: OutboxMessage) -> str:
    if message.state == OutboxMessage.State.QUEUED:
        return f"From {short_date_and_time(message.send_after)}"
    return message.last_error
