"""Pages of double entry: the list, the second entry with its draft, both entries side by side (BR-36)."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from trial.access import drafts
from trial.access.permissions import StaffRequest, refuse, requires
from trial.access.policy import Action
from trial.assessments import pages as form_pages
from trial.assessments.errors import AnswersRefused
from trial.assessments.models import Administration
from trial.assessments.places import Place, place_for
from trial.assessments.prompts import prompt_for, states_of
from trial.assessments.wording import LicenceMissing
from trial.base.errors import TrialError
from trial.base.words import clock_time
from trial.double_entry import actions, pages, reads
from trial.double_entry.decisions import adjudicate, open_differences
from trial.double_entry.errors import OtherWindow
from trial.double_entry.forms import SecondEntryForm, initial_of, without_date
from trial.double_entry.models import SecondEntry
from trial.protocol import rules as protocol_rules


@requires(Action.ENTER_FORM, Action.ADJUDICATE_ENTRY, Action.VIEW_DATA)
@require_GET
def index(request: StaffRequest) -> HttpResponse:
    """What waits for a second entry, what differs, and how far both entries agree."""
    return pages.list_page(request)


@requires(Action.ENTER_FORM)
@never_cache
@require_http_methods(["GET", "POST"])
def enter(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """Enter a paper form a second time. Nothing of the first entry is read for this page."""
    place, stored = _place(request, number, visit, form)
    own = _own(stored, request)
    if (refused := _refusal(request, place, stored)) is not None:
        return refused
    data = request.POST if request.method == "POST" else None
    try:
        entered = _entry_form(place, data, own)
    except LicenceMissing as error:
        return render(request, "assessments/licence_missing.html", form_pages.frame(place) | {"text": str(error)})
    raised = pages.own_alert(stored, own)
    if data is None or not entered.is_valid():
        return pages.entry_page(request, place, entered, raised=raised)
    return _save(request, place, stored, entered)


def _place(request: StaffRequest, number: str, visit: str, form: str) -> tuple[Place, Administration]:
    """The form at its place.

    Raises:
        Http404: there is none, or it is no form that is entered twice.
    """
    place = place_for(request.user, number, visit, form, Action.ENTER_FORM)
    if place.stored is None or not reads.is_for_double_entry(place.stored):
        raise Http404
    return place, place.stored


def _own(stored: Administration, request: StaffRequest) -> SecondEntry | None:
    return stored.second_entries.filter(entered_by=request.user).first()


def _refusal(request: StaffRequest, place: Place, stored: Administration) -> HttpResponse | None:
    """A page instead of the entry: it was entered twice already, or this person cannot be the second one."""
    if reads.second_of(stored) is not None:
        return redirect("double_entry:differences", *_address(place)) if request.method == "GET" else None
    if not reads.knows_first(stored, request.user):
        return None
    context = pages.frame(place) | {"title": "A second person enters this form"}
    return render(request, "double_entry/not_you.html", context, status=200 if request.method == "GET" else 409)


def _address(place: Place) -> tuple[str, str, str]:
    return place.participant.study_id, place.visit.code, place.use.code


def _entry_form(place: Place, data: Mapping[str, Any] | None, own: SecondEntry | None) -> SecondEntryForm:
    initial = None if data is not None else initial_of(own)
    return SecondEntryForm(data, wording=place.wording, use=place.use, form=place.form, initial=initial)


def _save(request: StaffRequest, place: Place, stored: Administration, entered: SecondEntryForm) -> HttpResponse:
    unlikely = [state for state in states_of(place, entered) if state.fires and not state.is_hard]
    prompt = prompt_for(place, entered, unlikely, request.POST)
    submit = "save_draft" not in request.POST
    row = _store(request, stored, entered, submit=submit and not prompt)
    own = _own(stored, request)
    raised = pages.own_alert(stored, own)
    if row is None:
        return pages.entry_page(request, place, _again(place, request, own, entered), raised=raised)
    if submit and prompt:
        return pages.entry_page(request, place, _again(place, request, own, entered), prompt=prompt, raised=raised)
    if not submit:
        messages.success(request, f"Second entry of {place.title}: draft saved")
        return redirect(f"{place.url}second/support/" if raised else f"{place.url}second/")
    messages.success(request, _result(place, row))
    if raised:
        return redirect(f"{place.url}second/support/")
    return redirect("double_entry:differences", *_address(place)) if row.differences else redirect(place.record_url)


def _store(
    request: StaffRequest, stored: Administration, entered: SecondEntryForm, *, submit: bool
) -> SecondEntry | None:
    """The row as stored; None when it was refused, with the reason at its field."""
    try:
        return actions.save_second_entry(
            form=stored, by=request.user, at=timezone.now(), submit=submit, **entered.entered
        )
    except AnswersRefused as refused:
        entered.add_problems(refused.problems)
    except TrialError as error:
        entered.add_error(None, str(error))
        entered.is_other_window = isinstance(error, OtherWindow)  # type: ignore[attr-defined]
    return None


def _again(place: Place, request: StaffRequest, own: SecondEntry | None, entered: SecondEntryForm) -> SecondEntryForm:
    """The form as typed, on top of what is stored now; errors stay."""
    if entered.errors and not getattr(entered, "is_other_window", False):
        return entered
    posted = request.POST.copy()
    posted["revision"] = str(own.revision if own else 0)
    again = _entry_form(place, posted, own)
    again.is_valid()
    for text in entered.non_field_errors():
        again.add_error(None, text)
    return again


def _result(place: Place, row: SecondEntry) -> str:
    if not row.differences:
        return f"{place.title}: both entries agree on all {row.n_compared} items"
    n = row.n_differences
    return f"{place.title}: {n} {'answer differs' if n == 1 else 'answers differ'} from the first entry"


@requires(Action.ENTER_FORM)
@require_POST
def draft(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """Save a draft of the second entry while it is typed; answers as the draft of a form does."""
    place, stored = _place(request, number, visit, form)
    now = timezone.now()
    try:
        entered = _entry_form(place, request.POST, None)
        if set(entered.errors) == {"completed_date"}:  # typed half-way: the rest is kept meanwhile
            entered = _entry_form(place, without_date(request.POST), None)
        row = _store(request, stored, entered, submit=False) if entered.is_valid() else None
    except LicenceMissing as error:
        return JsonResponse({"message": str(error)}, status=422)
    if row is None:
        texts = [str(text) for found in entered.errors.values() for text in found]
        status = 409 if getattr(entered, "is_other_window", False) else 422
        return JsonResponse({"message": f"Draft not saved. {texts[0]}"}, status=status)
    drafts.forget(user=request.user, path=f"{place.url}second/")
    answer = {"saved_at": clock_time(now), "revision": row.revision}
    raised = pages.own_alert(stored, row)
    return JsonResponse(answer | ({"support_url": f"{place.url}second/support/"} if raised else {}))


@requires(Action.ENTER_FORM)
@never_cache
@require_GET
def support(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """What happens after an answer of the person's own second entry raised an alert (BR-50)."""
    place, stored = _place(request, number, visit, form)
    own = _own(stored, request)
    if own is None or not pages.own_alert(stored, own):
        raise Http404
    may_see = place.may(request.user, Action.VIEW_SAFETY)
    context = form_pages.frame(place) | {
        "support": protocol_rules.support_page(place.spec, stored.language),
        "is_interview": False,
        "alert_url": stored.alert.get_absolute_url() if may_see else "",
        "is_complete": own.is_complete,
        "back": "" if own.is_complete else f"{place.url}second/",
    }
    return render(request, "assessments/support.html", context)


@requires(Action.VIEW_ANSWERS)
@never_cache
@require_http_methods(["GET", "POST"])
def differences(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """Both entries side by side once there are two, and the decision between them."""
    place = place_for(request.user, number, visit, form)
    second = reads.second_of(place.stored) if place.stored else None
    if place.stored is None or second is None:
        raise Http404
    may_decide = place.may(request.user, Action.ADJUDICATE_ENTRY)
    if request.method == "POST" and not may_decide:
        return refuse(request, request.user)
    if not (may_decide and open_differences(second)):
        return pages.differences_page(request, place, second, None)
    data = request.POST if request.method == "POST" else None
    decision = pages.decision_form(place, place.stored, second, data)
    if decision.is_valid() and _decide(request, second, decision):
        return redirect("double_entry:differences", *_address(place))
    return pages.differences_page(request, place, second, decision)


def _decide(request: StaffRequest, second: SecondEntry, decision: Any) -> bool:
    try:
        adjudicate(
            second=second,
            chosen=decision.chosen,
            reason=decision.cleaned_data["reason"],
            by=request.user,
            at=timezone.now(),
        )
    except TrialError as error:
        decision.add_error(None, str(error))
        return False
    messages.success(request, "Decided. The queries about these answers are closed.")
    return True
