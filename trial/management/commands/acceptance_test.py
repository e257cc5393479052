"""manage.py acceptance_test --by ADDRESS [--scheme CODE]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from randomisation.models import Scheme
from trial.access.policy import Action
from trial.allocation.acceptance import jobs, reads
from trial.base.errors import TrialError
from trial.management.people import permitted
from trial.protocol.versions import current


class Command(BaseCommand):
    """Prints a line for each case; no arm, secret or restricted parameter reaches the terminal."""

    help = "Run the acceptance test of the design in preparation, and keep it. Exits 1 when a case fails."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", required=True, help="address of the trial manager who tests")
        parser.add_argument("--scheme", help="code of the scheme; the protocol's unless given")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, keep and print."""
        by = permitted(options["by"], Action.TEST_SCHEME)
        try:
            code = options["scheme"] or current().spec.randomisation.scheme
            scheme = Scheme.objects.filter(code=code).first()
            if scheme is None or scheme.draft is None:
                raise CommandError(f"No design of a scheme {code} is in preparation.")
            document = jobs.perform(revision=scheme.draft, by=by, at=timezone.now())
        except TrialError as error:
            raise CommandError(str(error)) from error
        for one in reads.tested(document).outcomes:
            self.stdout.write(f"{one.id} {one.status.value}: {one.title}. {one.observed}")
        if document.n_failed:
            raise CommandError(f"{document.n_failed} of {document.n_passed + document.n_failed} cases failed.")
        self.stdout.write(f"All {document.n_passed} cases that were run passed. A statistician must sign the test.")
