"""What every request passes: an id for the log, and a boundary that control characters do not cross."""

import secrets
from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from trial.base.keys import KeyDestroyed, SealBroken
from trial.base.logs import request_id as current_request_id

GetResponse = Callable[[HttpRequest], HttpResponse]

_ALLOWED = frozenset("\t\n\r")


def has_control_characters(text: str) -> bool:
    """True when `text` holds NUL, another control character or a lone surrogate.

    PostgreSQL refuses NUL with an error and SQLite cuts text short at it; neither may ever see one.
    """
    return any(
        (ord(character) < 32 and character not in _ALLOWED)
        or 0x7F <= ord(character) < 0xA0
        or 0xD800 <= ord(character) < 0xE000
        for character in text
    )


def request_id(get_response: GetResponse) -> GetResponse:
    """Give each request a short reference that the log and the error page share."""

    def middleware(request: HttpRequest) -> HttpResponse:
        reference = secrets.token_hex(4).upper()
        token = current_request_id.set(reference)
        try:
            response = get_response(request)
        finally:
            current_request_id.reset(token)
        response.headers["X-Request-Id"] = reference
        return response

    return middleware


def refuse_control_characters(get_response: GetResponse) -> GetResponse:
    """Answer 400 to a path, query or cookie that holds control characters; form fields refuse them by name."""

    def middleware(request: HttpRequest) -> HttpResponse:
        from_outside = (request.path, *_texts(request.GET), *request.COOKIES.values())
        if any(has_control_characters(text) for text in from_outside):
            return render(request, "400.html", status=400)
        return get_response(request)

    return middleware


def _texts(values: QueryDict) -> Iterable[str]:
    return (text for key in values for text in (key, *values.getlist(key)))


class SealedDetails:
    """Says in words that something sealed cannot be opened, wherever a page met it: never ciphertext, never a fault."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """410 where the key was destroyed, 503 where the keys do not fit."""
        if not isinstance(exception, SealBroken):
            return None
        status = 410 if isinstance(exception, KeyDestroyed) else 503
        return render(request, "sealed.html", {"message": str(exception)}, status=status)
