"""What consent was given: the sealed form, its copy by link or code, the scan of paper. Each opening is logged."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel

from trial.access.models import AccessEvent
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.errors import TrialError
from trial.base.words import date_and_time, long_date
from trial.consent import choices, sealing
from trial.consent.evidence_models import ConsentEvidence, ConsentScan, SealedForm
from trial.consent.models import Consent
from trial.econsent import scans as paper
from trial.econsent import sending as links
from trial.econsent import texts
from trial.econsent.models import ConsentLink, ConsentSession
from trial.journey.consent_forms import ScanForm
from trial.journey.pages import GET_POST, page
from trial.participants.models import Participant
from trial.participants.reads import participant_for
from trial.participants.sealed_files import FileDamaged

TYPES = {"pdf": "application/pdf", "png": "image/png", "jpeg": "image/jpeg"}


@dataclass(frozen=True)
class Given:
    """One consent as the page shows it. `place` counts from 1, the first consent first."""

    consent: Consent
    place: int
    when: str
    status: str
    word: str
    optional: list[tuple[str, bool]]
    scans: list[tuple[int, ConsentScan]]
    has_form: bool
    evidence: ConsentEvidence | None
    copy_words: str


def _given(consent: Consent, place: int, order: list[int]) -> Given:
    is_sound = sealing.is_unaltered(consent)
    return Given(
        consent,
        place,
        date_and_time(consent.signed_at),
        consent.state if is_sound and consent.state != Consent.State.VOID else "invalid",
        "" if is_sound else "Void: no longer what was signed",
        choices.optional_words(consent),
        [(order.index(one.pk) + 1, one) for one in consent.scans.all()],
        hasattr(consent, "sealed_form"),
        getattr(consent, "evidence", None),
        _copy_words(consent),
    )


def _copy_words(consent: Consent) -> str:
    if consent.copy_given_date is None:
        return "Not recorded"
    evidence: ConsentEvidence | None = getattr(consent, "evidence", None)
    how = f", {evidence.get_copy_how_display().lower()}" if evidence else ""
    return f"{long_date(consent.copy_given_date)}{how}"


def _consents(participant: Participant) -> list[Consent]:
    found = participant.consents.select_related(
        "form", "information__document", "taken_by", "evidence__signature", "sealed_form", "session"
    )
    return list(found.prefetch_related("scans").order_by("pk"))


def _scans(participant: Participant) -> QuerySet[ConsentScan]:
    return ConsentScan.objects.filter(consent__participant=participant).order_by("pk")


@requires(Action.VIEW_RECORD)
@never_cache
@require_safe
def given(request: StaffRequest, number: str) -> HttpResponse:
    """Every consent of a person, the newest first, with its sealed form and what was agreed."""
    participant = participant_for(request.user, number, Action.VIEW_RECORD)
    order = list(_scans(participant).values_list("pk", flat=True))
    rows = [_given(consent, place, order) for place, consent in enumerate(_consents(participant), start=1)]
    may, site = request.user.access.may, participant.site
    context = {
        "title": "Consent",
        "here": "Consent",
        "breadcrumbs": [("People", "/people/"), (number, f"/people/{number}/")],
        "number": number,
        "rows": list(reversed(rows)),
        "may_open": may(Action.VIEW_CONSENT_FORM, site),
        "may_give": may(Action.RECORD_CONSENT, site),
        "may_change": may(Action.CHANGE_PARTICIPATION, site),
        "has_link": bool(rows) and _session(rows[-1].consent) is not None,
        "is_paper": bool(rows) and rows[-1].consent.method == Consent.Method.PAPER,
    }
    return render(request, "consent/given.html", context)


def _session(consent: Consent) -> ConsentSession | None:
    found: ConsentSession | None = getattr(consent, "session", None)
    return found


@requires(Action.VIEW_CONSENT_FORM)
@never_cache
@require_safe
def form(request: StaffRequest, number: str, page: str) -> HttpResponse:
    """The sealed form of one consent, as the participant holds it."""
    participant = participant_for(request.user, number, Action.VIEW_CONSENT_FORM)
    found = SealedForm.objects.filter(consent=_nth(_consents(participant), int(page))).first()
    if found is None:
        raise Http404
    return _file(request, participant, lambda: sealing.read_form(found), "pdf", f"consent-{number}-{page}")


def _nth(rows: list[Consent], place: int) -> Consent:
    if not 1 <= place <= len(rows):
        raise Http404
    return rows[place - 1]


def _file(
    request: StaffRequest, participant: Participant, read: Callable[[], bytes], kind: str, name: str
) -> HttpResponse:
    """A file that shows who somebody is: logged, named by us, and without any right in the browser."""
    try:
        data = read()
    except FileDamaged as damaged:
        return render(request, "paper/damaged.html", {"title": "Consent form", "text": str(damaged)}, status=410)
    AccessEvent(
        user=request.user,
        role=request.user.role_code,
        kind=AccessEvent.Kind.IDENTITY_VIEWED,
        record=participant.study_id,
        detail="Consent form opened",
        at=timezone.now(),
    ).save()
    response = HttpResponse(data, content_type=TYPES[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


@requires(Action.RECORD_CONSENT)
@never_cache
@require_POST
def copy(request: StaffRequest, number: str) -> HttpResponse:
    """Give the copy of the newest consent on a screen: a link by e-mail, or a code for the person's own phone."""
    participant = participant_for(request.user, number, Action.RECORD_CONSENT)
    session = next((s for c in reversed(_consents(participant)) if (s := _session(c))), None)
    if session is None:
        raise Http404
    now = timezone.now()
    if request.POST.get("do") == "code":
        url = links.make_link(session=session, purpose=ConsentLink.Purpose.COPY, at=now)
        context = {
            "title": "Code for the copy",
            "here": "Code",
            "breadcrumbs": [("People", "/people/"), (number, f"/people/{number}/")],
            "number": number,
            "squares": _squares(url),
            "days": links.COPY_DAYS,
        }
        return render(request, "consent/code.html", context)
    try:
        links.send(session=session, kind=texts.COPY, by=request.user, at=now)
        messages.success(request, "The link to the copy will be sent within a minute.")
    except TrialError as refused:
        messages.error(request, str(refused))
    return redirect("journey:consent_given", number)


