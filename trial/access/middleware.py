"""Second factor for every staff account (R-16)."""

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

FREE = (
    "/accounts/",
    "/static/",
    "/healthz",
    "/readyz",
    "/help/",
    "/accessibility/",
    "/privacy/",
    "/q/",
    "/questions/",
)
SET_UP = "/accounts/2fa/"


def require_second_factor(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Send a signed-in person without a second factor to set one up before anything else."""

    def middleware(request: HttpRequest) -> HttpResponse:
        waiting = (
            settings.SECOND_FACTOR_REQUIRED
            and request.user.is_authenticated
            and not request.path.startswith(FREE)
            and not is_mfa_enabled(request.user)
        )
        return redirect(SET_UP) if waiting else get_response(request)

    return middleware
