"""What every page behind a link shares: open to anyone, seen by nobody else, and a post that browsers let through."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from trial.access.permissions import View, public


class WithoutReferrer(CsrfViewMiddleware):
    """The usual protection against forged posts, for pages with `Referrer-Policy: no-referrer`.

    On such pages browsers send `Origin: null` and no referrer, which Django would refuse. The token in the form and
    the one in the cookie are still compared, and the cookie does not travel with a post from another site.
    """

    def _origin_verified(self, request: HttpRequest) -> bool:
        return request.META.get("HTTP_ORIGIN") == "null" or bool(super()._origin_verified(request))  # type: ignore[misc]

    def _check_referer(self, request: HttpRequest) -> None:
        if request.META.get("HTTP_REFERER"):
            super()._check_referer(request)  # type: ignore[misc]


def participant_page(view: Callable[..., HttpResponse]) -> View:
    """Mark a page for participants: no sign-in, never stored, no address handed on. GET shows, POST changes."""
    protected = decorator_from_middleware(WithoutReferrer)(require_http_methods(["GET", "HEAD", "POST"])(view))

    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = cast(HttpResponse, protected(request, *args, **kwargs))
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return public(csrf_exempt(opened))
