"""Queries: list, thread, raise from a form; sign-off of a participant."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

import instruments
from trial.access.models import Site
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.assessments.hooks import elsewhere, note_shown
from trial.assessments.models import Administration
from trial.assessments.wording import Wording, is_withheld
from trial.base.errors import TrialError
from trial.base.parts import Pages
from trial.base.words import long_date
from trial.participants.reads import participant_for
from trial.review import actions, reads
from trial.review.forms import AnswerForm, QuestionForm, SignOffForm, SiteFilter
from trial.review.models import Query, SignOff

ROWS_A_PAGE = 50
GET_POST = require_http_methods(["GET", "POST"])


def item_label(form: Administration | None, field: str) -> str:
    """The item a query is about, in its own words; the short name where the wording is withheld."""
    if form is None or not field:
        return field
    definition = instruments.get(form.instrument, form.instrument_version)
    item = definition.items_by_code.get(field)
    return f"item {item.number}: {Wording(definition, is_withheld(definition), '').text(item)}" if item else field


def title_of(query: Query) -> str:
    """What a query is about, on lists and at the top of its page."""
    form = query.administration
    if form is None:
        return "General question"
    definition = instruments.get(form.instrument, form.instrument_version)
    label = item_label(form, query.field)
    return f"{definition.short_title} {form.visit.code}" + (f", {label}" if label else "")


@requires(Action.VIEW_QUERIES)
@require_http_methods(["GET"])
def index(request: StaffRequest) -> HttpResponse:
    """Queries of the person's sites by state, oldest first, of one site where `?site=` names it."""
    chosen_site = SiteFilter(_sites_of(request), request.GET)
    site = chosen_site.cleaned_data["site"] if chosen_site.is_valid() else ""
    found = Query.objects.visible_to(request.user)
    if site:
        found = found.filter(participant__referral__site__code=site)
    state = request.GET.get("state", Query.State.OPEN)
    if state not in Query.State.values:
        state = Query.State.OPEN
    chosen = found.filter(state=state).select_related("participant", "administration__visit", "raised_by")
    page = Paginator(chosen, ROWS_A_PAGE).get_page(request.GET.get("page"))
    counts = {value: found.filter(state=value).count() for value in Query.State.values}
    now = timezone.now()
    rows = [(query, title_of(query), (now - query.raised_at).days) for query in page]
    last_closed = found.filter(state=Query.State.CLOSED).order_by("-closed_at").first()
    at_site = f"&site={site}" if site else ""
    tabs = [
        (f"{label} {counts[value]}", f"?state={value}{at_site}", value == state) for value, label in Query.State.choices
    ]
    context = {
        "title": "Queries",
        "rows": rows,
        "pages": _pages(page, f"?state={state}{at_site}"),
        "tabs": tabs,
        "filter": chosen_site,
        "narrowed": bool(site),
        "state": Query.State(state),
        "empty_title": f"No {Query.State(state).label.lower()} queries",
        "empty_text": _empty_text(last_closed),
    }
    return render(request, "review/index.html", context)


def _sites_of(request: StaffRequest) -> QuerySet[Site]:
    ids = request.user.access.site_ids(Action.VIEW_QUERIES)
    return Site.objects.all() if ids is None else Site.objects.filter(pk__in=ids)


def _pages(page: Page[Query], base: str) -> Pages:
    def link(number: int) -> str:
        return f"{base}&page={number}"

    return Pages(
        page.start_index(),
        page.end_index(),
        page.paginator.count,
        link(page.previous_page_number()) if page.has_previous() else "",
        link(page.next_page_number()) if page.has_next() else "",
    )


def _empty_text(last: Query | None) -> str:
    text = "New queries appear here when a check fails or a colleague asks one."
    return f"{text} The last one was closed on {long_date(last.closed_at)}." if last and last.closed_at else text


def _query_for(request: StaffRequest, pk: int) -> Query:
    found = Query.objects.visible_to(request.user).select_related("participant__referral", "administration__visit")
    return get_object_or_404(found, pk=pk)


