"""Sign-in: nobody signs up, everybody lands on the home page of their role."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest
from django.utils import timezone

from trial.access.models import AccessEvent, User
from trial.base import keys


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """What differs from allauth's defaults."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by an administrator (R-11)."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seeds of second factors lie sealed in the database (R-16)."""

    def encrypt(self, text: str) -> str:
        """Seal a seed."""
        return keys.seal_secret(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The seed.

        Raises:
            SealBroken: no key of the list opens it.
        """
        return keys.unseal_secret(encrypted_text)


def _log(kind: AccessEvent.Kind, user: User | None, detail: str = "") -> None:
    role = user.role_code if user is not None else ""
    AccessEvent(user=user, role=role, kind=kind, detail=detail, at=timezone.now()).save()


def signed_in(sender: Any, user: User, **kwargs: Any) -> None:
    """Log a sign-in (R-07)."""
    _log(AccessEvent.Kind.SIGNED_IN, user)


def signed_out(sender: Any, user: User | None, **kwargs: Any) -> None:
    """Log a sign-out."""
    if user is not None:
        _log(AccessEvent.Kind.SIGNED_OUT, user)


def sign_in_failed(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Log a failed sign-in against the account it names, if there is one; what was typed is not kept."""
    email = str(credentials.get("email") or credentials.get("username") or "")
    _log(AccessEvent.Kind.SIGN_IN_FAILED, User.objects.filter(email__iexact=email).first())


def connect() -> None:
    """Listen to Django's sign-in signals."""
    user_logged_in.connect(signed_in, dispatch_uid="access-signed-in")
    user_logged_out.connect(signed_out, dispatch_uid="access-signed-out")
    user_login_failed.connect(sign_in_failed, dispatch_uid="access-sign-in-failed")
