"""What the templates of the consent pages are given."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from trial.base.words import clock_time
from trial.consent.evidence_models import SignatureKind
from trial.consent.models import DocumentVersion
from trial.consent.pictures import as_data_url
from trial.consent.sealing import Mark
from trial.econsent.errors import CheckPaused
from trial.econsent.models import ConsentSession
from trial.econsent.reads import State
from trial.econsent.sitting import Sitting
from trial.protocol.spec import ProtocolSpec
from trial.protocol.versions import active_version


@dataclass(frozen=True)
class Ending:
    """A page that says why there is nothing to do here, and its HTTP status. The same words for everybody."""

    title: str
    text: str
    status: int = 200


ENDINGS: dict[State, Ending] = {
    State.UNKNOWN: Ending(
        "This link does not work",
        "Open it again from the message that we sent you. If you typed or copied it, check that all of it is there.",
        404,
    ),
    State.REVOKED: Ending(
        "This link has been stopped", "If we sent you a newer message, use the link in that one.", 410
    ),
    State.EXPIRED: Ending("This link has expired", "Ring or write to us, and we send you a new one.", 410),
    State.CLOSED: Ending("There is nothing to sign here", "You do not need to do anything.", 410),
    State.SIGNED: Ending(
        "You have signed already", "Thank you. We have your consent form, and send you your copy once we signed too."
    ),
    State.COPY: Ending("Your copy is ready", "Open the link in our message again to take it."),
}
LOST = Ending(
    "Start again from your link",
    "This page was left open for a while, or was closed. Nothing is signed yet unless we told you so. Open the link in"
    " our message to go on. On the study team's tablet, ask the team.",
)
DECLINED = Ending("You do not take part", "Thank you for thinking about it. Nothing was signed. We have told the team.")


def frame(spec: ProtocolSpec | None, seat: Sitting | None = None) -> dict[str, Any]:
    """Study and contact, on every page; the way back for staff on a tablet."""
    study = spec.study if spec else None
    return {
        "study": study,
        "study_title": study.public_name if study else "",
        "is_kiosk": bool(seat and seat.is_kiosk),
    }


def spec_of(session: ConsentSession) -> ProtocolSpec:
    """The protocol under which the person consents."""
    return session.referral.protocol_version.spec


def ending_page(request: HttpRequest, ending: Ending, seat: Sitting | None = None) -> HttpResponse:
    """One plain page, the same for whoever opens it: it names nobody."""
    version = active_version()
    context = frame(version.spec if version else None, seat) | {"ending": ending}
    return render(request, "consent/ending.html", context, status=ending.status)


def paused_page(request: HttpRequest, session: ConsentSession, paused: CheckPaused) -> HttpResponse:
    """Too many wrong second checks: what to do now."""
    context = frame(spec_of(session)) | {"until": clock_time(paused.until) if paused.until else ""}
    return render(request, "consent/paused.html", context, status=429)


@dataclass(frozen=True)
class Shown:
    """One approved document as it is offered: the file, byte for byte, and its hash."""

    label: str
    url: str
    sha256: str


def documents_shown(session: ConsentSession) -> list[Shown]:
    """Information sheet and consent form."""
    sheet: DocumentVersion = session.information.document
    return [
        Shown(f"{sheet.title} {sheet.version}", reverse("c_document", args=["pis"]), session.information_sha256),
        Shown(
            f"{session.form.title} {session.form.version}", reverse("c_document", args=["form"]), session.form_sha256
        ),
    ]


@dataclass(frozen=True)
class Agreed:
    """One statement with its answer in words."""

    number: int
    text: str
    answer: str
    is_optional: bool


def agreed(session: ConsentSession) -> list[Agreed]:
    """Every statement of the form with what was answered."""
    words = {True: "Yes", False: "No"}
    return [
        Agreed(number, one["text"], words.get(session.answers.get(one["code"]), "–"), not one["mandatory"])
        for number, one in enumerate(session.form.statements, start=1)
    ]


@dataclass(frozen=True)
class Signature:
    """A signature as a page shows it: a picture, or typed words."""

    kind: str
    picture: str
    typed: str


def shown_mark(mark: Mark) -> Signature:
    """A signature for a template."""
    picture = as_data_url(mark.png) if mark.png else ""
    return Signature(SignatureKind(mark.kind).label if mark.kind else "", picture, mark.typed)