@dataclass(frozen=True)
class Squares:
    """A QR code as the path of an SVG picture, and its size in squares."""

    path: str
    size: int


def _squares(text: str) -> Squares:
    code = QRCode(None, QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    size = code.getModuleCount()
    dark = [(x, y) for y in range(size) for x in range(size) if code.isDark(y, x)]
    return Squares("".join(f"M{x + 4} {y + 4}h1v1h-1z" for x, y in dark), size + 8)


@requires(Action.RECORD_CONSENT)
@GET_POST
def scan(request: StaffRequest, number: str) -> HttpResponse:
    """Attach the scan of the newest consent on paper."""
    participant = participant_for(request.user, number, Action.RECORD_CONSENT)
    newest = next((c for c in reversed(_consents(participant)) if c.method == Consent.Method.PAPER), None)
    if newest is None:
        raise Http404
    given_form = ScanForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if given_form.is_valid():
        try:
            paper.attach(consent=newest, data=given_form.cleaned_data["scan"], by=request.user, at=timezone.now())
        except TrialError as refused:
            given_form.add_error("scan", str(refused))
        else:
            messages.success(request, "The scan is kept, sealed.")
            return redirect("journey:consent_given", number)
    return page(
        request,
        given_form,
        title="Attach the scan of the consent form",
        subject=participant.referral,
        here="Scan",
        button="Attach scan",
        template="consent/scan.html",
        detail=f"Signed on {date_and_time(newest.signed_at)}",
    )


@requires(Action.VIEW_CONSENT_FORM)
@never_cache
@require_safe
def scan_file(request: StaffRequest, number: str, page: str) -> HttpResponse:
    """One scan of a consent on paper, as it was received; `page` counts the person's scans from 1."""
    participant = participant_for(request.user, number, Action.VIEW_CONSENT_FORM)
    found = list(_scans(participant))
    if not 1 <= int(page) <= len(found):
        raise Http404
    one = found[int(page) - 1]
    return _file(request, participant, lambda: paper.read(one), one.kind, f"scan-{number}-{page}")
