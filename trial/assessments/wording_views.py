"""The page on which the study uploads wording that it received under its own licence: check the file, then store it."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.assessments import wording_actions
from trial.assessments.licence_views import LicenceRow, licence_row
from trial.assessments.reason_forms import WordingFileForm
from trial.assessments.wording import Wording, known_wording
from trial.assessments.wording_reading import Content, WordingRefused, read_wording
from trial.base.errors import TrialError


@requires(Action.RECORD_LICENCE)
@never_cache
@require_http_methods(["GET", "POST"])
def wording(request: StaffRequest, code: str) -> HttpResponse:
    """Choose a file and look at what it says; nothing is stored before somebody confirms."""
    row = licence_row(code)
    if request.method != "POST" or not row.is_withheld:
        return _page(request, row, WordingFileForm())
    checked = request.POST.get("content")
    if checked is not None:
        return _store(request, row, checked)
    form = WordingFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, row, form)
    try:
        content = read_wording(form.cleaned_data["file"].read(), row.instrument)
    except WordingRefused as refused:
        for problem in refused.problems[:50]:
            form.add_error("file", problem)
        return _page(request, row, form)
    return _page(request, row, form, content)


def _store(request: StaffRequest, row: LicenceRow, checked: str) -> HttpResponse:
    form = WordingFileForm(request.POST, request.FILES)
    form.errors.clear()
    try:
        content = read_wording(checked.encode("utf-8", "replace"), row.instrument)
        wording_actions.store_wording(instrument=row.instrument, content=content, by=request.user)
    except TrialError as error:
        form.add_error(None, str(error))
        return _page(request, row, form)
    messages.success(request, f"Wording of {row.instrument.short_title} stored")
    return redirect("assessments:licences")


def _page(
    request: StaffRequest, row: LicenceRow, form: WordingFileForm, content: Content | None = None
) -> HttpResponse:
    shown = Wording(row.instrument, False, "", content) if content else known_wording(row.instrument)
    context = {
        "form": form,
        "row": row,
        "checked": json.dumps(content) if content else "",
        "wording": shown,
        "items": _items(shown) if content or row.has_wording else [],
        "breadcrumbs": [("Licences", "/licences/")],
        "here": row.instrument.short_title,
    }
    return render(request, "assessments/wording.html", context)


def _items(shown: Wording) -> list[dict[str, Any]]:
    """Each question with its answers, in display order."""
    return [
        {
            "number": item.number,
            "code": item.code,
            "text": shown.text(item),
            "labels": [f"{value}: {label}" for value, label in shown.anchors(item).items()],
        }
        for item in shown.instrument.items
    ]
