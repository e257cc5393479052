"""Vouchers and travel: one person's, and what they add up to."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from trial.access.models import AccessEvent
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base import lists
from trial.base.errors import TrialError
from trial.base.parts import Link
from trial.claims import actions, reads
from trial.claims.forms import ClaimForm
from trial.claims.models import Claim
from trial.participants.reads import participant_for
from trial.protocol import rules as protocol_rules

STATUS = {"offered": "due_today", "approved": "in_progress", "paid": "done", "declined": "cancelled"}
"""Codes of the group "task" for a claim's states."""
HEADS = ("Month", "Site", "Kind", "State", "Number", "Pounds")


@requires(Action.RECORD_CLAIM, Action.PAY_CLAIM)
@require_http_methods(["GET", "POST"])
def of_person(request: StaffRequest, number: str) -> HttpResponse:
    """One person's vouchers and travel claims; whoever may record one adds it here."""
    user = request.user
    action = Action.RECORD_CLAIM if user.access.may(Action.RECORD_CLAIM) else Action.PAY_CLAIM
    participant = participant_for(user, number, action)
    may_add = user.access.may(Action.RECORD_CLAIM, participant.site)
    spec = participant.referral.protocol_version.spec
    visits = [(one, protocol_rules.visit(spec, one.code).name) for one in participant.visits.all()]
    form = ClaimForm(visits, user.access.blinded, request.POST if request.method == "POST" and may_add else None)
    if form.is_valid():
        try:
            made = actions.offer(participant=participant, by=user, at=timezone.now(), **form.claim())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{made.get_kind_display()} over {reads.pounds(made.amount_pence)} recorded.")
            return redirect("claims:of_person", participant.study_id)
    found = Claim.objects.visible_to(user).filter(participant=participant)
    return render(
        request,
        "claims/person.html",
        {
            "title": "Vouchers and travel",
            "breadcrumbs": [("People", "/people/"), (participant.study_id, f"/people/{participant.study_id}/")],
            "here": "Vouchers and travel",
            "rows": [
                _row(request, one) for one in found.select_related("visit", "recorded_by", "participant__referral")
            ],
            "form": form if may_add else None,
        },
    )


def _row(request: StaffRequest, claim: Claim) -> dict[str, object]:
    """One claim with the buttons that this person may press."""
    user, is_own = request.user, claim.recorded_by_id == request.user.pk
    may_pay = user.access.may(Action.PAY_CLAIM, claim.participant.site) and not is_own
    steps = {"offered": [("approve", "Approve")], "approved": [("pay", "Paid")]}.get(claim.state, []) if may_pay else []
    if claim.state in ("offered", "approved") and (is_own or may_pay):
        steps = [*steps, ("decline", "Do not pay")]
    return {
        "claim": claim,
        "what_for": reads.what_for(claim),
        "amount": reads.pounds(claim.amount_pence),
        "status": STATUS[claim.state],
        "steps": steps,
    }


MOVES = {"approve": actions.approve, "pay": actions.pay, "decline": actions.decline}


@requires(Action.RECORD_CLAIM, Action.PAY_CLAIM)
@require_POST
def move(request: StaffRequest, pk: int, step: str) -> HttpResponse:
    """Approve a claim, pay it, or say that it is not paid."""
    claim = reads.claim_for(request.user, pk)
    try:
        moved = MOVES[step](claim=claim, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{moved.get_kind_display()}: {moved.get_state_display().lower()}.")
    return redirect("claims:of_person", claim.participant.study_id)


@requires(Action.PAY_CLAIM)
@require_safe
def totals(request: StaffRequest) -> HttpResponse:
    """What was offered, approved and paid by month and site; as CSV for the finance office, without any person."""
    user = request.user
    rows = reads.totals(user)
    if lists.wants_csv(request):
        event = AccessEvent(user=user, role=user.role_code, kind=AccessEvent.Kind.EXPORTED, at=timezone.now())
        event.record, event.detail = "Vouchers and travel", f"{len(rows)} totals"
        event.save()
        return lists.csv_response("vouchers-and-travel.csv", HEADS, rows, _cells)
    waiting = Claim.objects.visible_to(user, Action.PAY_CLAIM).filter(state__in=["offered", "approved"])
    found, pages = lists.page_of(request, waiting.select_related("participant__referral", "visit", "recorded_by"))
    return render(
        request,
        "claims/totals.html",
        {
            "title": "Vouchers and travel",
            "waiting": [_row(request, one) for one in found],
            "pages": pages,
            "totals": [(row, reads.pounds(row.pence)) for row in rows],
            "download": Link("Totals for the finance office (CSV)", lists.csv_url(request)),
        },
    )


def _cells(row: reads.Total) -> list[str]:
    return [row.month, row.site, row.kind, row.state, str(row.n), f"{row.pence // 100}.{row.pence % 100:02d}"]
