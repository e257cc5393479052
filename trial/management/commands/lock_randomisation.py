"""manage.py lock_randomisation --by ADDRESS --approve ADDRESS --approve ADDRESS"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from trial.access.policy import Action
from trial.allocation import actions
from trial.base.errors import TrialError
from trial.management.people import permitted
from trial.protocol.versions import current, restricted_parameters


class Command(BaseCommand):
    """Prints the commitment, which is for the trial master file. No seed, block size or arm reaches the terminal."""

    help = "Lock the randomisation of the active protocol: draw its secret and seal its lists, approved by two people."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", required=True, help="address of the trial manager who does it")
        parser.add_argument(
            "--approve", required=True, action="append", help="address of somebody who approves it; given twice"
        )

    @sensitive_variables()
    def handle(self, *args: Any, **options: Any) -> None:
        """Lock, and print what the certificate needs."""
        if len(options["approve"]) != 2:
            raise CommandError("Name two people who approve: --approve ADDRESS --approve ADDRESS")
        by = permitted(options["by"], Action.OPERATE_SCHEME)
        first, second = (permitted(address, Action.APPROVE_SCHEME) for address in options["approve"])
        try:
            version = current()
            revision = actions.lock_scheme(
                spec=version.spec,
                restricted=restricted_parameters(version),
                approvers=(first, second),
                by=by,
                at=timezone.now(),
            )
        except TrialError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{revision} is locked. Commitment {revision.commitment}")
