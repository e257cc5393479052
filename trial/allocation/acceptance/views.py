"""Pages of the acceptance test: run it, read it, sign it, print it (randomisation.md sections 10 and 12)."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from randomisation.models import Scheme, State
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.allocation.acceptance import jobs, reads, report
from trial.allocation.acceptance.signing import sign_test
from trial.allocation.office.documents import response
from trial.allocation.office.pages import GET_POST, Step, posted, scheme_or_404, take, trail_of
from trial.allocation.office.step_forms import secret_field
from trial.base.errors import TrialError
from trial.base.fields import TextField
from trial.base.parts import Fact, Link

HERE = "Acceptance test"


class SignTestForm(forms.Form):
    """The statistician's signature; a decision on each case that failed."""

    secret = secret_field()

    def __init__(self, data: Any, *, n_failed: int) -> None:
        super().__init__(data)
        if n_failed:
            text = "What was decided about each case that failed?"
            help_text = "Say for each case why the design can be locked nevertheless"
            decided = TextField(label=text, what="the decision on each failed case", rows=5, help_text=help_text)
            self.fields = {"deviations": decided, **self.fields}


@requires(Action.VIEW_SCHEME)
@never_cache
@require_safe
def index(request: StaffRequest, scheme: str) -> HttpResponse:
    """Every test of a found, and the one that is on its way."""
    found = scheme_or_404(scheme)
    draft = found.draft
    progress = jobs.progress_of(draft) if draft else None
    is_running = progress is not None and progress.is_on_its_way(timezone.now())
    may_run = request.user.access.may(Action.TEST_SCHEME) and _is_ready(found) and not is_running
    context = {
        "title": HERE,
        "scheme": found,
        "facts": _facts(found),
        "rows": reads.tests_of(found),
        "progress": progress,
        "is_running": is_running,
        "may_run": may_run,
        "why_not": _why_not(found),
        "breadcrumbs": trail_of(found),
        "here": HERE,
    }
    answer = render(request, "allocation/reports/acceptance_tests.html", context)
    if is_running:
        answer.headers["Refresh"] = "3"
    return answer


def _is_ready(scheme: Scheme) -> bool:
    return scheme.draft is not None and scheme.draft.state == State.SIMULATED


def _why_not(scheme: Scheme) -> str:
    """Why nothing can be tested now; empty where it can."""
    draft = scheme.draft
    if draft is None:
        return "There is no design in preparation."
    if draft.state == State.DRAFT:
        return "The design must be simulated before it is tested."
    return "" if draft.state == State.SIMULATED else "The design is tested and signed. It can be locked."


def _facts(scheme: Scheme) -> list[Fact]:
    draft = scheme.draft
    if draft is None:
        return [Fact("Scheme", str(scheme)), Fact("In preparation", "Nothing")]
    return [
        Fact("Scheme", str(scheme)),
        Fact("In preparation", f"Revision {draft.number}", detail=draft.get_state_display()),
        Fact("Configured by", str(draft.configured_by)),
    ]


@requires(Action.TEST_SCHEME)
@require_POST
def run(request: StaffRequest, scheme: str) -> HttpResponse:
    """Start the test as a job."""
    found = scheme_or_404(scheme)
    if found.draft is None:
        messages.error(request, "There is no design in preparation.")
        return redirect("allocation:acceptance", scheme)
    try:
        jobs.ask(revision=found.draft, by=request.user, at=timezone.now())
    except TrialError as error:
        messages.error(request, str(error))
    return redirect("allocation:acceptance", scheme)


@requires(Action.VIEW_SCHEME)
@never_cache
@require_safe
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    """One test: each case with what was expected and what was observed."""
    document = reads.test_or_404(pk)
    test = reads.tested(document)
    scheme = document.revision.scheme
    links = [Link("Report (PDF)", reverse("allocation:acceptance_report", args=[pk]))]
    if request.user.access.may(Action.VIEW_RESTRICTED):
        links.append(Link("Report with restricted parameters (PDF)", reverse("allocation:acceptance_full", args=[pk])))
    context = {
        "title": f"Acceptance test of revision {document.revision.number}",
        "test": test,
        "facts": _test_facts(test),
        "links": links if test.outcomes else [],
        "may_sign": reads.may_sign(request.user, test),
        "shows_text": not request.user.access.blinded,
        "breadcrumbs": [*trail_of(scheme), (HERE, reverse("allocation:acceptance", args=[scheme.code]))],
        "here": f"Test {pk}",
    }
    return render(request, "allocation/reports/acceptance_test.html", context)


def _test_facts(test: reads.Tested) -> list[Fact]:
    document = test.document
    signed = test.signature.by.name if test.signature else "Not yet"
    return [
        Fact("Passed", str(document.n_passed), detail=f"{test.n_covered} more covered by automated tests"),
        Fact("Failed", str(document.n_failed)),
        Fact("Run by", document.by.name),
        Fact("Signed by", signed),
    ]


@requires(Action.CONFIGURE_SCHEME)
@never_cache
@sensitive_post_parameters("secret")
@GET_POST
def sign(request: StaffRequest, pk: int) -> HttpResponse:
    """The statistician signs, with a decision on each case that failed."""
    document = reads.test_or_404(pk)
    test = reads.tested(document)
    if not reads.may_sign(request.user, test):
        raise Http404

    def act(values: dict[str, Any], now: datetime) -> str:
        sign_test(
            document=document,
            deviations=values.get("deviations", ""),
            proof=reauthenticate(user=request.user, secret=values["secret"], at=now),
            by=request.user,
            at=now,
        )
        return "The acceptance test is signed. The design can be locked"

    url = reverse("allocation:acceptance_test", args=[pk])
    scheme = document.revision.scheme
    step = Step(
        title="Sign the acceptance test?",
        detail="You confirm that you have read every case. Afterwards two people can lock the design.",
        button="Sign the test",
        act=act,
        back=Link("Back to the test", url),
        trail=[*trail_of(scheme), (HERE, reverse("allocation:acceptance", args=[scheme.code])), (f"Test {pk}", url)],
        here="Sign",
        facts=[("Passed", str(document.n_passed)), ("Failed", ", ".join(one.id for one in test.failed) or "None")],
    )
    return take(request, SignTestForm(posted(request), n_failed=document.n_failed), step)


@requires(Action.VIEW_SCHEME)
@never_cache
@require_safe
def report_pdf(request: StaffRequest, pk: int) -> HttpResponse:
    """The report for the file: without restricted parameters, and for blinded readers without what was typed."""
    return _printed(request, pk, is_full=False)


@requires(Action.VIEW_RESTRICTED)
@never_cache
@require_safe
def full_pdf(request: StaffRequest, pk: int) -> HttpResponse:
    """The report with restricted parameters and simulation."""
    return _printed(request, pk, is_full=True)


def _printed(request: StaffRequest, pk: int, *, is_full: bool) -> HttpResponse:
    test = reads.tested(reads.test_or_404(pk))
    if not test.outcomes:
        raise Http404
    content = report.draw(test, is_full=is_full, shows_text=not request.user.access.blinded)
    return response(content, f"acceptance-test-{pk}{'-restricted' if is_full else ''}.pdf")
