"""The audit trail as pages: of one record, of one form, of the whole trial; and the access log (R-01, R-07)."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

import instruments
from trial.access.models import AccessEvent
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.assessments.hooks import elsewhere, facts_beside, note_shown
from trial.assessments.models import Administration
from trial.assessments.wording import known_wording
from trial.base import lists
from trial.base.fields import DateField
from trial.base.parts import Fact, Link, Pages
from trial.base.words import long_date
from trial.journey import history, trail
from trial.journey.history import Entry, Narrow
from trial.journey.history_values import answer_words
from trial.participants.reads import participant_for, referral_for
from trial.protocol import rules as protocol_rules


class HistoryFilter(forms.Form):
    """What a history is narrowed by; anything unknown narrows nothing."""

    mark_optional = False

    who = forms.ChoiceField(label="Person", required=False)
    about = forms.ChoiceField(label="About", required=False)
    from_date = DateField(label="From", what="first day", required=False, compact=True)
    to_date = DateField(label="To", what="last day", required=False, compact=True)

    def __init__(self, people: Sequence[tuple[str, str]], about: Sequence[tuple[str, str]], data: Any) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.fields["who"].choices = [("", "Everybody"), *people]  # type: ignore[attr-defined]
        self.fields["about"].choices = [("", "Everything"), *about]  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        """Valid choices only."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) for name in self.fields}


