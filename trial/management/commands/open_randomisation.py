"""manage.py open_randomisation --by ADDRESS"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from trial.access.policy import Action
from trial.allocation import actions
from trial.base.errors import TrialError
from trial.management.people import permitted
from trial.protocol.versions import current


class Command(BaseCommand):
    """The trial manager opens what two others have approved (randomisation.md section 10)."""

    help = "Open the locked randomisation of the active protocol to allocations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", required=True, help="address of the trial manager who does it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Open, and say so."""
        by = permitted(options["by"], Action.OPERATE_SCHEME)
        try:
            code = current().spec.randomisation.scheme
            actions.open_scheme(code=code, by=by, at=timezone.now())
        except TrialError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The randomisation {code} is open.")
