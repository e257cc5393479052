"""How long a session lasts without a request (R-17), and a second factor for every staff account (R-16)."""

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
    "/c/",
    "/consent/",
)
SET_UP = "/accounts/2fa/"


REGISTER = "/register/"


def limit_idle_time(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A register left open on a phone signs out sooner than a desk. Pages for everybody keep the limit as it is."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and not request.path.startswith(FREE):
            on_phone = request.path.startswith(REGISTER)
            request.session.set_expiry(settings.REGISTER_IDLE_SECONDS if on_phone else None)
        is_staff_page = request.user.is_authenticated and not request.path.startswith("/static/")
        response = get_response(request)
        if is_staff_page:  # "Back" on a tablet that was handed over shows nothing that staff had open
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return middleware


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
