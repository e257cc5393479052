"""The exceptions log: every request, who asked, who decided (randomisation.md 15); and what to do in a system error."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from randomisation.models import Proposal
from trial.access.models import User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.exceptions import reads
from trial.allocation.kinds import facts_in_words
from trial.base.lists import csv_response, csv_url, page_of, wants_csv
from trial.base.parts import Link
from trial.base.words import date_and_time

HEADS = [
    "Request",
    "Scheme",
    "What",
    "Allocation",
    "Site",
    "Asked by",
    "Asked",
    "State",
    "Decided by",
    "Decided",
    "Facts",
    "Reason",
]


@dataclass(frozen=True, slots=True)
class LogRow:
    """One request of the log. Its reason is empty for blinded readers (6.3)."""

    number: int
    scheme: str
    what: str
    seq: str
    site: str
    asked_by: str
    asked: str
    state: str
    decided_by: str
    decided: str
    facts: str
    reason: str


@requires(Action.VIEW_EXCEPTIONS)
@never_cache
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    """Every request of the person's sites, newest first. No arm, no restricted parameter."""
    user = request.user
    found = reads.proposals_for(user)
    if wants_csv(request):
        return csv_response("exceptions.csv", HEADS, found, lambda one: _cells(_row(one, user)))
    shown, pages = page_of(request, found)
    context = {
        "title": "Exceptions",
        "rows": [_row(one, user) for one in shown],
        "pages": pages,
        "download": Link("Download as CSV", csv_url(request)),
        "links": [Link("Code breaks", "/randomisation/code-breaks/"), Link("System error", "/randomisation/error/")],
        "here": "Exceptions",
    }
    return render(request, "allocation/exceptions/log.html", context)


def _row(one: Proposal, user: User) -> LogRow:
    decisions = list(one.approvals.all())
    return LogRow(
        number=one.pk,
        scheme=one.scheme.code,
        what=reads.label_of(one),
        seq=str(one.allocation.seq) if one.allocation else "",
        site=one.site,
        asked_by=one.asked_by.name,
        asked=date_and_time(one.asked_at),
        state=one.get_state_display(),
        decided_by=", ".join(decision.by.name for decision in decisions),
        decided=date_and_time(one.ended_at) if one.ended_at else "",
        facts="; ".join(f"{term}: {value}" for term, value in facts_in_words(one)),
        reason="" if user.access.blinded else one.reason,
    )


def _cells(row: LogRow) -> list[str]:
    return [str(getattr(row, name)) for name in LogRow.__slots__]


@requires(Action.VIEW_EXCEPTIONS)
@require_safe
def system_error(request: StaffRequest) -> HttpResponse:
    """What to do when the algorithm itself is found to be wrong (9.14): it asks for nothing new."""
    context = {
        "title": "An error in the system itself",
        "breadcrumbs": [EXCEPTIONS],
        "here": "System error",
        "office": Link("Go to the randomisation office", "/randomisation/"),
    }
    return render(request, "allocation/exceptions/system_error.html", context)


EXCEPTIONS = ("Exceptions", "/randomisation/exceptions/")
