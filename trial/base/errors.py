"""Refusals a user may read, and the pages shown when a request cannot be answered."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


class TrialError(Exception):
    """An action refused to change data. Its text is written for the person who asked."""


class ReasonMissing(TrialError):
    """A change to stored data needs a reason (BR-63)."""

    def __init__(self) -> None:
        super().__init__("Say why you are changing this. The reason is kept with the change.")


class NeverDeleted(TrialError):
    """Records of the trial are struck or superseded, never deleted."""

    def __init__(self) -> None:
        super().__init__("Records of the trial are never deleted.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say in plain words that the page was open too long, and that nothing was saved."""
    return render(request, "403_csrf.html", status=403)
