"""Prove that no stored answer that asks for a risk alert lacks it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trial.assessments.verify import answers_without_alert
from trial.double_entry import verify as second_entries


class Command(BaseCommand):
    """Run every day (R-45): exits 1 and names each form when an alert is missing."""

    help = "Prove that every answer that meets an alert condition has its alert."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and report."""
        if missing := answers_without_alert() + second_entries.answers_without_alert():
            raise CommandError("\n".join(missing))
        self.stdout.write("Every answer that asks for an alert has one.")
