"""Scans of a paper form: attach, look at, take the file, strike (R-10)."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from trial.access.models import AccessEvent
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.assessments.places import place_for
from trial.base.errors import TrialError
from trial.base.fields import TextField
from trial.paper import reads, scan_actions, scan_rules
from trial.paper.models import Scan
from trial.paper.scan_actions import ScanDamaged

GET_POST = require_http_methods(["GET", "POST"])
TYPES = {Scan.Kind.PDF: "application/pdf", Scan.Kind.PNG: "image/png", Scan.Kind.JPEG: "image/jpeg"}


class ScanForm(forms.Form):
    """A file of one paper form."""

    file = forms.FileField(
        label="PDF, PNG or JPEG file",
        help_text="Cover names, and anything that tells the participant's group, before you scan",
        widget=forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg"}),
        error_messages={
            "required": "Choose a file",
            "missing": "Choose a file",
            "empty": "This file is empty. Scan the form again.",
            "max_length": "Choose a file",
        },
    )

    def clean_file(self) -> Any:
        """A file that is not too large to look at."""
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_MAX_BYTES:
            largest = settings.UPLOAD_MAX_BYTES // 1024**2
            raise forms.ValidationError(f"The file must be {largest} MB or smaller. Scan at 300 dots per inch or less.")
        return file


class StrikeForm(forms.Form):
    """Why a scan does not belong where it is."""

    reason = TextField(
        label="Why does this scan not belong here?",
        max_length=200,
        help_text="Do not write the person's name",
        error_messages={"required": "Enter why this scan does not belong here"},
    )


@requires(Action.ENTER_FORM)
@never_cache
@GET_POST
def scans(request: StaffRequest, number: str, visit: str, form: str) -> HttpResponse:
    """The scans of one form, and attaching another. What a file is, its bytes say; its name is not kept."""
    place = place_for(request.user, number, visit, form, Action.ENTER_FORM)
    given = ScanForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if given.is_valid():
        try:
            scan_actions.attach(
                visit=place.visit,
                instrument=place.use.code,
                data=given.cleaned_data["file"].read(),
                by=request.user,
                at=timezone.now(),
            )
        except TrialError as error:
            given.add_error("file", str(error))
        else:
            messages.success(request, f"{place.title}: scan attached")
            return redirect(request.path)
    panel = reads.scan_panel(place.participant, place.visit, place.use.code, request.user)
    context = {
        "title": f"Scans of {place.title}",
        "place": place,
        "form": given,
        "scans": panel,
        "rows": Scan.objects.filter(visit=place.visit, instrument=place.use.code).select_related(
            "attached_by", "strike"
        ),
        "breadcrumbs": [*place.breadcrumbs, (place.title, place.url)],
        "here": "Scans",
    }
    return render(request, "paper/scans.html", context)


def scan_for(request: StaffRequest, pk: int, action: Action) -> Scan:
    """A scan of a person at a site where the user may do `action`; one that was struck answers like an absent one.

    Raises:
        Http404: there is none for this user.
    """
    found = Scan.objects.select_related("participant__referral__site", "participant__referral__person", "visit")
    scan = get_object_or_404(found, pk=pk, strike=None)
    if not request.user.access.may(action, scan.participant.site):
        raise Http404
    return scan


def _as_stored(request: StaffRequest, scan: Scan) -> bytes | HttpResponse:
    try:
        return scan_actions.read(scan)
    except ScanDamaged as error:
        return render(request, "paper/damaged.html", {"title": "Scan", "text": str(error)}, status=410)


def _sealed_off(content: bytes, kind: str, name: str, *, attachment: bool) -> HttpResponse:
    """Bytes from outside: named by us, never guessed at, and without any right in the browser."""
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = f'{"attachment" if attachment else "inline"}; filename="{name}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


@requires(Action.VIEW_SCAN)
@require_safe
def file(request: StaffRequest, pk: int) -> HttpResponse:
    """The file as it was received, to be taken away; that somebody did is logged."""
    scan = scan_for(request, pk, Action.VIEW_SCAN)
    data = _as_stored(request, scan)
    if isinstance(data, HttpResponse):
        return data
    AccessEvent(
        user=request.user,
        role=request.user.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record=f"Scan {scan.pk} of {scan.participant.study_id} {scan.visit.code} {scan.instrument}",
        at=timezone.now(),
    ).save()
    name = f"{scan.participant.study_id}-{scan.visit.code}-{scan.instrument}-{scan.pk}.{scan.kind}"
    return _sealed_off(data, TYPES[Scan.Kind(scan.kind)], name, attachment=True)


@requires(Action.VIEW_SCAN)
@require_safe
def picture(request: StaffRequest, pk: int, page: int) -> HttpResponse:
    """One page of a scan as a picture, for the entry page."""
    scan = scan_for(request, pk, Action.VIEW_SCAN)
    if not (scan.has_pictures and 1 <= page <= scan.n_pages):
        raise Http404
    data = _as_stored(request, scan)
    if isinstance(data, HttpResponse):
        return data
    kind = TYPES[Scan.Kind(scan.kind)]
    if scan.kind == Scan.Kind.PDF:
        data, kind = scan_rules.picture_of(data, page), TYPES[Scan.Kind.JPEG]
    if not data:  # a later page that turned out to be no picture: the file can be downloaded
        raise Http404
    return _sealed_off(data, kind, f"scan-{scan.pk}-{page}", attachment=False)


@requires(Action.ENTER_FORM)
@never_cache
@GET_POST
def strike(request: StaffRequest, pk: int) -> HttpResponse:
    """Say that a scan does not belong where it is. It is shown no more, and kept."""
    scan = scan_for(request, pk, Action.ENTER_FORM)
    url = reads.scans_url(scan)
    form = StrikeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            scan_actions.strike(scan=scan, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Scan struck")
            return redirect(url)
    context = {"title": "Strike a scan", "detail": str(scan), "form": form, "scan": scan, "back": url}
    return render(request, "paper/strike.html", context)
