"""manage.py rotate_keys"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trial.base.errors import TrialError
from trial.operations.rotation import rotate


class Command(BaseCommand):
    """Put the new key first in IDENTITY_KEYS, run this, then take the old one out. May be stopped and run again."""

    help = "Wrap every data key of identity data again with the first key of IDENTITY_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, and say how many keys were wrapped again."""
        try:
            n_wrapped = rotate()
        except TrialError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{n_wrapped} data keys were wrapped again. The old key may be taken out of IDENTITY_KEYS.")
