"""The list of people."""

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from trial.access.models import AccessEvent, Site
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base import keys, lists
from trial.base.middleware import has_control_characters
from trial.base.parts import Link
from trial.base.words import short_date, short_date_and_time
from trial.journey import people as reads
from trial.journey.people import PersonRow
from trial.participants.models import Referral

AT_ONCE = 500
"""Records worked out at a time for a file."""

HEADS = ("Number", "Screening number", "Site", "Status", "Since", "Next", "Last change")


class FilterForm(forms.Form):
    """What the list is narrowed by; anything unknown narrows nothing."""

    mark_optional = False

    site = forms.ChoiceField(label="Site", required=False)
    status = forms.ChoiceField(label="Status", required=False)

    def __init__(self, sites: list[Site], data: Any) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.fields["site"].choices = [("", "All sites"), *((s.code, s.name) for s in sites)]  # type: ignore[attr-defined]
        self.fields["status"].choices = [("", "Any status"), *reads.status_choices()]  # type: ignore[attr-defined]
        if len(sites) < 2:
            del self.fields["site"]

    def chosen(self, name: str) -> str:
        """A valid choice, or nothing."""
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))


NUMBER = re.compile(r"[A-Za-z0-9-]*\d[A-Za-z0-9-]*")


def _typed(request: StaffRequest) -> str:
    """What was searched for: anything by POST; in an address only a number, never a name (ux.md 3)."""
    if request.method == "POST":
        text = request.POST.get("q", "")[:100].strip()
        return "" if has_control_characters(text) else text
    text = request.GET.get("q", "").strip()
    return text if NUMBER.fullmatch(text) else ""


@requires(Action.VIEW_PEOPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: StaffRequest) -> HttpResponse:
    """Everybody at the user's sites, by number; a number typed in full leads to its record."""
    sites = reads.sites_of(request.user)
    form = FilterForm(sites, request.GET)
    typed = _typed(request)
    found = reads.people_for(request.user, site=form.chosen("site"), status=form.chosen("status"))
    if typed:
        try:
            found = reads.search(found, typed, by=request.user, at=timezone.now())
        except keys.SealBroken as error:
            messages.error(request, str(error))
            found = found.none()
    if lists.wants_csv(request):
        return _csv(request, found)
    records, pages = lists.page_of(request, found)
    rows = reads.rows_of(records, timezone.localdate())
    if typed and pages.total == 1 and typed.upper() in (rows[0].number, rows[0].screening_number):
        return redirect("journey:record", rows[0].number)
    may_add = request.user.access.may(Action.ADD_REFERRAL)
    return render(
        request,
        "journey/people.html",
        {
            "title": "People",
            "rows": rows,
            "pages": pages,
            "filter": form,
            "detail": ", ".join(site.name for site in sites),
            "button": Link("Screen a new person", "/people/new/") if may_add else None,
            "narrowed": bool(typed or form.chosen("site") or form.chosen("status")),
            "typed": typed,
            "download": Link("Download as CSV", lists.csv_url(request)) if request.method == "GET" else None,
        },
    )


def _csv(request: StaffRequest, found: QuerySet[Referral]) -> HttpResponse:
    """Every record of the filtered list; that it was taken is logged (R-07)."""
    AccessEvent(
        user=request.user,
        role=request.user.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record="People",
        detail=f"{found.count()} records",
        at=timezone.now(),
    ).save()
    return lists.csv_response("people.csv", HEADS, _all_rows(found), _cells)


def _all_rows(found: QuerySet[Referral]) -> Iterator[Any]:
    today = timezone.localdate()
    ids = list(found.values_list("pk", flat=True))
    for start in range(0, len(ids), AT_ONCE):
        yield from reads.rows_of(list(found.filter(pk__in=ids[start : start + AT_ONCE])), today)


def _cells(row: PersonRow) -> list[str]:
    changed = short_date_and_time(row.changed_at) if row.changed_at else ""
    status = reads.word_of(row.status)
    since = short_date(row.status_date)
    return [row.number, row.screening_number, row.site, status, since, row.next, changed]
