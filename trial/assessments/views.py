"""Pages of one questionnaire: enter it, read it, correct it, say that it was not done, help after an alert."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from trial.access import drafts
from trial.access.permissions import StaffRequest, refuse, requires
from trial.access.policy import Action
from trial.assessments import actions, entry, hooks, pages
from trial.assessments.entry import Outcome
from trial.assessments.errors import ChangedMeanwhile
from trial.assessments.forms import EntryForm, initial_of, with_theirs
from trial.assessments.places import Place, assessors_at, place_for
from trial.assessments.reason_forms import CorrectionForm, NotDoneForm
from trial.assessments.rules import ASSESSOR, COMPLETED_DATE
from trial.assessments.wording import LicenceMissing
from trial.base.errors import TrialError
from trial.base.words import clock_time
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import Reason


@requires(Action.VIEW_ANSWERS)
@never_cache
@require_http_methods(["GET", "POST"])
def form(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """The whole questionnaire in paper order while it is entered; what was answered once it is complete."""
    place = place_for(request.user, number, visit, form)
    if url := hooks.elsewhere(place.stored, request.user):
        return redirect(url, preserve_request=request.method == "POST")
    hooks.note_shown(place.stored, request.user, timezone.now())
    may_enter = place.may(request.user, Action.ENTER_FORM)
    if request.method == "POST" and not may_enter:
        return refuse(request, request.user)
    if request.method != "POST" and (not may_enter or pages.is_read_only(place, request.GET)):
        return pages.read_page(request, place)
    try:
        entered = _entry_form(request, place, request.POST if request.method == "POST" else None)
    except LicenceMissing as error:
        return render(request, "assessments/licence_missing.html", pages.frame(place) | {"text": str(error)})
    if request.method != "POST" or not entered.is_valid():
        return pages.entry_page(request, place, entered)
    return _save(request, place, entered)


def _entry_form(request: StaffRequest, place: Place, data: Mapping[str, Any] | None) -> EntryForm:
    initial = None if data else {ASSESSOR: request.user.pk, **initial_of(place.stored)}
    return EntryForm(
        data, wording=place.wording, use=place.use, form=place.form, initial=initial, assessors=assessors_at(place)
    )


def _save(request: StaffRequest, place: Place, entered: EntryForm) -> HttpResponse:
    now, submit = timezone.now(), "save_draft" not in request.POST
    outcome = entry.save(place, entered, by=request.user, at=now, submit=submit, posted=request.POST)
    if outcome.conflict:
        return _conflict(request, place, outcome.conflict)
    if outcome.stored is None or outcome.prompt or outcome.problems:
        return _ask(request, place, entered, outcome)
    messages.success(request, f"{place.title}: {'saved' if submit else 'draft saved'}")
    if entry.needs_support(outcome.stored, now):
        return redirect(f"{place.url}support/")
    return redirect(place.record_url if submit else place.url)


def _ask(request: StaffRequest, place: Place, entered: EntryForm, outcome: Outcome) -> HttpResponse:
    """The page again with what to put right or to look at; the draft behind it is the one just stored."""
    if outcome.stored is not None:
        place = replace(place, stored=outcome.stored)
        posted = request.POST.copy()
        posted["revision"] = str(outcome.stored.revision)
        entered = _entry_form(request, place, posted)
        entered.is_valid()
        entered.add_problems(outcome.problems)
    return pages.entry_page(request, place, entered, prompt=outcome.prompt, unlikely=outcome.unlikely)


def _conflict(request: StaffRequest, place: Place, changed: ChangedMeanwhile) -> HttpResponse:
    """Both versions side by side; what was typed stays, and may be saved over the other after a look."""
    place = place_for(request.user, place.participant.study_id, place.visit.code, place.use.code)
    merged = _entry_form(request, place, with_theirs(request.POST, changed.other, place.definition.items))
    merged.is_valid()
    correction = CorrectionForm(reasons=_reasons(place)) if place.is_complete else None
    return pages.entry_page(request, place, merged, conflict=changed, correction=correction, status=409)


def _reasons(place: Place) -> tuple[Reason, ...]:
    return protocol_rules.reasons(place.spec, "correction")


@requires(Action.ENTER_FORM)
@require_POST
def draft(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """Save a draft 3 seconds after typing stops; answers {saved_at, revision}, or why not (ux.md section 7)."""
    place = place_for(request.user, number, visit, form, Action.ENTER_FORM)
    if hooks.elsewhere(place.stored, request.user):
        return JsonResponse({"message": "This form is complete. Enter it a second time on its own page."}, status=409)
    now = timezone.now()
    try:
        entered = _entry_form(request, place, request.POST)
    except LicenceMissing as error:
        return JsonResponse({"message": str(error)}, status=422)
    if set(entered.errors) == {COMPLETED_DATE}:  # typed half-way: the rest is kept meanwhile
        entered = _entry_form(
            request, place, {k: v for k, v in request.POST.items() if not k.startswith(COMPLETED_DATE)}
        )
    outcome = Outcome()
    if entered.is_valid():
        outcome = entry.save(place, entered, by=request.user, at=now, submit=False, posted=request.POST)
    if outcome.conflict:
        return JsonResponse({"message": str(outcome.conflict)}, status=409)
    if outcome.stored is None:
        errors = {name: [str(text) for text in texts] for name, texts in entered.errors.items()}
        first = next(iter(errors.values()))[0]
        return JsonResponse({"message": f"Draft not saved. {first}", "errors": errors}, status=422)
    drafts.forget(user=request.user, path=place.url)
    answer = {"saved_at": clock_time(now), "revision": outcome.stored.revision}
    return JsonResponse(
        answer | ({"support_url": f"{place.url}support/"} if entry.needs_support(outcome.stored, now) else {})
    )


@requires(Action.CORRECT_FORM)
@never_cache
@require_http_methods(["GET", "POST"])
def correct(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """Change answers of a completed questionnaire, with a reason for each change (BR-63)."""
    place = place_for(request.user, number, visit, form, Action.CORRECT_FORM)
    if url := hooks.elsewhere(place.stored, request.user):
        return redirect(url)
    if not place.is_complete:
        return redirect(place.url)
    hooks.note_shown(place.stored, request.user, timezone.now())
    data = request.POST if request.method == "POST" else None
    try:
        entered = _entry_form(request, place, data)
    except LicenceMissing as error:
        return render(request, "assessments/licence_missing.html", pages.frame(place) | {"text": str(error)})
    why = CorrectionForm(data, reasons=_reasons(place))
    if data is None or not (entered.is_valid() & why.is_valid()):
        return pages.entry_page(request, place, entered, correction=why)
    now = timezone.now()
    outcome = entry.save(place, entered, by=request.user, at=now, submit=True, posted=data, reason=why.text)
    if outcome.conflict:
        return _conflict(request, place, outcome.conflict)
    if outcome.stored is None:
        return pages.entry_page(
            request, place, entered, correction=why, prompt=outcome.prompt, unlikely=outcome.unlikely
        )
    messages.success(request, f"{place.title}: correction saved")
    return redirect(f"{place.url}support/" if entry.needs_support(outcome.stored, now) else place.url)


@requires(Action.ENTER_FORM)
@require_http_methods(["GET", "POST"])
def not_done(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """Record that a questionnaire was not done, with a reason of the protocol's list."""
    place = place_for(request.user, number, visit, form, Action.ENTER_FORM)
    reasons = protocol_rules.reasons(place.spec, "not_done")
    given = NotDoneForm(request.POST if request.method == "POST" else None, reasons=reasons)
    if given.is_valid():
        try:
            actions.mark_not_done(
                participant=place.participant,
                visit=place.visit,
                instrument=place.use.code,
                reason_code=given.cleaned_data["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            given.add_error(None, str(error))
        else:
            messages.success(request, f"{place.title}: recorded as not done")
            return redirect(place.record_url)
    return render(request, "assessments/not_done.html", pages.frame(place) | {"form": given})


@requires(Action.VIEW_ANSWERS)
@never_cache
@require_GET
def support(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """What to say to the person, and what happens now, after an answer that raised an alert (BR-50)."""
    place = place_for(request.user, number, visit, form)
    if url := hooks.elsewhere(place.stored, request.user):
        return redirect(url)
    return pages.support_page(request, place)
