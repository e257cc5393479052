"""The page that says whether a consent form is ours and unaltered; for anyone, and not too often."""

from typing import Any

from django import forms
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from trial.consent.verifying import MOST_BYTES, verdict_on
from trial.protocol.versions import active_version
from trial.selfcompletion.doors import participant_page

MOST_TRIES, WITHIN_SECONDS = 20, 600
"""For each address that asks."""


class VerifyForm(forms.Form):
    """One PDF file."""

    file = forms.FileField(
        label="The PDF file",
        help_text="The file as you were given it. We only compare it, and keep nothing",
        widget=forms.FileInput(attrs={"accept": ".pdf"}),
        error_messages={
            "required": "Choose a file",
            "missing": "Choose a file",
            "empty": "This file is empty. Choose the file that you were given",
            "invalid": "Choose a file",
        },
    )

    def clean_file(self) -> bytes:
        """A PDF file that is not too large."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError("The file must be 5 MB or smaller. Our forms are much smaller")
        data: bytes = file.read()
        if not data.startswith(b"%PDF-"):
            raise forms.ValidationError("This is not a PDF file. Choose the file that you were given")
        return data


@participant_page
def verify(request: HttpRequest) -> HttpResponse:
    """Take a file and say whether we made it, byte for byte. Nobody is named."""
    verdict, version = None, active_version()
    form = VerifyForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and not _may_try(request):
        form.add_error(None, "That was often. Wait ten minutes, then try again")
    elif form.is_valid():
        verdict = verdict_on(form.cleaned_data["file"])
    context: dict[str, Any] = {"form": form, "verdict": verdict, "study": version.spec.study if version else None}
    context["study_title"] = version.spec.study.public_name if version else ""
    return render(request, "consent/verify.html", context, status=200)


def _may_try(request: HttpRequest) -> bool:
    """Count this try; False once there were too many from one address within ten minutes."""
    window = int(timezone.now().timestamp()) // WITHIN_SECONDS
    key = f"verify:{request.META.get('REMOTE_ADDR', '')}:{window}"
    cache.add(key, 0, WITHIN_SECONDS)
    return int(cache.incr(key)) <= MOST_TRIES
