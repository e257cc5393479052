"""manage.py instruments"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from instruments import DefinitionError
from trial.assessments.inventory import inventory


class Command(BaseCommand):
    """Prints one line for each version of each instrument, and where it is used."""

    help = "List the instruments that are found: code, version, licence, wording, and where each is used."

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the definitions, and print the table."""
        try:
            lines = inventory()
        except DefinitionError as error:
            raise CommandError(str(error)) from error
        rows = [("CODE", "VERSION", "LICENCE", "WORDING", "USED")]
        rows += [(one.code, one.version, one.licence, one.wording, one.used) for one in lines]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            self.stdout.write("  ".join([*cells, row[-1]]).rstrip())
