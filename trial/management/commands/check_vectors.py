"""manage.py check_vectors instruments|randomisation [FILE]; without a file the published vectors of randomisation"""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from instruments import vectors as instrument_vectors
from randomisation import vectors as randomisation_vectors
from randomisation.vector import VectorsError


class Command(BaseCommand):
    """Prints a line for each case: its id, then `pass`, `not supported`, or the first field that differs."""

    help = "Run worked cases of scoring or randomisation through this installation. Exits 1 when one differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["instruments", "randomisation"])
        parser.add_argument("file", type=Path, nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, print, and say how many differ."""
        check = _instruments if options["kind"] == "instruments" else _randomisation
        file = options["file"] or (randomisation_vectors.PUBLISHED if options["kind"] == "randomisation" else None)
        if file is None:
            raise CommandError("Name the file of cases.")
        n_cases = n_failed = 0
        try:
            for line, has_failed in check(file):
                self.stdout.write(line)
                n_cases, n_failed = n_cases + 1, n_failed + has_failed
        except (instrument_vectors.VectorsError, VectorsError) as error:
            raise CommandError(str(error)) from error
        if n_failed:
            raise CommandError(f"{n_failed} of {n_cases} cases differ.")
        if not n_cases:
            raise CommandError("The file holds no case.")


def _instruments(file: Path) -> Iterator[tuple[str, bool]]:
    for case in instrument_vectors.check_file(file):
        field, _, detail = case.difference.partition(": ")
        yield f"{case.id} {'pass' if case.passed else f'{field} ({detail})'}", not case.passed


def _randomisation(file: Path) -> Iterator[tuple[str, bool]]:
    for result in randomisation_vectors.check_file(file):
        yield f"{result.id} {result.outcome}", result.failed
