"""Bringing in a list of referrals: choose a file, look at every line, confirm (R-42)."""

import csv
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.lists import PAGE_SIZE, defused
from trial.base.parts import Fact, Pages
from trial.journey import importing, tasks
from trial.journey.importing import CheckedLine, CheckedList, State
from trial.journey.models import ReferralImport
from trial.journey.pages import GET_POST

TRAIL = [("People", "/people/")]
IMPORTS = ("Bring in a list", "/people/import/")


class UploadForm(forms.Form):
    """A file of referrals."""

    file = forms.FileField(
        label="CSV or XLSX file",
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
        error_messages={
            "required": "Choose a file",
            "missing": "Choose a file",
            "empty": "The file is empty. Save the list first, then choose it again.",
        },
    )

    def clean_file(self) -> Any:
        """A file that is not too large to look at."""
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            largest = settings.UPLOAD_MAX_BYTES // (1024 * 1024)
            raise forms.ValidationError(f"The file must be {largest} MB or smaller. Keep only the list in it.")
        return file


@requires(Action.IMPORT_REFERRALS)
@GET_POST
def upload(request: StaffRequest) -> HttpResponse:
    """Choose a file. It is checked at once; nothing is saved before somebody confirms."""
    form = UploadForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    now = timezone.now()
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = importing.check(data=file.read(), file_name=file.name, by=request.user, at=now)
        except TrialError as error:
            form.add_error("file", str(error))
        else:
            return redirect("journey:import", made.pk)
    context = {
        "title": "Bring in a list",
        "detail": "Referrals from a spreadsheet. You see every line before anything is saved.",
        "breadcrumbs": TRAIL,
        "here": "Bring in a list",
        "form": form,
        "columns": importing.resource_for(request.user, now).columns(),
        "earlier": importing.imports_of(request.user)[:10],
    }
    return render(request, "journey/import.html", context)


@requires(Action.IMPORT_REFERRALS)
@require_safe
def template(request: StaffRequest) -> HttpResponse:
    """The headings of the list, as an empty CSV file."""
    columns = importing.resource_for(request.user, timezone.now()).columns()
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="referrals.csv"'
    csv.writer(response).writerow(column.name for column in columns)
    return response


@requires(Action.IMPORT_REFERRALS)
@never_cache
@GET_POST
def report(request: StaffRequest, pk: int) -> HttpResponse:
    """What the check found, line by line, and the button that saves; afterwards what became of each line."""
    made = importing.import_for(request.user, pk)
    form = forms.Form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _answer(request, made)
    return _shown(request, made)


def _answer(request: StaffRequest, made: ReferralImport) -> HttpResponse:
    """Confirm, go on, or discard."""
    try:
        if request.POST.get("do") == "discard":
            importing.discard(made=made, by=request.user)
            messages.success(request, "The list was thrown away. Nothing was saved.")
            return redirect("journey:import_new")
        made = importing.confirm(made=made, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
    else:
        if made.state == State.CONFIRMED:
            tasks.go_on_later(made)
        if made.state == State.DONE:
            text = f"{made.n_stored} referral{pluralize(made.n_stored)} saved, {made.n_refused} refused."
            messages.success(request, text)
    return redirect("journey:import", made.pk)


@dataclass(frozen=True)
class LineRow:
    """One line on the page: who it is about, and what to put right."""

    line: int
    name: str
    problems: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...]


def _row(line: CheckedLine) -> LineRow:
    name = f"{line.cells.get('first_name', '')} {line.cells.get('last_name', '')}".strip()
    notes = tuple((column, f"{line.cells.get(column, '')}. {text}") for column, text in line.notes)
    return LineRow(line.line, name, line.problems, notes)


def _shown(request: StaffRequest, made: ReferralImport) -> HttpResponse:
    if made.state in (State.DONE, State.DISCARDED):
        return _finished(request, made)
    checked = importing.checked_list(made) or CheckedList("", ())
    lists = {"refused": checked.refused, "noted": checked.noted, "ready": checked.ready}
    asked = request.GET.get("show", "")
    show = asked if lists.get(asked) else next((name for name, lines in lists.items() if lines), "ready")
    rows, pages = _page_of(request, lists[show], show)
    n_saved = made.lines.count()
    context = {
        "title": "Check the list",
        "detail": checked.file_name,
        "breadcrumbs": [*TRAIL, IMPORTS],
        "here": "Check",
        "made": made,
        "facts": [
            Fact("Lines received", strong=str(made.n_received)),
            Fact("Can be saved", strong=str(len(checked.ready))),
            Fact("To put right", strong=str(len(checked.refused))),
        ],
        "rows": [_row(line) for line in rows],
        "pages": pages,
        "show": show,
        "tabs": [
            (f"{TABS[name]} {len(lines)}", f"?show={name}", show == name)
            for name, lines in lists.items()
            if lines or name != "noted"
        ],
        "n_ready": len(checked.ready),
        "n_refused": len(checked.refused),
        "n_noted": len(checked.noted),
        "n_saved": n_saved,
        "percent": 100 * n_saved // made.n_received,
        "is_confirmed": made.state == State.CONFIRMED,
    }
    return render(request, "journey/import_check.html", context)


TABS = {"refused": "To put right", "noted": "To look at", "ready": "Can be saved"}


def _page_of(request: HttpRequest, lines: list[CheckedLine], show: str) -> tuple[list[CheckedLine], Pages]:
    page = Paginator(lines, PAGE_SIZE).get_page(request.GET.get("page"))
    before = f"?show={show}&page={page.previous_page_number()}" if page.has_previous() else ""
    after = f"?show={show}&page={page.next_page_number()}" if page.has_next() else ""
    total = page.paginator.count
    return list(page.object_list), Pages(page.start_index(), page.end_index(), total, before, after)


def _finished(request: StaffRequest, made: ReferralImport) -> HttpResponse:
    stored = made.lines.filter(referral__isnull=False).select_related("referral")[:PAGE_SIZE]
    context = {
        "title": "List of referrals",
        "breadcrumbs": [*TRAIL, IMPORTS],
        "here": "Result",
        "made": made,
        "facts": [
            Fact("Lines received", strong=str(made.n_received)),
            Fact("Saved", strong=str(made.n_stored)),
            Fact("Refused", strong=str(made.n_refused)),
        ],
        "stored": stored,
        "refused": list(importing.refused_lines(made))[:PAGE_SIZE],
        "shown": PAGE_SIZE,
    }
    return render(request, "journey/import_done.html", context)


@requires(Action.IMPORT_REFERRALS)
@never_cache
@require_safe
def refused(request: StaffRequest, pk: int) -> HttpResponse:
    """Every line to put right as CSV: line, column, what to do. Nothing that the line said."""
    made = importing.import_for(request.user, pk)
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="to-put-right-{made.pk}.csv"'
    writer = csv.writer(response)
    writer.writerow(("line", "column", "what to do"))
    writer.writerows([defused(cell) for cell in row] for row in importing.refused_lines(made))
    return response


@requires(Action.IMPORT_REFERRALS)
@never_cache
@require_safe
def lines(request: StaffRequest, pk: int) -> HttpResponse:
    """What became of every line as CSV: stored under which number, or refused and why (R-42)."""
    made = importing.import_for(request.user, pk)
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="every-line-{made.pk}.csv"'
    writer = csv.writer(response)
    writer.writerow(("line", "outcome", "screening_number", "why"))
    writer.writerows([defused(cell) for cell in row] for row in importing.every_line(made))
    return response
