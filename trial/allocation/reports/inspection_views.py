"""The inspection pack: what it holds, and its download (randomisation.md section 15)."""

import hashlib

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from trial.access.models import AccessEvent
from trial.access.permissions import StaffRequest, refuse, requires
from trial.access.policy import Action
from trial.allocation.office.pages import scheme_or_404, trail_of
from trial.allocation.reports import inspection

HERE = "Inspection pack"
HOLDS = (
    ("Parameters and lock certificates", "Public version, for each locked revision"),
    ("Acceptance tests", "Reports of those that were signed"),
    ("Randomisation statement", "For protocol and paper"),
    ("Allocations", "Without arms; participant numbers only of people whose records you may see"),
    ("Event log", "With its chained digests; its entries only for people who are not blinded"),
    ("Exceptions, code breaks and blinding events", "Who, when and why; never which arm"),
    ("Recruitment", "Totals by site and month"),
    ("Emergency envelopes", "Printed, used, counted"),
    ("Delegation", "Roles of the randomisation with their dates"),
    ("Access to arms", "Every decryption: who, when and why"),
    ("Verification", "After the reveal: every allocation computed again"),
)


@requires(Action.VIEW_EXCEPTIONS)
@require_safe
def page(request: StaffRequest, scheme: str) -> HttpResponse:
    """What the pack holds."""
    found = scheme_or_404(scheme)
    context = {
        "title": HERE,
        "detail": "Everything an inspector asks of the randomisation, in one file without arms",
        "scheme": found,
        "holds": HOLDS,
        "breadcrumbs": trail_of(found),
        "here": HERE,
    }
    return render(request, "allocation/reports/inspection.html", context)


@requires(Action.VIEW_EXCEPTIONS)
@never_cache
@require_POST
@sensitive_variables()
def download(request: StaffRequest, scheme: str) -> HttpResponse:
    """The zip; each download is logged."""
    found = scheme_or_404(scheme)
    if not request.user.access.may(Action.VIEW_SCHEME):
        return refuse(request, request.user)
    data = inspection.build(found, reader=request.user)
    AccessEvent(
        user=request.user,
        role=request.user.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record=f"Inspection pack of {found.code}",
        at=timezone.now(),
    ).save()
    answer = HttpResponse(data, content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="inspection-pack-{scheme}.zip"'
    answer.headers["X-Content-SHA256"] = hashlib.sha256(data).hexdigest()
    return answer
