"""Requests that need a second person: the list, one of them, and the decision (randomisation.md 9 and 10)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from randomisation.models import Proposal
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import Proof, reauthenticate
from trial.allocation.kinds import may_decide
from trial.allocation.office import deciding, request_reads
from trial.allocation.office.pages import GET_POST, OFFICE, Step, posted, take
from trial.allocation.office.step_forms import ApproveForm, ConfirmForm, RefuseForm
from trial.base.lists import page_of
from trial.base.parts import Link

REQUESTS = ("Requests", "/randomisation/requests/")
READERS = (Action.VIEW_SCHEME, Action.CODE_BREAK)
DECIDERS = (Action.APPROVE_LOCK, Action.APPROVE_EXCEPTION, Action.CODE_BREAK)
ASKERS = (Action.VIEW_SCHEME, Action.CODE_BREAK)


@requires(*READERS)
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    """Every request that the person may see: waiting ones first, then the newest."""
    state = request.GET.get("state", "")
    found = request_reads.requests_for(request.user)
    if state in Proposal.State.values:
        found = found.filter(state=state)
    rows, pages = page_of(request, found)
    waiting = {one.pk for one in request_reads.waiting_for(request.user)}
    context = {
        "title": "Requests",
        "detail": "Steps that need a second person",
        "tabs": [("All", "?", not state), *[(s.label, f"?state={s.value}", s.value == state) for s in Proposal.State]],
        "rows": [(one, request_reads.label_of(one), one.pk in waiting) for one in rows],
        "pages": pages,
        "breadcrumbs": [OFFICE],
        "here": "Requests",
    }
    return render(request, "allocation/office/requests.html", context)


@requires(*READERS)
@never_cache
@require_safe
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    """One request: what is asked, why, by whom, and who decided."""
    proposal = request_reads.request_for(request.user, pk)
    is_waiting = proposal.state == Proposal.State.ASKED
    decided = proposal.approvals.filter(by=request.user).exists()
    context = {
        "title": request_reads.label_of(proposal),
        "detail": f"Asked for in {proposal.scheme}",
        "proposal": proposal,
        "facts": request_reads.facts_of(proposal),
        "rows": request_reads.rows_of(proposal, request.user),
        "decisions": request_reads.decisions_of(proposal, request.user),
        "may_decide": is_waiting and not decided and may_decide(request.user, proposal),
        "may_withdraw": is_waiting and proposal.asked_by_id == request.user.pk,
        "is_waiting": is_waiting,
        "hides_texts": request.user.access.blinded and proposal.asked_by_id != request.user.pk,
        "breadcrumbs": [OFFICE, REQUESTS],
        "here": f"Request {proposal.pk}",
    }
    return render(request, "allocation/office/request.html", context)


@requires(*DECIDERS)
@never_cache
@sensitive_post_parameters("secret")
@GET_POST
def approve(request: StaffRequest, pk: int) -> HttpResponse:
    """Approve it and sign."""
    proposal = _to_decide(request, pk)

    def act(values: dict[str, Any], now: datetime) -> str:
        proof = _proof(request, values, now)
        deed = deciding.approve(proposal=proposal, note=values["note"] or "", proof=proof, by=request.user, at=now)
        return "Approved and done" if deed else "Approved. Another person must approve it too"

    detail = "With the last approval it is done at once, and the log names you."
    return _decide(request, proposal, ApproveForm(posted(request)), "Approve", detail, "Sign and approve", act)


@requires(*DECIDERS)
@never_cache
@sensitive_post_parameters("secret")
@GET_POST
def refuse(request: StaffRequest, pk: int) -> HttpResponse:
    """Refuse it with a reason and sign."""
    proposal = _to_decide(request, pk)

    def act(values: dict[str, Any], now: datetime) -> str:
        proof = _proof(request, values, now)
        deciding.refuse(proposal=proposal, note=values["note"], proof=proof, by=request.user, at=now)
        return "Refused"

    detail = "Nothing is done. Whoever asked sees that you refused, and why."
    return _decide(request, proposal, RefuseForm(posted(request)), "Refuse", detail, "Sign and refuse", act)


@requires(*ASKERS)
@GET_POST
def withdraw(request: StaffRequest, pk: int) -> HttpResponse:
    """Take one's own request back."""
    proposal = request_reads.request_for(request.user, pk)
    if proposal.asked_by_id != request.user.pk or proposal.state != Proposal.State.ASKED:
        raise Http404

    def act(values: dict[str, Any], now: datetime) -> str:
        deciding.withdraw(proposal=proposal, by=request.user, at=now)
        return "Your request is withdrawn"

    detail = "Nothing is done. The request stays on record as withdrawn."
    return _decide(request, proposal, ConfirmForm(posted(request)), "Withdraw", detail, "Withdraw the request", act)


def _to_decide(request: StaffRequest, pk: int) -> Proposal:
    """A request that waits for this person's decision."""
    proposal = request_reads.request_for(request.user, pk)
    if proposal.state != Proposal.State.ASKED or not may_decide(request.user, proposal):
        raise Http404
    return proposal


def _proof(request: StaffRequest, values: dict[str, Any], now: datetime) -> Proof:
    return reauthenticate(user=request.user, secret=values["secret"], at=now)


def _decide(
    request: StaffRequest,
    proposal: Proposal,
    form: forms.Form,
    verb: str,
    detail: str,
    button: str,
    act: Callable[[dict[str, Any], datetime], str],
) -> HttpResponse:
    label = request_reads.label_of(proposal)
    url = reverse("allocation:request", args=[proposal.pk])
    step = Step(
        title=f"{verb}: {label[:1].lower()}{label[1:]}?",
        detail=detail,
        button=button,
        act=act,
        back=Link("Back to the request", url),
        trail=[OFFICE, REQUESTS, (f"Request {proposal.pk}", url)],
        here=verb,
        facts=request_reads.rows_of(proposal, request.user),
    )
    return take(request, form, step)
