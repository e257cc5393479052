"""The log of breaches, with the clock of each (R-37)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from trial.access.pages import GET_POST, form_page, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.lists import page_of
from trial.base.parts import Link
from trial.rights import breaches, rules
from trial.rights import forms as rights_forms
from trial.rights.breaches import CATEGORIES
from trial.rights.models import Breach

BREACHES = ("Breaches", "/breaches/")


def _breach(pk: int) -> Breach:
    found = Breach.objects.select_related("recorded_by", "risk_by", "closed_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def status_of(breach: Breach) -> tuple[str, str]:
    """Status code and words: the clock runs until it is said whether the ICO was told."""
    if breach.closed_at:
        return "done", "Closed"
    if breach.ico_told_at or breach.ico_reason:
        return "in_progress", "ICO decided"
    clock = rules.breach_clock(breach.discovered_at, timezone.now())
    return ("overdue" if clock.is_over else "due_today"), f"72 hours: {clock.words}"


@requires(Action.MANAGE_BREACH)
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    """Every breach, the latest first, with its clock."""
    rows, pages = page_of(request, Breach.objects.all())
    context = {
        "title": "Breaches",
        "rows": [(row, status_of(row)) for row in rows],
        "pages": pages,
        "button": Link("Log a breach", reverse("rights:new_breach")),
    }
    return render(request, "rights/breaches.html", context)


@requires(Action.MANAGE_BREACH)
@GET_POST
def new(request: StaffRequest) -> HttpResponse:
    """Log a breach."""
    form = rights_forms.BreachForm(posted(request))
    if form.is_valid():
        try:
            made = breaches.log(by=request.user, at=timezone.now(), **form.cleaned_data)
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{made} logged.")
            return redirect("rights:breach", made.pk)
    return form_page(
        request,
        form,
        trail=[BREACHES],
        title="Log a breach",
        here="New",
        button="Log it",
        detail="Log it at once, even if little is known yet. The 72 hours run from when the team became aware.",
    )


@requires(Action.MANAGE_BREACH)
@require_safe
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    """One breach: facts, clock, decisions, timeline."""
    row = _breach(pk)
    clock = rules.breach_clock(row.discovered_at, timezone.now())
    offered = (
        ("Judge the risk", "risk"),
        ("ICO told, or not", "ico"),
        ("People told, or not", "people"),
        ("Close", "close"),
    )
    steps = (
        []
        if row.closed_at
        else [Link(label, reverse(f"rights:breach_{step}", args=[row.pk])) for label, step in offered]
    )
    context = {
        "title": f"{row}: {row.get_kind_display().lower()}",
        "breadcrumbs": [BREACHES],
        "here": row.number,
        "row": row,
        "status": status_of(row),
        "clock": clock,
        "categories": [CATEGORIES.get(code, code) for code in row.categories],
        "links": [*steps, Link("Add a note", reverse("rights:breach_note", args=[row.pk]))],
        "notes": row.notes.select_related("by"),
    }
    return render(request, "rights/breach.html", context)


def _step(
    request: StaffRequest,
    pk: int,
    form: forms.Form,
    act: Callable[..., Any],
    *,
    title: str,
    done: str,
    button: str = "Save",
) -> HttpResponse:
    """One decision about a breach: a form, an action, back to the breach."""
    row = _breach(pk)
    if form.is_valid():
        try:
            act(breach=row, by=request.user, at=timezone.now(), **_filled(form))
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, done)
            return redirect("rights:breach", row.pk)
    trail = [BREACHES, (row.number, reverse("rights:breach", args=[row.pk]))]
    return form_page(request, form, trail=trail, title=f"{row}: {title}", here=title, button=button)


def _filled(form: forms.Form) -> dict[str, Any]:
    """Cleaned data, with nothing typed as the empty text."""
    texts = {name for name, one in form.fields.items() if isinstance(one, forms.CharField)}
    return {name: value or "" if name in texts else value for name, value in form.cleaned_data.items()}


@requires(Action.MANAGE_BREACH)
@GET_POST
def risk(request: StaffRequest, pk: int) -> HttpResponse:
    """Judge the risk."""
    form = rights_forms.RiskForm(posted(request), initial={"n_people": _breach(pk).n_people})
    return _step(request, pk, form, breaches.judge, title="judge the risk", done="Risk judged.")


@requires(Action.MANAGE_BREACH)
@GET_POST
def ico(request: StaffRequest, pk: int) -> HttpResponse:
    """Say when the Information Commissioner's Office was told, or why not."""
    form = rights_forms.IcoForm(posted(request))
    return _step(request, pk, form, breaches.tell_ico, title="the ICO", done="Saved.")


@requires(Action.MANAGE_BREACH)
@GET_POST
def people(request: StaffRequest, pk: int) -> HttpResponse:
    """Say when the people concerned were told, or why not."""
    form = rights_forms.PeopleToldForm(posted(request))
    return _step(request, pk, form, breaches.tell_people, title="the people concerned", done="Saved.")


@requires(Action.MANAGE_BREACH)
@GET_POST
def close(request: StaffRequest, pk: int) -> HttpResponse:
    """Close a breach once all is decided."""
    form = forms.Form(posted(request))
    return _step(request, pk, form, breaches.close, title="close it?", done="Closed.", button="Close it")


@requires(Action.MANAGE_BREACH)
@GET_POST
def note(request: StaffRequest, pk: int) -> HttpResponse:
    """Add a line to the timeline."""
    form = rights_forms.NoteForm(posted(request))
    return _step(request, pk, form, breaches.note, title="add a note", done="Added.", button="Add")
