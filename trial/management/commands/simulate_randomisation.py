"""manage.py simulate_randomisation --by ADDRESS [--trials 1000] [--target N] [--methods FILE.json]"""

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.views.decorators.debug import sensitive_variables

from randomisation.errors import RandomisationError
from randomisation.simulation import (
    DEFAULT_TRIALS,
    MESSAGE,
    OWN_DESIGN,
    Candidate,
    Population,
    simulate,
    suggestion,
    usual_candidates,
)
from randomisation.simulation.table import note, rows
from trial.access.policy import Action
from trial.allocation.designs import expected_people, own_design, read_designs
from trial.base.errors import TrialError
from trial.management.people import permitted
from trial.protocol.versions import current


class Command(BaseCommand):
    """Prints a table, method beside method, and progress on standard error. No block size, limit, p or arm of the
    protocol's own design reaches the terminal, and no live secret is touched."""

    help = "Simulate whole trials by the protocol's own randomisation and by other methods, side by side."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", required=True, help="address of the statistician who does it")
        parser.add_argument("--trials", type=int, default=DEFAULT_TRIALS, help="simulated trials of each method")
        parser.add_argument("--target", type=int, help="people in a trial; the protocol's target unless given")
        parser.add_argument("--methods", type=Path, help="JSON file of methods to compare with the protocol's own")

    @sensitive_variables()
    def handle(self, *args: Any, **options: Any) -> None:
        """Simulate and print."""
        permitted(options["by"], Action.CONFIGURE_SCHEME)
        try:
            version = current()
            own = own_design(version)
            target = version.spec.recruitment.target if options["target"] is None else options["target"]
            if options["methods"] is None:
                candidates: Sequence[Candidate] = usual_candidates(own.parameters)
                people = expected_people(version.spec)
            else:
                others, people = read_designs(_text(options["methods"]), version.spec)
                candidates = [own, *others]
            self._compare(candidates, people=people, target=target, n_trials=options["trials"])
        except (TrialError, RandomisationError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"\n{MESSAGE}")
        if advice := suggestion(own.parameters, target):
            self.stdout.write(advice)

    def _compare(self, candidates: Sequence[Candidate], *, people: Population, target: int, n_trials: int) -> None:
        compared = simulate(
            candidates, population=people, target=target, n_trials=n_trials, progress=self._progress(n_trials)
        )
        self.stdout.write(f"{n_trials:,} simulated trials of {target:,} people. {note(compared)}")
        self.stdout.write(f"{OWN_DESIGN} is the active version's; its restricted parameters are not shown.\n\n")
        heads = ("", [method.label for method in compared.methods])
        self.stdout.write(_table([heads, *rows(compared)]))

    def _progress(self, n_trials: int) -> Callable[[int, int], None]:
        """Every percent over the last one on a terminal, otherwise a line for each tenth."""
        on_terminal = self.stderr.isatty()
        n_steps = 100 if on_terminal else 10

        def tell(done: int, total: int) -> None:
            if done * n_steps // total == (done - 1) * n_steps // total:
                return
            ending = "\r" if on_terminal and done < total else "\n"
            self.stderr.write(f"Simulated {done * 100 // total}%", style_func=str, ending=ending)

        return tell


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The file {file} cannot be read.") from error


def _table(lines: Sequence[tuple[str, list[str]]]) -> str:
    cells = [[words, *texts] for words, texts in lines]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )
