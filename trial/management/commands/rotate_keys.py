"""manage.py rotate_keys [--by EMAIL]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from trial.access.models import User
from trial.base.errors import TrialError
from trial.operations.rotation import rotate


class Command(BaseCommand):
    """Put the new key first in IDENTITY_KEYS or SEALING_KEYS, run this, then take the old one out.

    May be stopped and run again.
    """

    help = "Wrap every data key again with the first key of IDENTITY_KEYS or SEALING_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", metavar="EMAIL", help="account that the log of the randomisation names")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, and say how many keys were wrapped again."""
        by = _account(options["by"]) if options["by"] else None
        try:
            n_wrapped = rotate(by=by, at=timezone.now())
        except TrialError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{n_wrapped} data keys were wrapped again. The old key may be taken out of its list.")


def _account(email: str) -> User:
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise CommandError(f"There is no account {email}.")
    return user
