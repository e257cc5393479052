"""Requests about data: the worklist, one request, and the copy that a person is given."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.lists import page_of
from trial.base.parts import Link
from trial.base.pdf import pdf_response
from trial.base.words import local_day
from trial.journey.pages import GET_POST, page, posted
from trial.participants import identity
from trial.participants.reads import referral_for
from trial.rights import access_copy, requests
from trial.rights.forms import DecideForm, ExtendForm, RequestForm
from trial.rights.models import STOPPING, SubjectRequest

STATES = {"open": "To decide", "overdue": "Overdue", "decided": "Decided"}


def status_of(row: SubjectRequest) -> tuple[str, str]:
    """Status code and words of one request."""
    today = local_day(timezone.now())
    if row.decision:
        return "done", row.get_decision_display()
    if row.due_date < today:
        return "overdue", "Overdue"
    return ("due_today", "Due today") if row.due_date == today else ("next_7_days", "To decide")


@requires(Action.HANDLE_REQUEST)
@require_safe
def worklist(request: StaffRequest) -> HttpResponse:
    """Every request of the user's sites, the nearest day first."""
    state = request.GET.get("state", "open")
    found = SubjectRequest.objects.visible_to(request.user)
    today = local_day(timezone.now())
    chosen = {
        "open": found.undecided(),
        "overdue": found.overdue(today),
        "decided": found.exclude(decision="").order_by("-decided_at", "-pk"),
    }
    state = state if state in chosen else "open"
    rows, pages = page_of(request, chosen[state].select_related("referral__site", "referral__participant"))
    counts = {key: chosen[key].count() for key in chosen}
    context = {
        "title": "Requests about data",
        "rows": [(row, status_of(row)) for row in rows],
        "pages": pages,
        "tabs": [(f"{label} {counts[key]}", f"?state={key}", key == state) for key, label in STATES.items()],
    }
    return render(request, "rights/worklist.html", context)


@requires(Action.HANDLE_REQUEST)
@GET_POST
def new(request: StaffRequest, number: str) -> HttpResponse:
    """Record what a person asks."""
    referral = referral_for(request.user, number, Action.HANDLE_REQUEST)
    form = RequestForm(posted(request))
    if form.is_valid():
        try:
            made = requests.record(referral=referral, by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{made.number} recorded.")
            return redirect("rights:request", made.pk)
    return page(
        request,
        form,
        title="Record a request about data",
        subject=referral,
        here="Request",
        button="Record",
        detail="An answer is due within one month. A restriction or an objection stops all processing at once.",
    )


@requires(Action.HANDLE_REQUEST)
@never_cache
@require_safe
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    """One request: what was asked, when it is due, what was decided."""
    row = requests.request_for(request.user, pk)
    user, person, site = request.user, row.referral.person, row.referral.site
    may_read = user.access.may(Action.COPY_PERSON, site)
    may_decide = user.access.may(Action.DECIDE_REQUEST, site)
    links = []
    if not row.decision and may_decide:
        links.append(Link("Decide", reverse("rights:decide", args=[row.pk])))
    if not row.decision and row.extended_at is None:
        links.append(Link("Extend by two months", reverse("rights:extend", args=[row.pk])))
    if row.kind == SubjectRequest.Kind.ACCESS and may_read:
        links.append(Link("Make the copy", reverse("rights:copy", args=[row.referral.number])))
    is_stopping = row.kind in STOPPING and row.lifted_at is None and row.decision != SubjectRequest.Decision.REFUSED
    context = {
        "title": f"{row.number}: {row.get_kind_display()}",
        "breadcrumbs": [("Requests about data", reverse("rights:requests"))],
        "here": row.number,
        "links": links,
        "row": row,
        "status": status_of(row),
        "asked": identity.open_text(person, row.asked_sealed) if may_read else "",
        "extension": identity.open_text(person, row.extension_sealed) if may_read else "",
        "reason": identity.open_text(person, row.decision_sealed) if may_read else "",
        "may_read": may_read,
        "is_stopping": is_stopping,
        "may_lift": is_stopping and bool(row.decision) and may_decide,
    }
    return render(request, "rights/request.html", context)


@requires(Action.HANDLE_REQUEST)
@GET_POST
def extend(request: StaffRequest, pk: int) -> HttpResponse:
    """Give the answer two further months."""
    row = requests.request_for(request.user, pk)
    form = ExtendForm(posted(request))
    if form.is_valid():
        try:
            requests.extend(request=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Extended. Tell the person within the first month, and why.")
            return redirect("rights:request", row.pk)
    title = f"Extend {row.number} by two months"
    return page(request, form, title=title, subject=row.referral, here="Extend", button="Extend")


@requires(Action.DECIDE_REQUEST)
@GET_POST
def decide(request: StaffRequest, pk: int) -> HttpResponse:
    """Decide a request with its reason (BR-61)."""
    row = requests.request_for(request.user, pk)
    form = DecideForm(posted(request))
    if form.is_valid():
        try:
            requests.decide(request=row, by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Decided.")
            return redirect("rights:request", row.pk)
    return page(
        request,
        form,
        title=f"Decide {row.number}: {row.get_kind_display().lower()}",
        subject=row.referral,
        here="Decide",
        button="Save the decision",
        detail="Research data already used may be kept where the law allows it. Say why.",
    )


@requires(Action.DECIDE_REQUEST)
@require_http_methods(["POST"])
def lift(request: StaffRequest, pk: int) -> HttpResponse:
    """Let processing go on."""
    row = requests.request_for(request.user, pk)
    try:
        requests.lift(request=row, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Lifted. Processing goes on.")
    return redirect("rights:request", row.pk)


@requires(Action.COPY_PERSON)
@never_cache
@require_http_methods(["GET", "POST"])
def copy(request: StaffRequest, number: str) -> HttpResponse:
    """Everything held about one person as PDF or JSON, in one click (R-35)."""
    referral = referral_for(request.user, number, Action.COPY_PERSON)
    if request.method == "POST":
        try:
            made = access_copy.copy_of(referral=referral, by=request.user, at=timezone.now())
        except TrialError as error:
            messages.error(request, str(error))
            return redirect("journey:record", referral.number)
        if request.POST.get("format") == "json":
            response = HttpResponse(access_copy.as_json(made), content_type="application/json; charset=utf-8")
            response["Content-Disposition"] = f'attachment; filename="data-of-{referral.number}.json"'
            response["X-Content-Type-Options"] = "nosniff"
            return response
        return pdf_response(access_copy.as_pdf(made), f"data-of-{referral.number}.pdf")
    context = {
        "title": f"Copy of the data of {referral.number}",
        "breadcrumbs": [("People", "/people/"), (referral.number, f"/people/{referral.number}/")],
        "here": "Copy of their data",
        "referral": referral,
    }
    return render(request, "rights/copy.html", context)
