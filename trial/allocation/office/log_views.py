"""The event log of a scheme, and the check that it is whole (randomisation.md 8.6)."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from randomisation import checking
from randomisation.models import EventLog, Scheme
from trial.access.models import AccessEvent, User
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.office.log_words import LogLine, line_of
from trial.allocation.office.pages import scheme_or_404, trail_of
from trial.allocation.schemes import told
from trial.base.errors import TrialError
from trial.base.lists import csv_response, csv_url, page_of, wants_csv
from trial.base.parts import Link

HEADS = ("Number", "Time (UTC)", "Event", "Allocation", "By", "Approved by", "Details", "Digest")


@requires(Action.VIEW_EXCEPTIONS, Action.VIEW_SCHEME)
@never_cache
@require_safe
def log(request: StaffRequest, scheme: str) -> HttpResponse:
    """Every entry, newest first, without arms; on the page or as CSV."""
    found, user = scheme_or_404(scheme), request.user
    if not may_read(user):
        raise Http404
    entries = found.events.select_related("actor", "first_approver", "second_approver").order_by("-n")
    if wants_csv(request):
        return _csv(found, entries, user)
    rows, pages = page_of(request, entries)
    context = {
        "title": "Event log",
        "detail": f"{found.name}. Each entry is chained to the one before; none holds an arm",
        "scheme": found,
        "lines": [_line(entry, user) for entry in rows],
        "pages": pages,
        "download": Link("Download as CSV", csv_url(request)),
        "may_check": user.access.may(Action.OPERATE_SCHEME) or user.access.may(Action.CONFIGURE_SCHEME),
        "breadcrumbs": trail_of(found),
        "here": "Event log",
    }
    return render(request, "allocation/office/log.html", context)


def may_read(user: User) -> bool:
    """Overseers of exceptions read the log; of others, who is not blinded."""
    return user.access.may(Action.VIEW_EXCEPTIONS) or not user.access.blinded


def _line(entry: EventLog, user: User) -> LogLine:
    return line_of(entry, restricted=user.access.may(Action.VIEW_RESTRICTED), reads_texts=not user.access.blinded)


def _csv(scheme: Scheme, entries: QuerySet[EventLog], user: User) -> HttpResponse:
    AccessEvent(
        user=user,
        role=user.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record=f"Event log of {scheme.code}",
        at=timezone.now(),
    ).save()
    lines = [_line(entry, user) for entry in entries]
    return csv_response(f"event-log-{scheme.code}.csv", HEADS, lines, _cells)


def _cells(line: LogLine) -> list[object]:
    at = line.at.strftime("%Y-%m-%d %H:%M:%S")
    return [line.n, at, line.event, line.seq, line.who, line.approved_by, line.words, line.digest]


@requires(Action.OPERATE_SCHEME, Action.CONFIGURE_SCHEME)
@require_POST
def check(request: StaffRequest, scheme: str) -> HttpResponse:
    """Check the chain, and rebuild lists and allocations; only counts are told."""
    found = scheme_or_404(scheme)
    broken = checking.verify_event_log(found)
    if broken is not None:
        messages.error(
            request, f"The log is not whole from entry {broken} on. Pause the scheme and tell the statistician."
        )
        return redirect("allocation:log", found.code)
    try:
        with told():
            n_differences = checking.verify_list(found)
    except TrialError as error:
        messages.error(request, str(error))
        return redirect("allocation:log", found.code)
    if n_differences:
        words = f"{n_differences} rows or allocations differ from what secret and log give. Pause the scheme."
        messages.error(request, words)
    else:
        messages.success(request, "The log is whole. Lists and allocations are what secret and log give")
    return redirect("allocation:log", found.code)
