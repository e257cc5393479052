"""Pages of emergency envelopes: printed once, counted each quarter (9.7)."""

from datetime import date

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_safe

from randomisation.models import EnvelopeCount
from trial.access.models import User
from trial.access.pages import GET_POST, form_page, posted
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.allocation.exceptions import envelopes
from trial.allocation.exceptions.forms import SecretForm
from trial.allocation.exceptions.paper_forms import CountForm
from trial.base.errors import TrialError
from trial.base.lists import csv_response, csv_url, wants_csv
from trial.base.parts import Link
from trial.base.words import date_and_time, local_day, short_date
from trial.protocol.versions import current

ENVELOPES = ("Emergency envelopes", "/randomisation/envelopes/")
HEADS = ["Scheme", "Revision", "Site", "Counted", "By", "Unopened", "Expected", "Note"]


@requires(Action.PRINT_ENVELOPES, Action.USE_BACKUP)
@never_cache
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    """The envelopes of every site: printed or not, how many are unopened, when they are counted next."""
    if wants_csv(request):
        return csv_response("envelope-counts.csv", HEADS, _counts(), _count_cells)
    user, today = request.user, local_day(timezone.now())
    links = [
        Link("Enter an opened envelope", "/randomisation/envelopes/enter/"),
        Link("Recover a lost allocation", "/randomisation/recover/"),
    ]
    context = {
        "title": ENVELOPES[0],
        "lists": [_row(one, user, today) for one in envelopes.emergency_lists()],
        "counts": _counts()[:20],
        "download": Link("Download every count as CSV", csv_url(request)),
        "links": links if user.access.may(Action.USE_BACKUP) else [],
        "here": ENVELOPES[0],
    }
    return render(request, "allocation/exceptions/envelopes.html", context)


def _row(one: envelopes.EmergencyList, user: User, today: date) -> dict[str, object]:
    base = f"/randomisation/envelopes/{one.cursor.pk}/"
    may_print = one.may_be_printed and user.access.may(Action.PRINT_ENVELOPES)
    return {
        "site": one.site,
        "scheme": f"{one.revision.scheme.code}, revision {one.revision.number}",
        "printed": f"{one.printed.by.name}, {date_and_time(one.printed.at)}" if one.printed else "Not printed",
        "n_rows": one.cursor.n_rows,
        "n_unopened": one.n_unopened,
        "due": short_date(one.due_date) if one.due_date else "",
        "is_overdue": bool(one.due_date and one.due_date < today),
        "print": Link("Print once", f"{base}print/") if may_print else None,
        "count": Link("Count them", f"{base}count/") if one.printed else None,
    }


def _counts() -> list[EnvelopeCount]:
    return list(EnvelopeCount.objects.select_related("revision__scheme", "by"))


def _count_cells(one: EnvelopeCount) -> list[str]:
    return [
        one.revision.scheme.code,
        str(one.revision.number),
        one.key,
        date_and_time(one.at),
        one.by.name,
        str(one.n_unopened),
        str(one.n_expected),
        one.note,
    ]


@requires(Action.PRINT_ENVELOPES)
@never_cache
@sensitive_post_parameters("secret")
@sensitive_variables()
@GET_POST
def print_once(request: StaffRequest, pk: int) -> HttpResponse:
    """One site's envelopes as one PDF, in the answer to a password or code: once, and kept nowhere."""
    found = envelopes.emergency_list(pk)
    form, now = SecretForm(posted(request)), timezone.now()
    if form.is_valid():
        try:
            proof = reauthenticate(user=request.user, secret=form.cleaned_data["secret"], at=now)
            pdf = envelopes.print_once(envelopes=found, spec=current().spec, proof=proof, by=request.user, at=now)
        except TrialError as error:
            form.add_error("secret", str(error))
        else:
            return _download(pdf, found)
    context = {
        "title": f"Print the envelopes of {found.site}",
        "found": found,
        "form": form,
        "facts": [
            ("Site", found.site),
            ("Envelopes", str(found.cursor.n_rows)),
            ("Pages", str(2 * found.cursor.n_rows)),
        ],
        "back": Link(f"Back to {ENVELOPES[0].lower()}", ENVELOPES[1]),
        "breadcrumbs": [ENVELOPES],
        "here": "Print",
    }
    return render(request, "allocation/exceptions/print_envelopes.html", context)


def _download(pdf: bytes, found: envelopes.EmergencyList) -> HttpResponse:
    name = f"envelopes-{found.revision.scheme.code}-{found.cursor.pk}.pdf"
    response = HttpResponse(pdf, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@requires(Action.PRINT_ENVELOPES, Action.USE_BACKUP)
@GET_POST
def count(request: StaffRequest, pk: int) -> HttpResponse:
    """Unopened envelopes counted by hand; a difference needs a note."""
    found = envelopes.emergency_list(pk)
    form = CountForm(posted(request))
    if form.is_valid():
        note, n_unopened = form.cleaned_data["note"] or "", form.cleaned_data["n_unopened"]
        try:
            envelopes.count(envelopes=found, n_unopened=n_unopened, note=note, by=request.user, at=timezone.now())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Count of {found.site} saved")
            return redirect("allocation:envelopes")
    title = f"Count the envelopes of {found.site}"
    return form_page(request, form, trail=[ENVELOPES], title=title, here="Count", button="Save")
