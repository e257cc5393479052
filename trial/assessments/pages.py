"""What the templates of questionnaires are given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from trial.access import drafts
from trial.access.permissions import StaffRequest
from trial.access.policy import Action
from trial.assessments import hooks
from trial.assessments.actions import INTERVIEWS
from trial.assessments.entry import has_urgent_alert, side_by_side, value_words
from trial.assessments.errors import ChangedMeanwhile
from trial.assessments.forms import EntryForm
from trial.assessments.models import Administration
from trial.assessments.places import Place
from trial.assessments.prompts import Prompt
from trial.assessments.reason_forms import CorrectionForm, UnlikelyForm
from trial.assessments.rules import COMPLETED_DATE, MODE, RESPONDENT
from trial.assessments.warning_reads import warning_rows
from trial.assessments.wording import LicenceMissing, Wording
from trial.base.parts import Fact, Link, ScanPanel
from trial.base.words import short_date, short_date_and_time
from trial.protocol import rules as protocol_rules


def frame(place: Place) -> dict[str, Any]:
    """Title and way back of every page of a form."""
    return {
        "place": place,
        "title": place.title,
        "breadcrumbs": place.breadcrumbs,
        "here": place.visit_spec.label.capitalize(),
    }


def is_read_only(place: Place, query: Mapping[str, Any]) -> bool:
    """Whether a form is shown to be read: it is complete, or recorded as not done and nobody asks to enter it."""
    stored = place.stored
    if stored is None or stored.status == Administration.Status.DRAFT:
        return False
    return place.is_complete or "enter" not in query


def entry_page(
    request: StaffRequest,
    place: Place,
    form: EntryForm,
    *,
    prompt: Prompt | None = None,
    unlikely: UnlikelyForm | None = None,
    correction: CorrectionForm | None = None,
    conflict: ChangedMeanwhile | None = None,
    status: int = 200,
) -> HttpResponse:
    """Fast entry (screen 06), for a first entry, a correction, or after a conflict."""
    stored = place.stored
    kept = drafts.open_for(request, form)
    shown = [one for one in (form, correction, unlikely) if one is not None]
    context = frame(place) | {
        "form": form,
        "draft": kept,
        "summaries": shown,
        "has_errors": any(one.errors for one in shown),
        "date": form[COMPLETED_DATE],
        "mode": form[MODE],
        "respondent": form[RESPONDENT] if RESPONDENT in form.fields else None,
        "wording": place.wording,
        "prompt": prompt,
        "unlikely": unlikely or (_unlikely(request) if prompt and prompt.high else None),
        "correction": correction,
        "conflict": conflict,
        "differing": side_by_side(place, conflict.differences) if conflict else [],
        "action": f"{place.url}correct/" if correction else place.url,
        "draft_url": "" if correction else f"{place.url}draft/",
        "not_done_url": f"{place.url}not-done/" if stored is None or not stored.answers else "",
        "support_url": f"{place.url}support/" if has_urgent_alert(stored) else "",
        "scans": _scans(request, place),
        "progress": f"{form.n_entered} of {len(place.definition.items)} entered",
    }
    return render(request, "assessments/entry.html", context, status=status)


def _scans(request: StaffRequest, place: Place) -> ScanPanel | None:
    """Scans of the form, where it may be answered on paper."""
    if Administration.Mode.SELF_PAPER not in place.form.modes:
        return None
    return hooks.scan_panel(place.participant, place.visit, place.use.code, request.user)


def _unlikely(request: StaffRequest) -> UnlikelyForm:
    """The question why unlikely answers are right, with what was typed before another question came up."""
    return UnlikelyForm(initial={"high_reason": request.POST.get("high_reason", "")})


@dataclass(frozen=True)
class ReadRow:
    """One item of a stored form."""

    number: int
    text: str
    answer: str
    is_missing: bool
    changed: str
    link: Link | None


@dataclass(frozen=True)
class ScoreRow:
    """One score of a stored form. `note` says that a band is provisional, or why there is no value."""

    label: str
    value: str
    band: str
    note: str


STATUS_NOTES = {
    "prorated": "some answers are missing",
    "partial": "some answers are missing",
    "not_scored": "too many answers are missing",
    "invalid": "an answer is not valid",
    "external": "worked out outside this system",
}


def read_page(request: StaffRequest, place: Place) -> HttpResponse:
    """What was answered, with values, scores and bands (screen 10, left)."""
    stored = place.stored
    try:
        wording = place.wording
    except LicenceMissing as error:
        return render(request, "assessments/licence_missing.html", frame(place) | {"text": str(error)})
    links = place.links(request.user)
    if stored:
        links += [link for hook in hooks.form_links for link in hook(stored, request.user)]
    rows = _read_rows(request, place, wording, stored) if stored else []
    context = frame(place) | {
        "stored": stored,
        "facts": [*facts(place), *hooks.facts_beside(stored, request.user)] if stored else [],
        "rows": rows,
        "has_notes": any(row.changed or row.link for row in rows),
        "scores": score_rows(place, stored) if stored else [],
        "warnings": warning_rows(place, stored) if stored else [],
        "wording": wording,
        "links": links,
        "scans": _scans(request, place),
        "may_enter": place.may(request.user, Action.ENTER_FORM),
    }
    return render(request, "assessments/read.html", context)


def _read_rows(request: StaffRequest, place: Place, wording: Wording, stored: Administration) -> list[ReadRow]:
    def link(code: str) -> Link | None:
        found = (hook(stored, code, request.user) for hook in hooks.item_links)
        return next((one for one in found if one), None)

    return [
        ReadRow(
            item.number,
            wording.text(item),
            value_words(place, item.code, stored.answers.get(item.code, stored.missing.get(item.code))),
            item.code not in stored.answers,
            stored.reasons.get(item.code, ""),
            link(item.code),
        )
        for item in place.definition.items
    ]


def facts(place: Place) -> list[Fact]:
    """The strip under the title."""
    stored = place.stored
    if stored is None:
        return []
    code = "in_progress" if stored.status == Administration.Status.DRAFT else stored.status
    found = [Fact("Status", status=code, status_group="form")]
    if stored.status == Administration.Status.NOT_DONE:
        reason = protocol_rules.reason(place.spec, "not_done", stored.not_done_reason).label
        return [*found, Fact("Reason", reason), _entered(stored)]
    if stored.completed_date:
        mode = stored.get_mode_display().lower() if stored.mode else ""
        mode += f", by {stored.assessor.name}" if stored.assessor else ""
        found.append(Fact("Answered", short_date(stored.completed_date), detail=mode))
    found.append(Fact("Questions", f"{stored.n_answered} of {stored.n_expected} answered"))
    return [*found, _entered(stored)]


def _entered(stored: Administration) -> Fact:
    by = stored.entered_by.name if stored.entered_by else "The participant"
    return Fact("Entered", by, detail=short_date_and_time(stored.first_entered_at))


def score_rows(place: Place, stored: Administration) -> list[ScoreRow]:
    """Scores with their bands; those for sensitivity analyses stay out."""
    return [
        _score_row(place, code, stored.scores[code])
        for code, score in place.definition.scores_by_code.items()
        if code in stored.scores and not score.optional
    ]


def _score_row(place: Place, code: str, result: Mapping[str, Any]) -> ScoreRow:
    score = place.definition.scores_by_code[code]
    band = next((one.label for one in score.bands if one.code == result.get("band")), "")
    notes = [STATUS_NOTES.get(result["status"], "")]
    if band and score.bands_status in ("provisional", "convention"):
        notes.append("bands provisional" if score.bands_status == "provisional" else "bands by convention")
    value = "No score" if result["value"] is None else str(result["value"])
    if score.range and result["value"] is not None:
        value = f"{value} of {score.range[1]}" if score.method == "sum" else value
    return ScoreRow(score.label, value, band, ". ".join(note.capitalize() for note in notes if note))


def support_page(request: StaffRequest, place: Place) -> HttpResponse:
    """The approved words, to be said to the person in an interview; otherwise what happens now.

    Raises:
        Http404: the form raised no alert.
    """
    stored = place.stored
    alert = getattr(stored, "alert", None)
    if stored is None or alert is None:
        raise Http404
    may_see = place.may(request.user, Action.VIEW_SAFETY)
    context = frame(place) | {
        "support": protocol_rules.support_page(place.spec, stored.language),
        "is_interview": stored.mode in INTERVIEWS,
        "alert_url": alert.get_absolute_url() if may_see else "",
        "is_complete": place.is_complete,
    }
    return render(request, "assessments/support.html", context)