@requires(Action.VIEW_QUERIES)
@GET_POST
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    """One query: the question, the current value, the thread, and what this person may do."""
    query = _query_for(request, pk)
    if url := elsewhere(query.administration, request.user):  # its words may say what the first entry holds
        return redirect(url)
    note_shown(query.administration, request.user, timezone.now())
    site = query.participant.site
    may_answer = query.state == Query.State.OPEN and request.user.access.may(Action.ANSWER_QUERY, site)
    may_close = query.state != Query.State.CLOSED and request.user.access.may(Action.CLOSE_QUERY, site)
    may_reopen = query.state != Query.State.OPEN and request.user.access.may(Action.RAISE_QUERY, site)
    allowed = {"answer": may_answer, "close": may_close, "reopen": may_reopen}
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        what = request.POST.get("what", "")
        if not allowed.get(what):
            form.add_error(None, "Your role does not let you do this now. Check the thread.")
        elif _act(request, query, what, form):
            return redirect("review:detail", query.pk)
    return render(request, "review/detail.html", _detail_context(query, form, allowed))


def _act(request: StaffRequest, query: Query, what: str, form: AnswerForm) -> bool:
    act = {"answer": actions.answer, "close": actions.close, "reopen": actions.reopen}[what]
    try:
        act(query=query, text=form.cleaned_data["text"], by=request.user, at=timezone.now())
    except TrialError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, "Saved.")
    return True


def _detail_context(query: Query, form: AnswerForm, allowed: dict[str, bool]) -> dict[str, Any]:
    answers = query.administration.answers if query.administration else {}
    return {
        "title": title_of(query),
        "query": query,
        "form": form,
        "thread": reads.thread_of(query),
        "value": answers.get(query.field),
        "form_url": _form_url(query),
        "may_do": any(allowed.values()),
        **{f"may_{name}": value for name, value in allowed.items()},
        "breadcrumbs": [("Queries", "/queries/")],
        "here": query.participant.study_id,
    }


def _form_url(query: Query) -> str:
    form = query.administration
    return f"/people/{query.participant.study_id}/{form.visit.code}/{form.instrument}/" if form else ""


@requires(Action.RAISE_QUERY)
@GET_POST
def ask(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """Raise a query from a questionnaire, or from one of its items (`?item=`)."""
    participant = participant_for(request.user, number, Action.RAISE_QUERY)
    stored = get_object_or_404(
        Administration.objects.select_related("visit"), participant=participant, visit__code=visit, instrument=form
    )
    item = _item(request, stored)
    question = QuestionForm(request.POST if request.method == "POST" else None)
    if question.is_valid():
        try:
            query = actions.raise_query(
                participant=participant,
                administration=stored,
                field=item,
                value_asked=str(stored.answers.get(item, ""))[:200],
                text=question.cleaned_data["text"],
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            question.add_error(None, str(error))
        else:
            messages.success(request, "Query raised.")
            return redirect("review:detail", query.pk)
    context = {
        "title": "Raise a query",
        "detail": f"{participant.study_id}, {stored.visit.code} {stored.instrument} {item_label(stored, item)}",
        "form": question,
        "button": "Raise query",
        "subject": participant.referral,
        "breadcrumbs": [("People", "/people/"), (number, f"/people/{number}/")],
        "here": "Raise a query",
    }
    return render(request, "journey/step.html", context)


def _item(request: HttpRequest, stored: Administration) -> str:
    item = request.GET.get("item", "")
    if item and item not in instruments.get(stored.instrument, stored.instrument_version).items_by_code:
        raise Http404
    return item


@requires(Action.SIGN_OFF)
@sensitive_post_parameters("secret")
@GET_POST
def sign_off(request: StaffRequest, number: str) -> HttpResponse:
    """Endorse a participant's data (BR-64)."""
    participant = participant_for(request.user, number, Action.SIGN_OFF)
    form = SignOffForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now = timezone.now()
        try:
            proof = reauthenticate(user=request.user, secret=form.cleaned_data["secret"], at=now)
            actions.sign_off(participant=participant, proof=proof, by=request.user, at=now)
        except TrialError as error:
            form.add_error("secret", str(error))
        else:
            messages.success(request, "Signed off.")
            return redirect("journey:record", participant.study_id)
    earlier = SignOff.objects.filter(participant=participant).select_related("signature").first()
    detail = "You sign: “I have reviewed these data.” A later change makes the signature out of date."
    if earlier:
        state = "and still covers the data" if actions.is_signed_off(participant) else "and the data changed since"
        detail = f"Signed by {earlier.signature.printed_name}, {state}. {detail}"
    context = {
        "title": f"Sign off {participant.study_id}",
        "detail": detail,
        "form": form,
        "button": "Sign off",
        "subject": participant.referral,
        "breadcrumbs": [("People", "/people/"), (number, f"/people/{number}/")],
        "here": "Sign off",
    }
    return render(request, "journey/step.html", context)
