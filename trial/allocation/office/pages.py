"""What the pages of the office share: a scheme by its code, the way back, a step that asks before it acts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from randomisation.models import Revision, Scheme
from trial.access import drafts
from trial.access.permissions import StaffRequest
from trial.base.errors import TrialError
from trial.base.parts import Link

GET_POST = require_http_methods(["GET", "POST"])
OFFICE = ("Randomisation", "/randomisation/")
Trail = list[tuple[str, str]]


def scheme_or_404(code: str) -> Scheme:
    """A scheme by its code.

    Raises:
        Http404: there is none.
    """
    scheme = Scheme.objects.filter(code=code).first()
    if scheme is None:
        raise Http404
    return scheme


def revision_or_404(scheme: Scheme, number: int) -> Revision:
    """A locked revision of a scheme by its number.

    Raises:
        Http404: there is none, or it is not locked.
    """
    revision = scheme.revisions.filter(number=number).exclude(commitment="").first()
    if revision is None:
        raise Http404
    return revision


def url_of(scheme: Scheme) -> str:
    """The scheme's own page."""
    return reverse("allocation:scheme", args=[scheme.code])


def trail_of(scheme: Scheme) -> Trail:
    """The way back to the scheme's page."""
    return [OFFICE, (scheme.name, url_of(scheme))]


def posted(request: HttpRequest) -> Any:
    """What was posted; None where the page is only opened."""
    return request.POST if request.method == "POST" else None


@dataclass(frozen=True)
class Step:
    """One page with a question, a form and what it does.

    Attributes:
        act: called with the cleaned values and the moment; gives what is said afterwards.
        back: where the page leads afterwards, and the way out of it.
        keeps_draft: whether what is typed is kept for the person until it is saved.
    """

    title: str
    detail: str
    button: str
    act: Callable[[dict[str, Any], datetime], str]
    back: Link
    trail: Trail
    here: str
    facts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    keeps_draft: bool = True


@sensitive_variables("values")
def take(request: StaffRequest, form: forms.Form, step: Step) -> HttpResponse:
    """Show the step, or do it. A refusal is shown at the form, which keeps what was typed."""
    if form.is_valid():
        values = dict(form.cleaned_data)
        try:
            done = step.act(values, timezone.now())
        except TrialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, done)
            return redirect(step.back.url)
    context = {
        "title": step.title,
        "step": step,
        "form": form,
        "breadcrumbs": step.trail,
        "here": step.here,
        "draft": drafts.open_for(request, form) if step.keeps_draft else None,
    }
    return render(request, "allocation/office/step.html", context)
