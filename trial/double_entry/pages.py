"""What the templates of double entry are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from trial.access import drafts
from trial.access.permissions import StaffRequest
from trial.access.policy import Action
from trial.assessments.entry import has_urgent_alert
from trial.assessments.models import Administration
from trial.assessments.places import Place
from trial.assessments.prompts import Prompt
from trial.base.parts import Fact, Link
from trial.base.words import short_date, short_date_and_time
from trial.double_entry import actions, reads
from trial.double_entry.decisions import allowed, open_differences
from trial.double_entry.forms import DecisionForm, SecondEntryForm
from trial.double_entry.models import SecondEntry
from trial.double_entry.words import label, said
from trial.paper.reads import scan_panel
from trial.protocol import rules as protocol_rules


def frame(place: Place) -> dict[str, Any]:
    """Title and way back."""
    return {"place": place, "breadcrumbs": place.breadcrumbs, "here": place.visit_spec.label.capitalize()}


def entry_page(
    request: StaffRequest,
    place: Place,
    form: SecondEntryForm,
    *,
    prompt: Prompt | None = None,
    raised: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Fast entry once more. `raised`: the person's own draft raised an alert, whatever the first entry holds."""
    kept = drafts.open_for(request, form)
    context = frame(place) | {
        "draft": kept,
        "title": f"Second entry: {place.title}",
        "form": form,
        "date": form["completed_date"],
        "wording": place.wording,
        "prompt": prompt,
        "action": f"{place.url}second/",
        "draft_url": f"{place.url}second/draft/",
        "support_url": f"{place.url}second/support/" if raised else "",
        "scans": scan_panel(place.participant, place.visit, place.use.code, request.user),
        "progress": f"{form.n_entered} of {len(place.definition.items)} entered",
    }
    return render(request, "double_entry/enter.html", context, status=status)


@dataclass(frozen=True)
class DifferenceRow:
    """One question on which the entries differ, with what was decided and by whom."""

    label: str
    first: str
    second: str
    decided: str
    why: str


def differences_page(
    request: StaffRequest, place: Place, second: SecondEntry, form: DecisionForm | None
) -> HttpResponse:
    """Both entries side by side, and the form that decides between them for whoever may."""
    context = frame(place) | {
        "title": f"Both entries: {place.title}",
        "facts": _facts(place, second),
        "rows": _rows(place, second),
        "form": form,
        "scans": scan_panel(place.participant, place.visit, place.use.code, request.user),
        "form_link": Link("Open the questionnaire", place.url),
        "wording": place.wording,
        "is_waiting": bool(open_differences(second)),
        "may_adjudicate": place.may(request.user, Action.ADJUDICATE_ENTRY),
    }
    return render(request, "double_entry/differences.html", context)


def _facts(place: Place, second: SecondEntry) -> list[Fact]:
    stored = place.stored
    first = stored.entered_by.name if stored and stored.entered_by else "The participant"
    at = stored.first_entered_at if stored else second.started_at
    return [
        Fact("First entry", first, detail=short_date_and_time(at)),
        Fact("Second entry", second.entered_by.name, detail=short_date_and_time(second.started_at)),
        Fact("Items that agree", f"{second.n_agreed} of {second.n_compared}"),
    ]


def _rows(place: Place, second: SecondEntry) -> list[DifferenceRow]:
    decided = {one.field: one for one in second.adjudications.select_related("by")}
    found = []
    for one in second.differences:
        key, decision = one["key"], decided.get(one["key"])
        words = [said(place.wording, key, value) for value in (one["first"], one["second"])]
        what = said(place.wording, key, decision.value) if decision else ""
        why = f"{decision.by}, {short_date(decision.at)}: {decision.reason}" if decision else ""
        found.append(DifferenceRow(label(place.wording, key), words[0], words[1], what, why))
    return found


def decision_form(place: Place, form: Administration, second: SecondEntry, data: Any = None) -> DecisionForm:
    """The open differences as questions; the two entries come first and say whose they are."""
    questions: list[tuple[str, str, Sequence[tuple[Any, str]]]] = []
    for one in open_differences(second):
        values = allowed(form, one)
        ends = {0: " (first entry)", 1: " (second entry)"}
        words = [f"{said(place.wording, one['key'], v)}{ends.get(n, '')}" for n, v in enumerate(values)]
        questions.append((one["key"], label(place.wording, one["key"]), list(zip(values, words, strict=True))))
    return DecisionForm(data, questions=questions)


@dataclass(frozen=True)
class Line:
    """One form of the list: what it is, and where to go on."""

    study_id: str
    title: str
    detail: str
    link: Link | None


def list_page(request: StaffRequest) -> HttpResponse:
    """Forms that wait for a second entry, and those whose entries differ, at the user's sites."""
    user = request.user
    site_ids = _site_ids(request)
    here = {} if site_ids is None else {"participant__referral__site__in": site_ids}
    related = ("participant__referral__site", "visit", "protocol_version")
    waiting = reads.awaiting().filter(**here).select_related("entered_by", *related)
    open_ones = reads.undecided().filter(**here).select_related(*(f"administration__{one}" for one in related))
    context = {
        "title": "Double entry",
        "agreement": reads.agreement(site_ids),
        "waiting": [_waiting(form, request) for form in waiting[:LONGEST]],
        "undecided": [_undecided(second, user.access.may(Action.VIEW_ANSWERS)) for second in open_ones[:LONGEST]],
        "n_waiting": waiting.count(),
        "n_undecided": open_ones.count(),
    }
    return render(request, "double_entry/index.html", context)


LONGEST = 100
"""Lines of each list; the oldest come first, so that none is forgotten."""


def _site_ids(request: StaffRequest) -> set[int] | None:
    found: set[int] = set()
    for action in (Action.ENTER_FORM, Action.ADJUDICATE_ENTRY, Action.VIEW_DATA):
        if request.user.access.may(action):
            ids = request.user.access.site_ids(action)
            if ids is None:
                return None
            found |= ids
    return found


def _title(form: Administration) -> str:
    return f"{form.visit.code} {protocol_rules.form_label(form.protocol_version.spec, form.instrument)}"


def _waiting(form: Administration, request: StaffRequest) -> Line:
    first = form.entered_by.name if form.entered_by else "the participant"
    link = Link("Enter it", reads.entry_url(form)) if reads.may_be_second(form, request.user) else None
    detail = f"Entered by {first} on {short_date(form.first_entered_at)}"
    return Line(form.participant.study_id, _title(form), detail, link)


def _undecided(second: SecondEntry, may_open: bool) -> Line:
    form = second.administration
    what = "1 answer differs" if second.n_differences == 1 else f"{second.n_differences} answers differ"
    since = short_date(second.completed_at or second.started_at)
    link = Link("Compare", reads.differences_url(form)) if may_open else None
    return Line(form.participant.study_id, _title(form), f"{what} since {since}", link)


def own_alert(form: Administration | None, own: SecondEntry | None) -> bool:
    """Whether the person's own answers ask for the urgent alert that the form has: nothing else may tell them."""
    if form is None or own is None or not has_urgent_alert(form):
        return False
    return actions.asks_urgently(form, own.answers)
