"""The person behind a command: named by the address of their account, allowed by the same policy as on pages."""

from django.core.management.base import CommandError

from trial.access.models import User
from trial.access.policy import Action


def person(email: str) -> User:
    """The active account with this address.

    Raises:
        CommandError: there is none.
    """
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active account with the address {email}.")
    return user


def permitted(email: str, action: Action) -> User:
    """The active account with this address, if a role of theirs allows the action today.

    Raises:
        CommandError: there is none, or no role allows it.
    """
    user = person(email)
    if not user.access.may(action):
        raise CommandError(f"{user} ({user.role_code}) may not do this: no role of theirs today allows it.")
    return user
