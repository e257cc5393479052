"""The consent pages of a participant: at home behind a link and a second check, or on the team's tablet."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from trial.access.models import User
from trial.access.signing import reauthenticate
from trial.base.errors import TrialError
from trial.consent import documents, sealing
from trial.consent.evidence_models import SealedForm
from trial.econsent import actions, pages, reads, sitting
from trial.econsent.errors import CheckPaused, NotOpen, NotReady
from trial.econsent.forms import CertifyForm, HandBackForm, SignForm, StatementsForm
from trial.econsent.models import ConsentLink, ConsentSession
from trial.econsent.reads import State
from trial.econsent.sitting import Sitting
from trial.selfcompletion.doors import participant_page
from trial.selfcompletion.forms import CheckForm


@participant_page
def start(request: HttpRequest, token: str = "") -> HttpResponse:
    """The page that a link opens. Mail scanners open it too: only "Start now" opens a session."""
    link = reads.link_of(token) if token else None
    state = reads.state_of_link(link, timezone.now()) if link else State.UNKNOWN
    if link is None or state not in (State.OPEN, State.COPY):
        return pages.ending_page(request, pages.ENDINGS[state])
    if request.method == "POST":
        sitting.begin(request, link)
        return redirect("c_check")
    context = pages.frame(pages.spec_of(link.session)) | {"is_copy": state == State.COPY}
    return render(request, "consent/start.html", context)


@participant_page
def check(request: HttpRequest) -> HttpResponse:
    """Day and month of birth, or what the protocol names, before anything is shown or signed."""
    seat = sitting.current(request)
    if seat is None or seat.link is None:
        return redirect("c_sheet") if seat else pages.ending_page(request, pages.LOST)
    now = timezone.now()
    if (state := reads.state_of_link(seat.link, now)) not in (State.OPEN, State.COPY):
        return pages.ending_page(request, pages.ENDINGS[state])
    if seat.has_passed:
        return redirect(_first_page(seat.link))
    tries = reads.tries_of(seat.session, now)
    if not tries.may_try:
        return pages.paused_page(request, seat.session, CheckPaused(tries.until))
    limits = pages.spec_of(seat.session).self_completion
    form = CheckForm(request.POST if request.method == "POST" else None, limits=limits)
    if form.is_valid() and (answer := _checked(request, seat.link, form)):
        return answer
    context = {"form": form, "asks_birth": limits.second_check == "birth_day_month"}
    return render(request, "consent/check.html", pages.frame(pages.spec_of(seat.session)) | context)


def _first_page(link: ConsentLink) -> str:
    return "c_copy" if link.purpose == ConsentLink.Purpose.COPY else "c_sheet"


def _checked(request: HttpRequest, link: ConsentLink, form: CheckForm) -> HttpResponse | None:
    """Where a valid second check leads; None where it was wrong, which the form then says."""
    try:
        is_right = actions.check_person(session=link.session, given=form.given, at=timezone.now())
    except CheckPaused as paused:
        return pages.paused_page(request, link.session, paused)
    except TrialError:
        form.add_error(None, "We cannot check this now. Ring the study team")
        return None
    if not is_right:
        form.add_error("check", "This does not match what we have. Check it and try again")
        return None
    sitting.let_in(request, link)
    return redirect(_first_page(link))


def seated(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view the sitting while the person may answer and sign, and say so where they may not."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        seat = sitting.current(request)
        if seat is None:
            return pages.ending_page(request, pages.LOST)
        state = reads.state_of_link(seat.link, timezone.now()) if seat.link else reads.state_of(seat.session)
        if state == State.SIGNED and seat.has_passed:
            return redirect("c_done")
        if state != State.OPEN:
            return pages.ending_page(request, pages.ENDINGS[state], seat)
        if not seat.has_passed:
            return redirect("c_check")
        try:
            return view(request, seat, *args, **kwargs)
        except NotReady:
            return redirect("c_statements")
        except NotOpen as closed:
            return (
                redirect("c_done")
                if closed.state == State.SIGNED
                else pages.ending_page(request, pages.ENDINGS[closed.state], seat)
            )

    return wrapped


@participant_page
@seated
def sheet(request: HttpRequest, seat: Sitting) -> HttpResponse:
    """The approved documents, byte for byte, with their hashes; then on to the statements."""
    if request.method == "POST":
        return redirect("c_statements")
    context = {"documents": pages.documents_shown(seat.session)}
    return render(request, "consent/sheet.html", pages.frame(pages.spec_of(seat.session), seat) | context)


@participant_page
@seated
def document(request: HttpRequest, seat: Sitting, kind: str) -> HttpResponse:
    """One approved file as it was approved (R-31)."""
    sha256 = {"pis": seat.session.information_sha256, "form": seat.session.form_sha256}.get(kind)
    data = documents.bytes_of(sha256) if sha256 else None
    if data is None:
        raise Http404
    if kind == "pis":
        actions.note_sheet(session=seat.session, at=timezone.now())
    return pdf(data, f"{kind}-{sha256[:8] if sha256 else ''}.pdf", inline=True)


def pdf(data: bytes, name: str, *, inline: bool) -> HttpResponse:
    """A PDF that nobody stores on the way."""
    response = HttpResponse(data, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'{"inline" if inline else "attachment"}; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


@participant_page
@seated
def statements(request: HttpRequest, seat: Sitting) -> HttpResponse:
    """Statement by statement, each with its own Yes or No."""
    if request.POST.get("do") == "decline":
        actions.decline(session=seat.session, at=timezone.now())
        return redirect("c_declined")
    data = request.POST if request.method == "POST" else None
    form = StatementsForm(seat.session.form.statements, data, seat.session.answers)
    if form.is_valid():
        try:
            actions.answer(session=seat.session, answers=form.answers(), at=timezone.now())
        except (NotOpen, NotReady):
            raise
        except TrialError as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("c_signature")
    context = {"form": form, "session": seat.session}
    return render(request, "consent/statements.html", pages.frame(pages.spec_of(seat.session), seat) | context)


@participant_page
@seated
def signature(request: HttpRequest, seat: Sitting) -> HttpResponse:
    """Name and signature, drawn or typed instead (BR-14)."""
    if not seat.session.answers:
        raise NotReady
    spec = pages.spec_of(seat.session)
    name = actions.name_and_mark(seat.session)[0] if seat.session.name_sealed else ""
    data = request.POST if request.method == "POST" else None
    form = SignForm(data, may_type=spec.consent.typed_signature_allowed, name=name)
    if form.is_valid():
        try:
            actions.sign(session=seat.session, name=form.cleaned_data["name"], mark=form.mark(), at=timezone.now())
        except (NotOpen, NotReady):
            raise
        except TrialError as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("c_certify")
    context = {"form": form, "back_url": "/consent/statements/"}
    return render(request, "consent/signature.html", pages.frame(spec, seat) | context)


@participant_page
@seated
def certify(request: HttpRequest, seat: Sitting) -> HttpResponse:
    """Everything shown again; nothing is signed before it is certified."""
    if not (seat.session.answers and seat.session.signature_sealed):
        raise NotReady
    form = CertifyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.certify(session=seat.session, at=timezone.now())
        except (NotOpen, NotReady):
            raise
        except TrialError as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("c_done")
    name, mark = actions.name_and_mark(seat.session)
    context = {
        "form": form,
        "name": name,
        "mark": pages.shown_mark(mark),
        "agreed": pages.agreed(seat.session),
        "documents": pages.documents_shown(seat.session),
        "back_url": "/consent/signature/",
    }
    return render(request, "consent/certify.html", pages.frame(pages.spec_of(seat.session), seat) | context)


@participant_page
def done(request: HttpRequest) -> HttpResponse:
    """Thank you, and what happens next; on a tablet, whom to give it back to."""
    seat = sitting.current(request)
    if seat is None or seat.session.signed_at is None:
        return pages.ending_page(request, pages.LOST) if seat is None else redirect("c_sheet")
    context = {"form": HandBackForm(None) if seat.is_kiosk else None}
    return render(request, "consent/done.html", pages.frame(pages.spec_of(seat.session), seat) | context)


@participant_page
def declined(request: HttpRequest) -> HttpResponse:
    """The person chose not to take part."""
    seat = sitting.current(request)
    if seat is None or seat.session.state != ConsentSession.State.CANCELLED:
        return pages.ending_page(request, pages.LOST) if seat is None else redirect("c_sheet")
    return pages.ending_page(request, pages.DECLINED, seat)


@participant_page
def hand_back(request: HttpRequest) -> HttpResponse:
    """The end of a tablet's session: the member of staff who handed it over signs in again with their own proof."""
    seat = sitting.current(request)
    if seat is None or not seat.is_kiosk:
        return redirect("/")
    form = HandBackForm(request.POST if request.method == "POST" else None)
    staff = User.objects.filter(pk=seat.staff_id or 0, is_active=True).first()
    if staff is not None and form.is_valid():
        try:
            reauthenticate(user=staff, secret=form.cleaned_data["secret"], at=timezone.now())
        except TrialError as refused:
            form.add_error("secret", str(refused))
        else:
            sitting.hand_back(request, staff)
            number = seat.session.referral.number
            is_signed = seat.session.state == ConsentSession.State.SIGNED
            return redirect(f"/people/{number}/consent/{'countersign/' if is_signed else ''}")
    context = {"form": form, "staff": staff}
    return render(request, "consent/hand_back.html", pages.frame(pages.spec_of(seat.session), seat) | context)


@participant_page
def copy(request: HttpRequest) -> HttpResponse:
    """The person's own copy of the sealed form, behind the second check."""
    seat = sitting.current(request)
    if seat is None or seat.link is None or not seat.has_passed:
        return redirect("c_check") if seat else pages.ending_page(request, pages.LOST)
    if (state := reads.state_of_link(seat.link, timezone.now())) != State.COPY:
        return pages.ending_page(request, pages.ENDINGS[state])
    form = SealedForm.objects.filter(consent=seat.session.consent_id).first()
    if form is None:
        raise Http404
    if request.method == "POST":
        return pdf(sealing.read_form(form), "consent-form.pdf", inline=False)
    context = pages.frame(pages.spec_of(seat.session)) | {"sha256": form.sha256}
    return render(request, "consent/copy.html", context)
