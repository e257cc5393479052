"""Attempts to change locked data: each is logged, and one that only a trigger stopped still gets a page (R-40)."""

from collections.abc import Callable

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from trial.access.models import AccessEvent
from trial.base.triggers import LOCK_MESSAGE
from trial.locking.rules import DatasetLocked, current_lock, refused


class LockedData:
    """Writes a line of the access log for each request that tried to change locked data.

    The line is written after the request's own transaction has been rolled back, so that it stays.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, then log what it tried."""
        token = refused.set([])
        try:
            response = self.get_response(request)
            for code in refused.get() or ():
                self._log(request, code)
        finally:
            refused.reset(token)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a trigger's refusal into the page that says so."""
        if not (isinstance(exception, IntegrityError) and LOCK_MESSAGE in str(exception)):
            return None
        lock = current_lock()
        error = DatasetLocked(lock.code if lock else "")
        return render(request, "locking/locked.html", {"message": str(error)}, status=409)

    def _log(self, request: HttpRequest, code: str) -> None:
        user = request.user if request.user.is_authenticated else None
        AccessEvent(
            user=user,
            role=user.role_code if user else "",
            kind=AccessEvent.Kind.REFUSED,
            record=request.path[:120],
            detail=f"Tried to change locked data ({code})",
            at=timezone.now(),
        ).save()
