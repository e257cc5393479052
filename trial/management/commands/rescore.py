"""manage.py rescore --check"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trial.assessments.verify import rescored


class Command(BaseCommand):
    """Nothing is written: stored scores change only when their answers do."""

    help = "Work out every stored score again from its answers and report what differs. Exits 1 on a difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", required=True, help="compare, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare form by form, naming each difference as it is found."""
        n_forms = n_different = 0
        for form in rescored():
            n_forms += 1
            for difference in form.differences:
                self.stdout.write(f"{form.name}: {difference}")
            n_different += bool(form.differences)
        if n_different:
            raise CommandError(f"{n_different:,} of {n_forms:,} forms differ from what is stored.")
        self.stdout.write(
            f"{n_forms:,} form{'' if n_forms == 1 else 's'} scored again. Every score and count is as stored."
        )