def _same(names: set[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(names)]


def logged_csv(request: StaffRequest, record: str, entries: Sequence[Entry], filename: str) -> HttpResponse:
    """A history as a file; that it was taken is logged."""
    log_export(request, record, len(entries))
    return lists.csv_response(filename, history.CSV_HEADS, entries, history.csv_cells)


def log_export(request: StaffRequest, record: str, n: int) -> None:
    AccessEvent(
        user=request.user,
        role=request.user.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record=record,
        detail=f"History, {n} entries",
        at=timezone.now(),
    ).save()


def _page(request: HttpRequest, entries: Sequence[Entry]) -> tuple[list[Any], Pages]:
    """50 sentences and where they stand in the whole."""
    page = Paginator(entries, lists.PAGE_SIZE).get_page(request.GET.get("page"))

    def url(number: int) -> str:
        query = request.GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    pages = Pages(
        first=page.start_index(),
        last=page.end_index(),
        total=page.paginator.count,
        previous_url=url(page.previous_page_number()) if page.has_previous() else "",
        next_url=url(page.next_page_number()) if page.has_next() else "",
    )
    return [entry.shown() for entry in page.object_list], pages


def _tabs(request: HttpRequest) -> list[tuple[str, str, bool]]:
    """Everything, or changes only; the other filters stay."""
    changes_only = request.GET.get("only") == "changes"
    query = request.GET.copy()
    for name in ("page", "only", "format"):
        query.pop(name, None)
    everything = f"?{query.urlencode()}"
    query["only"] = "changes"
    return [("Everything", everything, not changes_only), ("Changes only", f"?{query.urlencode()}", changes_only)]


@requires(Action.VIEW_HISTORY)
@require_safe
def record_history(request: StaffRequest, number: str) -> HttpResponse:
    """Who did what to one record, in sentences, newest first."""
    referral = referral_for(request.user, number, Action.VIEW_HISTORY)
    entries = trail.of_record(referral, request.user)
    trail.note_first_entries(referral, request.user, timezone.now())
    form = HistoryFilter(_same({e.who for e in entries}), _same({e.about for e in entries}), request.GET)
    narrow = Narrow(**_texts(form.chosen()), changes_only=request.GET.get("only") == "changes")
    found = history.newest_first([entry for entry in entries if narrow.keeps(entry)])
    if lists.wants_csv(request):
        return logged_csv(request, referral.number, found, f"{referral.number}-history.csv")
    shown, pages = _page(request, found)
    return render(
        request,
        "journey/record_history.html",
        {
            "title": f"History of {referral.number}",
            "breadcrumbs": [("People", "/people/"), (referral.number, f"/people/{referral.number}/")],
            "here": "History",
            "entries": shown,
            "pages": pages,
            "filter": form,
            "tabs": _tabs(request),
            "download": Link("Download as CSV", lists.csv_url(request)),
        },
    )


def _texts(chosen: dict[str, Any]) -> dict[str, Any]:
    dates = ("from_date", "to_date")
    return {name: value if name in dates else value or "" for name, value in chosen.items()}


@requires(Action.VIEW_HISTORY)
@require_safe
def form_history(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """One questionnaire with the history of an item beside it (screen 10)."""
    participant = participant_for(request.user, number, Action.VIEW_HISTORY)
    found = Administration.objects.filter(participant=participant, visit__code=visit, instrument=form)
    stored = found.select_related("visit", "entered_by").first()
    if stored is None or not request.user.access.may(Action.VIEW_ANSWERS, participant.site):
        raise Http404
    if url := elsewhere(stored, request.user):
        return redirect(url)
    note_shown(stored, request.user, timezone.now())
    spec = participant.referral.protocol_version.spec
    entries = trail.of_form(participant.referral, stored, request.user)
    item = request.GET.get("item", "")
    narrow = Narrow(key=f"item:{item}" if item else "", changes_only=request.GET.get("only") == "changes")
    shown = history.newest_first([entry for entry in entries if narrow.keeps(entry)])
    if lists.wants_csv(request):
        return logged_csv(request, participant.study_id, shown, f"{participant.study_id}-{visit}-{form}-history.csv")
    definition = instruments.get(stored.instrument, stored.instrument_version)
    rows = _items(definition, stored, entries, item)
    number_of = next((row["number"] for row in rows if row["current"]), None)
    name = f"{protocol_rules.form_label(spec, form)}, {protocol_rules.visit(spec, visit).label}"
    return render(
        request,
        "journey/form_history.html",
        {
            "title": f"{name}: history",
            "heading": name,
            "breadcrumbs": [("People", "/people/"), (participant.study_id, f"/people/{participant.study_id}/")],
            "here": "History",
            "facts": [*_facts(stored, definition), *facts_beside(stored, request.user)],
            "rows": rows,
            "about": f"History of item {number_of}" if number_of else "History of this form",
            "entries": [entry.shown() for entry in shown],
            "tabs": _tabs(request),
            "close": Link("Whole form", "?") if number_of else None,
            "links": [Link("Open the form", f"/people/{participant.study_id}/{visit}/{form}/")],
            "download": Link("Download CSV", lists.csv_url(request)),
        },
    )


def _facts(stored: Administration, definition: instruments.Instrument) -> list[Fact]:
    facts = [Fact("Status", status={"draft": "in_progress"}.get(stored.status, stored.status), status_group="form")]
    if stored.completed_date:
        mode = stored.get_mode_display()
        facts.append(Fact("Answered", f"{long_date(stored.completed_date)}. {mode}"))
    for score in definition.scores[:1]:
        value = dict((stored.scores or {}).get(score.code) or {}).get("value")
        if value is not None and score.range:
            facts.append(Fact(score.label, f" of {score.range[1]}", strong=str(value)))
    return [*facts, Fact("Entered by", stored.entered_by.name if stored.entered_by else "The participant")]


def _items(
    definition: instruments.Instrument, stored: Administration, entries: Sequence[Entry], item: str
) -> list[dict[str, Any]]:
    """Each item with its answer and how often it was changed after it was first entered."""
    wording = known_wording(definition)
    said = {**(stored.missing or {}), **(stored.answers or {})}
    rows = []
    for one in definition.items:
        times = [entry for entry in entries if entry.key == f"item:{one.code}"]
        n_changes = max(len(times) - 1, 0)
        rows.append(
            {
                "code": one.code,
                "number": one.number,
                "text": wording.text(one),
                "answer": answer_words(definition, one.code, said.get(one.code)),
                "n_changes": n_changes,
                "current": one.code == item,
            }
        )
    return rows
