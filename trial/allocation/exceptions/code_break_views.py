"""The unblinding log, and the one page that shows one participant's arm after a code break (6.6)."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_safe

from randomisation.models import CodeBreak
from trial.access.pages import GET_POST, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.allocation.exceptions import code_breaks, guesses
from trial.allocation.exceptions.forms import SecretForm
from trial.base.errors import TrialError
from trial.base.lists import csv_response, csv_url, page_of, wants_csv
from trial.base.parts import Link
from trial.base.words import date_and_time
from trial.participants.models import Participant
from trial.participants.reads import participant_for
from trial.protocol.spec import Arm

HEADS = [
    "Code break",
    "Study number",
    "Site",
    "Authorised",
    "Why",
    "Asked by",
    "Authorised by",
    "Told to",
    "Who knows",
    "Follow-up",
    "Times shown",
]


@requires(Action.VIEW_EXCEPTIONS, Action.CODE_BREAK)
@never_cache
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    """Every code break, newest first: who asked, who authorised, who knows. No arm."""
    found = code_breaks.code_breaks_for(request.user)
    if wants_csv(request):
        rows = code_breaks.rows(list(found), request.user)
        return csv_response("code-breaks.csv", HEADS, rows, _cells)
    shown, pages = page_of(request, found)
    context = {
        "title": "Code breaks",
        "rows": code_breaks.rows(shown, request.user),
        "pages": pages,
        "download": Link("Download as CSV", csv_url(request)),
        "n_unblinded": guesses.unblinded_outcomes_for(request.user, Action.VIEW_EXCEPTIONS, Action.CODE_BREAK).count(),
        "may_ask": request.user.access.may(Action.CODE_BREAK),
        "here": "Code breaks",
    }
    return render(request, "allocation/exceptions/code_breaks.html", context)


def _cells(row: code_breaks.CodeBreakRow) -> list[str]:
    return [
        str(row.number),
        row.participant,
        row.site,
        row.at,
        row.why,
        row.asked_by,
        row.authorised_by,
        row.told,
        row.who_knows,
        row.follow_up,
        str(row.n_shown),
    ]


@requires(Action.CODE_BREAK)
@never_cache
@sensitive_post_parameters("secret")
@sensitive_variables()
@GET_POST
def show(request: StaffRequest, pk: int) -> HttpResponse:
    """One participant's group, in the answer to a password or code and nowhere else; logged each time."""
    broken = code_breaks.code_break_for(request.user, pk)
    form, arm, now = SecretForm(posted(request)), None, timezone.now()
    if form.is_valid():
        try:
            proof = reauthenticate(user=request.user, secret=form.cleaned_data["secret"], at=now)
            arm = code_breaks.show(broken=broken, proof=proof, by=request.user, at=now)
        except TrialError as error:
            form.add_error("secret", str(error))
    participant = code_breaks.participant_of(broken)
    context = _context(broken, participant, arm) | {"form": form, "is_over": now > code_breaks.closes_at(broken)}
    return render(request, "allocation/exceptions/code_break.html", context)


@sensitive_variables()
def _context(broken: CodeBreak, participant: Participant, arm: Arm | None) -> dict[str, object]:
    told = f"Read it to {broken.third_party} only" if broken.third_party else "For you alone"
    return {
        "title": f"Code break {broken.pk}",
        "number": participant.study_id,
        "facts": [
            ("Why", broken.get_category_display()),
            ("Authorised", f"{broken.authorised_by.name}, {date_and_time(broken.at)}"),
            ("Who is told", told),
            ("Can be opened until", code_breaks.until(broken)),
        ],
        "arm": arm,
        "back": Link("Back to code breaks", "/randomisation/code-breaks/"),
        "breadcrumbs": [("Code breaks", "/randomisation/code-breaks/")],
        "here": str(broken.pk),
    }


@requires(Action.CODE_BREAK)
@require_safe
def find(request: StaffRequest) -> HttpResponse:
    """From a study number to the page that asks; one that is not there leads back to the list."""
    number = request.GET.get("number", "").strip().upper()
    try:
        participant = participant_for(request.user, number, Action.CODE_BREAK)
    except Http404:
        messages.error(request, "There is no participant with this study number at your sites")
        return redirect("allocation:code_breaks")
    return redirect("allocation:ask_code_break", participant.study_id)
