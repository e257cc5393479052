"""What the pages of the settings share: a form with the way back to the page it belongs to."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from trial.access import drafts

GET_POST = require_http_methods(["GET", "POST"])
SETTINGS = ("Settings", "/settings/")


def posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def form_page(request: HttpRequest, form: forms.Form, *, trail: list[tuple[str, str]], **more: Any) -> HttpResponse:
    """A form with the way back to the page it belongs to. `more` needs: title, here, button; may have: detail."""
    draft = drafts.open_for(request, form)
    context = {"form": form, "breadcrumbs": trail, "back": trail[-1], "draft": draft}
    return render(request, "access/form.html", {**context, **more})
