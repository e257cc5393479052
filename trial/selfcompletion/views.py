"""Pages behind a questionnaire link: start, the second check, one question a page, check, send, help (ux.md 4.3)."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from trial.assessments.errors import AnswersRefused
from trial.base.errors import TrialError
from trial.base.words import local_day, long_date
from trial.locking.rules import DatasetLocked
from trial.protocol import rules as protocol_rules
from trial.protocol.versions import active_version
from trial.selfcompletion import actions, pages, reads, rules, sitting
from trial.selfcompletion.actions import SKIPPED, Answer
from trial.selfcompletion.doors import participant_page
from trial.selfcompletion.errors import CheckPaused, NotOpen, StillToAnswer, TakenOver
from trial.selfcompletion.forms import CheckForm, QuestionForm
from trial.selfcompletion.models import SelfCompletionLink
from trial.selfcompletion.pack import Pack, Question, pack_of
from trial.selfcompletion.rules import LinkState
from trial.selfcompletion.sitting import Sitting


@participant_page
def start(request: HttpRequest, token: str = "") -> HttpResponse:
    """The page that a link opens. Mail scanners open it too: only "Start now" opens a session."""
    link = reads.link_of(token) if token else None
    state = reads.state_of(link.self_completion.visit, timezone.now(), link) if link else LinkState.UNKNOWN
    if link is None or state != LinkState.OPEN:
        return pages.ending_page(request, pages.ENDINGS[state])
    if request.method == "POST":
        sitting.begin(request, link)
        return redirect("q_check")
    visit = link.self_completion.visit
    context = {
        "minutes": rules.minutes_words(len(pack_of(visit, local_day(timezone.now())).questions)),
        "until": long_date(visit.closes_date) if visit.closes_date else "",
    }
    return render(request, "selfcompletion/start.html", pages.frame(pages.spec_of(link)) | context)


# -- the second check


@participant_page
def check(request: HttpRequest) -> HttpResponse:
    """Day and month of birth, or what the protocol names, before any answer is shown or taken."""
    seat, kept = sitting.current(request), str(request.POST.get("kept", ""))
    back = sitting.kept(kept)
    link = seat.link if seat else back[0] if back else None
    if link is None:
        return pages.ending_page(request, pages.LOST)
    now = timezone.now()
    if (state := reads.state_of(link.self_completion.visit, now, link)) != LinkState.OPEN:
        return pages.ending_page(request, pages.ENDINGS[state])
    if seat and seat.has_passed and not back:
        return redirect("q_next")
    tries = reads.tries_of(link.self_completion, now)
    if not tries.may_try:
        return pages.paused_page(request, link, CheckPaused(tries.until))
    form = CheckForm(request.POST if request.method == "POST" else None, limits=reads.limits_of(link.self_completion))
    if form.is_valid() and (answer := _checked(request, link, form)):
        return answer
    return pages.check_page(request, link, form, kept if back and back[0] == link else "")


def _checked(request: HttpRequest, link: SelfCompletionLink, form: CheckForm) -> HttpResponse | None:
    """Where a valid second check leads; None where it was wrong, which the form then says."""
    try:
        is_right = actions.check_person(link=link, given=form.given, at=timezone.now())
    except CheckPaused as paused:
        return pages.paused_page(request, link, paused)
    except TrialError:
        form.add_error(None, "We cannot check this now. Ring the study team")
        return None
    if not is_right:
        form.add_error("check", "This does not match what we have. Check it and try again")
        return None
    sitting.let_in(request, link)
    back = sitting.kept(str(request.POST.get("kept", "")))
    if back and back[0] == link:
        return _answered(request, Sitting(link, True), back[1], back[2], back[3])
    return redirect("q_next")


# -- behind the check


def seated(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view the sitting, once the second check is passed and while answers are taken.

    An answer that is posted is looked at by save_answer(), under its lock: asking here as well would only cost time.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        seat = sitting.current(request)
        if seat is None:
            return _without_session(request, **kwargs)
        match = request.resolver_match
        is_answer = request.method == "POST" and match is not None and match.url_name == "q_question"
        state = LinkState.OPEN if is_answer else seat.state
        if state == LinkState.SENT and request.method == "POST" and request.path == reverse("q_answers"):
            return redirect("q_sent")  # the button was pressed twice
        if state != LinkState.OPEN:
            return pages.ending_page(request, pages.ENDINGS[state])
        if not seat.has_passed:
            return redirect("q_check")
        try:
            return view(request, seat, *args, **kwargs)
        except NotOpen as closed:
            return pages.ending_page(request, pages.ENDINGS[closed.state])
        except DatasetLocked:  # between the look above and the saving
            return pages.ending_page(request, pages.ENDINGS[LinkState.CLOSED])

    return wrapped


def _without_session(request: HttpRequest, part: int = 0, item: int = 0) -> HttpResponse:
    """The session ran out: what was typed is carried through another second check, so that nothing is lost."""
    link = sitting.link_of_ticket(str(request.POST.get("ticket", ""))) if request.method == "POST" else None
    if link is None or not part:
        return pages.ending_page(request, pages.LOST)
    now = timezone.now()
    if (state := reads.state_of(link.self_completion.visit, now, link)) != LinkState.OPEN:
        return pages.ending_page(request, pages.ENDINGS[state])
    kept = sitting.keep(link, part, item, request.POST.dict())
    return pages.check_page(request, link, CheckForm(None, limits=reads.limits_of(link.self_completion)), kept)


@participant_page
@seated
def go_on(request: HttpRequest, seat: Sitting) -> HttpResponse:
    """To the first question that is not answered, or to the page on which all answers are checked."""
    return _to(seat.pack.first_open())


def _to(question: Question | None) -> HttpResponse:
    return redirect(pages.address_of(question) if question else reverse("q_answers"))


@participant_page
@seated
def question(request: HttpRequest, seat: Sitting, part: int, item: int) -> HttpResponse:
    """One question. Each Continue saves; a question left blank is asked about once."""
    if request.method == "POST":
        return _answered(request, seat, part, item, request.POST)
    asked = seat.pack.question(part, item)
    if asked is None:
        return _to(seat.pack.first_open())
    sitting.note_shown(request, part, item, timezone.now())
    return pages.question_page(request, seat, asked, QuestionForm(None, question=asked))


def _answered(request: HttpRequest, seat: Sitting, part: int, item: int, posted: Mapping[str, Any]) -> HttpResponse:
    """Save what was posted for one question, or say what is wrong with it."""
    asked = seat.pack.question(part, item)
    if asked is None:
        return _to(seat.pack.first_open())
    form = QuestionForm(posted, question=asked)
    if not form.is_valid():
        return _again(request, seat, asked, form)
    given = form.given
    if given is None and "later" in posted:
        return _later(request, seat)
    if given is None and not ("skip" in posted or form.cleaned_data["asked"] or asked.missing):
        return _again(request, seat, asked, form, is_blank=True)
    if (high := form.unlikely) is not None:
        return _again(request, seat, asked, form, unlikely=high)
    return _saved(request, seat, asked, form, given or SKIPPED)


def _again(request: HttpRequest, seat: Sitting, asked: Question, form: QuestionForm, **more: Any) -> HttpResponse:
    """The question once more, with what to put right or to look at."""
    if (state := seat.state) != LinkState.OPEN:
        return pages.ending_page(request, pages.ENDINGS[state])
    return pages.question_page(request, seat, asked, form, **more)


def _saved(request: HttpRequest, seat: Sitting, asked: Question, form: QuestionForm, given: Answer) -> HttpResponse:
    """Store the answer, then help at once where it asks for it, or on to the next question (BR-50)."""
    part, item, now = asked.part.number, asked.item.number, timezone.now()
    try:
        shown = sitting.shown_at(request, part, item)
        stored = actions.save_answer(link=seat.link, part=part, item=item, answer=given, at=now, shown_at=shown)
    except TakenOver:
        return redirect("q_next")
    except AnswersRefused as refused:
        form.add_error("answer", refused.problems.get(asked.item.code, str(refused)))
        return pages.question_page(request, seat, asked, form)
    if rules.raises_support(asked.part.definition, asked.item, given.value):
        way = "?change=yes" if "change" in request.GET else ""
        return redirect(reverse("q_support", args=[part, item]) + way)
    if "later" in request.POST:
        return _later(request, seat)
    return _onward(request, seat.pack.with_form(stored), part, item)


def _onward(request: HttpRequest, pack: Pack, part: int, item: int) -> HttpResponse:
    """The question after this one; after a change, the first that it opened, or back to all answers."""
    return _to(pack.first_open() if "change" in request.GET else pack.after(part, item) or pack.first_open())


def _later(request: HttpRequest, seat: Sitting) -> HttpResponse:
    """End the session; the link goes on from there."""
    sitting.end(request)
    closes = seat.link.self_completion.visit.closes_date
    request.session["self_completion_until"] = long_date(closes) if closes else ""
    return redirect("q_saved")


@participant_page
@seated
def support(request: HttpRequest, seat: Sitting, part: int, item: int) -> HttpResponse:
    """Help at once, after an answer that raised an alert; then the questions go on."""
    if request.method == "POST":
        return _later(request, seat) if "later" in request.POST else _onward(request, seat.pack, part, item)
    return pages.support_page(request, seat.link, is_sent=False)


@participant_page
def saved(request: HttpRequest) -> HttpResponse:
    """ "Save and finish later" was chosen."""
    version = active_version()
    context = pages.frame(version.spec if version else None) | {
        "until": request.session.get("self_completion_until", "")
    }
    return render(request, "selfcompletion/saved.html", context)


# -- the end


@participant_page
@seated
def answers(request: HttpRequest, seat: Sitting) -> HttpResponse:
    """Every answer with its "Change" link; Submit sends them all."""
    if request.method == "POST":
        if "later" in request.POST:
            return _later(request, seat)
        return _sent(request, seat)
    if waiting := seat.pack.first_open():
        return _to(waiting)
    context = {"sections": pages.sections(seat.pack), "back_url": pages.address_of(seat.pack.questions[-1])}
    return render(request, "selfcompletion/answers.html", pages.frame(pages.spec_of(seat.link)) | context)


def _sent(request: HttpRequest, seat: Sitting) -> HttpResponse:
    try:
        needs_help = actions.submit(link=seat.link, at=timezone.now())
    except StillToAnswer:
        return redirect("q_next")
    except NotOpen as closed:
        if closed.state == LinkState.SENT:  # the button was pressed twice
            return redirect("q_sent")
        raise
    return redirect("q_support_sent" if needs_help else "q_sent")


@participant_page
def sent(request: HttpRequest) -> HttpResponse:
    """Thank you: what happens next and whom to ring. No answer is shown."""
    seat = sitting.current(request)
    if seat is None or seat.link.self_completion.submitted_at is None:
        return pages.ending_page(request, pages.LOST) if seat is None else redirect("q_next")
    spec = pages.spec_of(seat.link)
    context = {"support": protocol_rules.support_page(spec, "en-GB")}
    return render(request, "selfcompletion/sent.html", pages.frame(spec) | context)


@participant_page
def support_sent(request: HttpRequest) -> HttpResponse:
    """Help after answers that raised an alert only together."""
    seat = sitting.current(request)
    if seat is None or not seat.has_passed:
        return pages.ending_page(request, pages.LOST)
    return pages.support_page(request, seat.link, is_sent=True)
