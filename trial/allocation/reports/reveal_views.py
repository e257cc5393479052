"""Pages of the reveal: its conditions, the request, and afterwards the package with its verification (3.4)."""

import hashlib
import json
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from randomisation.engine.findings import Report
from randomisation.models import Scheme
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.office.documents import heading, response, terms, text, title
from trial.allocation.office.pages import GET_POST, Step, posted, scheme_or_404, take, trail_of
from trial.allocation.office.step_forms import NO_ARM
from trial.allocation.reports import reveal
from trial.allocation.reports.printed import pdf
from trial.base.errors import TrialError
from trial.base.fields import TextField
from trial.base.parts import Link

HERE = "Reveal"
VERIFIER = "hedgerow-verify.pyz"


class AskRevealForm(forms.Form):
    """What the reveal waits for, and why now."""

    analysis = TextField(
        label="Where is the signed-off blinded primary analysis?",
        what="where the signed-off analysis is",
        help_text="For example, trial master file section 11, signed report version 1.0 of 3 May 2027",
        max_length=300,
    )
    reason = TextField(label="Why now?", what="the reason", rows=3, max_length=1000, help_text=NO_ARM)


@requires(Action.VERIFY_REVEAL)
@never_cache
@require_safe
def index(request: StaffRequest, scheme: str) -> HttpResponse:
    """Conditions and request; once revealed, the package and how anybody verifies it."""
    found = scheme_or_404(scheme)
    waiting, is_revealed = reveal.waiting(found), reveal.is_revealed(found)
    holding = reveal.conditions(found)
    context = {
        "title": HERE,
        "detail": "Secret, parameters, log and arms for anybody who verifies, once the trial is over",
        "scheme": found,
        "conditions": holding,
        "waiting": waiting,
        "is_revealed": is_revealed,
        "may_ask": all(one.holds for one in holding) and waiting is None and not is_revealed,
        "report": _report(request, found) if is_revealed else None,
        "verifier_sha256": hashlib.sha256(reveal.verifier()).hexdigest() if is_revealed else "",
        "breadcrumbs": trail_of(found),
        "here": HERE,
    }
    return render(request, "allocation/reports/reveal.html", context)


def _report(request: StaffRequest, scheme: Scheme) -> Report | None:
    try:
        return reveal.verification(scheme)
    except TrialError as error:
        messages.error(request, str(error))
        return None


@requires(Action.VERIFY_REVEAL)
@GET_POST
def ask(request: StaffRequest, scheme: str) -> HttpResponse:
    """Ask two others to approve the reveal."""
    found = scheme_or_404(scheme)

    def act(values: dict[str, Any], now: datetime) -> str:
        reveal.ask(scheme=found, by=request.user, at=now, **values)
        return "The reveal is asked for. Two others must approve it"

    url = reverse("allocation:reveal", args=[scheme])
    step = Step(
        title="Ask for the reveal?",
        detail="Two other people must approve it. Afterwards this scheme can never be opened again.",
        button="Ask for the reveal",
        act=act,
        back=Link("Back to the reveal", url),
        trail=[*trail_of(found), (HERE, url)],
        here="Ask",
    )
    return take(request, AskRevealForm(posted(request)), step)


@requires(Action.VERIFY_REVEAL)
@require_POST
@sensitive_variables()
def package(request: StaffRequest, scheme: str) -> HttpResponse:
    """The package as JSON; each download is logged."""
    found = scheme_or_404(scheme)
    try:
        contents = reveal.package(scheme=found, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
        return redirect("allocation:reveal", scheme)
    data = json.dumps(contents, ensure_ascii=False, indent=1).encode("utf-8")
    answer = HttpResponse(data, content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="randomisation-package-{scheme}.json"'
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-SHA256"] = hashlib.sha256(data).hexdigest()
    return answer


@requires(Action.VERIFY_REVEAL)
@require_safe
def verifier(request: StaffRequest) -> HttpResponse:
    """The stand-alone verifier in one file."""
    answer = HttpResponse(reveal.verifier(), content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{VERIFIER}"'
    return answer


@requires(Action.VERIFY_REVEAL)
@never_cache
@require_safe
def report_pdf(request: StaffRequest, scheme: str) -> HttpResponse:
    """The verification report."""
    found = scheme_or_404(scheme)
    if not reveal.is_revealed(found):
        raise Http404
    try:
        content = draw_verification(found, reveal.verification(found))
    except TrialError as error:
        messages.error(request, str(error))
        return redirect("allocation:reveal", scheme)
    return response(content, f"verification-{scheme}.pdf")


def draw_verification(scheme: Scheme, report: Report) -> bytes:
    """The verification report as PDF. It numbers the allocations that differ, and tells no arm."""
    verdict = "All allocations agree." if not report.differences else f"{len(report.differences)} differences."
    story = [
        title(f"Verification report: {scheme.name}"),
        text("Every allocation was computed again from secret, contribution, parameters and event log."),
        heading("Result"),
        terms([("Verdict", verdict), *verification_rows(report)]),
        *([heading("Differences"), *map(text, places(report))] if report.differences else []),
        heading("To verify without this system"),
        text(f"In an empty folder with the package and {VERIFIER}: python3 -I {VERIFIER} PACKAGE.json"),
        text(
            "It needs Python 3.11 or later and nothing else. It ends with 0 when all agrees, 1 when something differs."
        ),
    ]
    return pdf(story, name="Verification report", foot=f"Verification of {scheme.code}")


def verification_rows(report: Report) -> list[tuple[str, str]]:
    """What was checked."""
    return [
        ("Commitments", f"{report.n_commitments} of {report.n_revisions} open with secret and parameters"),
        ("Log entries", f"{report.n_events:,}"),
        ("Allocations", f"{report.n_allocations:,}"),
        ("Last digest", report.digest_head or "None"),
    ]


def places(report: Report) -> list[str]:
    """Where it differs, without saying what an arm is and what it should be."""
    found = []
    for one in report.differences:
        if one.seq is not None:
            found.append(f"Allocation {one.seq}")
        else:
            found.append("The package" if one.n is None else f"Log entry {one.n}")
    return found
