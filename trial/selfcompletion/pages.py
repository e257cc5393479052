"""What the templates of participants' pages are given."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from trial.base.words import clock_time
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec, Study
from trial.protocol.versions import active_version
from trial.selfcompletion import sitting
from trial.selfcompletion.errors import CheckPaused
from trial.selfcompletion.forms import CheckForm, QuestionForm
from trial.selfcompletion.models import SelfCompletionLink
from trial.selfcompletion.pack import Pack, Question
from trial.selfcompletion.rules import LinkState
from trial.selfcompletion.sitting import Sitting


@dataclass(frozen=True)
class Ending:
    """A page that says why there is nothing to answer, and its HTTP status. The same words for everybody."""

    title: str
    text: str
    status: int


ENDINGS: dict[LinkState, Ending] = {
    LinkState.UNKNOWN: Ending(
        "This link does not work",
        "Open it again from the message that we sent you. If you typed or copied it, check that all of it is there.",
        404,
    ),
    LinkState.REVOKED: Ending(
        "This link has been stopped", "If we sent you a newer message, use the link in that one.", 410
    ),
    LinkState.EXPIRED: Ending("The time for these questions is over", "You do not need to do anything.", 410),
    LinkState.CLOSED: Ending("No more answers are needed", "Thank you. You do not need to do anything.", 410),
    LinkState.SENT: Ending(
        "You have already sent this", "Thank you. We have your answers, and you do not need to do anything.", 200
    ),
}
LOST = Ending(
    "Open your link again",
    "This page was left open for a while, or was closed. Every answer that you continued from is saved."
    " Open the link in our message to go on.",
    200,
)


def frame(spec: ProtocolSpec | None) -> dict[str, Any]:
    """Study and contact, on every page."""
    study: Study | None = spec.study if spec else None
    return {"study": study, "study_title": study.public_name if study else ""}


def spec_of(link: SelfCompletionLink) -> ProtocolSpec:
    """The protocol under which the visit is answered."""
    return link.self_completion.visit.protocol_version.spec


def ending_page(request: HttpRequest, ending: Ending) -> HttpResponse:
    """One plain page, the same for whoever opens it: it names nobody."""
    version = active_version()
    context = frame(version.spec if version else None) | {"ending": ending}
    return render(request, "selfcompletion/ending.html", context, status=ending.status)


def paused_page(request: HttpRequest, link: SelfCompletionLink, paused: CheckPaused) -> HttpResponse:
    """Too many wrong second checks: what to do now."""
    context = frame(spec_of(link)) | {"until": clock_time(paused.until) if paused.until else ""}
    return render(request, "selfcompletion/paused.html", context, status=429)


def check_page(request: HttpRequest, link: SelfCompletionLink, form: CheckForm, kept: str = "") -> HttpResponse:
    """ "Check it is you" (screen 05c)."""
    spec = spec_of(link)
    context = {"form": form, "kept": kept, "asks_birth": spec.self_completion.second_check == "birth_day_month"}
    return render(request, "selfcompletion/check.html", frame(spec) | context)


def question_page(
    request: HttpRequest,
    seat: Sitting,
    question: Question,
    form: QuestionForm,
    *,
    is_blank: bool = False,
    unlikely: int | None = None,
) -> HttpResponse:
    """One item on a page (screens 05a, 05b)."""
    before = seat.pack.before(question.part.number, question.item.number)
    is_change = "change" in request.GET
    back = reverse("q_answers") if is_change else address_of(before) if before else ""
    context = {
        "form": form,
        "question": question,
        "back_url": back,
        "action": address_of(question) + ("?change=yes" if is_change else ""),
        "ticket": sitting.ticket(seat),
        "is_blank": is_blank,
        "asked": "yes" if is_blank else form["asked"].value() or "",
        "unlikely": unlikely,
        "checked": "" if unlikely is None else unlikely,
    }
    return render(request, "selfcompletion/question.html", frame(spec_of(seat.link)) | context)


def address_of(question: Question) -> str:
    """The page of a question."""
    return reverse("q_question", args=[question.part.number, question.item.number])


@dataclass(frozen=True)
class Section:
    """One questionnaire of the page on which answers are checked: its stem, its holder, and its answers."""

    title: str
    stem: str
    copyright: str
    rows: list[tuple[str, str, str]]


def sections(pack: Pack) -> list[Section]:
    """Everything asked, as (question, answer, where to change it)."""
    return [
        Section(
            f"Part {place} of {len(pack.parts)}",
            part.wording.stem,
            part.wording.copyright,
            [
                (part.wording.text(q.item), q.words, f"{address_of(q)}?change=yes")
                for q in pack.questions
                if q.part is part
            ],
        )
        for place, part in enumerate(pack.parts, start=1)
    ]


def support_page(request: HttpRequest, link: SelfCompletionLink, *, is_sent: bool) -> HttpResponse:
    """The approved words after an answer that raised an alert (screen 05d, BR-50).

    Args:
        is_sent: everything is sent already, so that the way on leads to the last page.
    """
    spec = spec_of(link)
    support = protocol_rules.support_page(spec, "en-GB")
    calls = [(call, "".join(call.number.split())) for call in support.calls]
    first, dot, rest = support.closing.partition(". ")
    context = {"support": support, "calls": calls, "closing": first + dot.strip(), "further": rest, "is_sent": is_sent}
    return render(request, "selfcompletion/support.html", frame(spec) | context)
