"""The frame that the trial's steps share: a form with its way back, and what is missing before a step."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from trial.access import drafts
from trial.participants.models import Referral

GET_POST = require_http_methods(["GET", "POST"])


def page(
    request: HttpRequest,
    form: forms.Form,
    *,
    title: str,
    subject: Referral | None,
    here: str,
    button: str = "Save and continue",
    template: str = "journey/step.html",
    **more: Any,
) -> HttpResponse:
    """One step as a page: the form, what it is about, and the way back."""
    trail = [("People", "/people/")]
    if subject is not None:
        trail.append((subject.number, f"/people/{subject.number}/"))
    context = {"form": form, "title": title, "breadcrumbs": trail, "here": here, "button": button, "subject": subject}
    context["draft"] = drafts.open_for(request, form)
    return render(request, template, {**context, **more})


def posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def blocked(request: HttpRequest, referral: Referral, title: str, problems: list[tuple[str, str]]) -> HttpResponse:
    """Say what is missing, each as a link where it can be mended."""
    trail = [("People", "/people/"), (referral.number, f"/people/{referral.number}/")]
    context = {"title": title, "breadcrumbs": trail, "here": title, "problems": problems, "subject": referral}
    return render(request, "journey/blocked.html", context)
