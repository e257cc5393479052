"""manage.py reveal_package FILE --by ADDRESS [--scheme CODE]"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from randomisation.models import Scheme
from trial.access.policy import Action
from trial.allocation.reports import reveal
from trial.base.errors import TrialError
from trial.management.people import permitted
from trial.protocol.versions import current


class Command(BaseCommand):
    """Writes a file that only its owner can read; nothing of it reaches the terminal."""

    help = "Write the package of a revealed scheme, for the stand-alone verifier."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", required=True, help="address of the person who takes it; the access is logged")
        parser.add_argument("--scheme", help="code of the scheme; the protocol's unless given")

    @sensitive_variables()
    def handle(self, *args: Any, **options: Any) -> None:
        """Make the package and write it."""
        by = permitted(options["by"], Action.VERIFY_REVEAL)
        target: Path = options["file"]
        try:
            code = options["scheme"] or current().spec.randomisation.scheme
            scheme = Scheme.objects.filter(code=code).first()
            if scheme is None:
                raise CommandError(f"There is no scheme {code}.")
            if target.exists():
                raise CommandError(f"{target} exists already and is not replaced.")
            target.touch(mode=0o600)
            found = _package(scheme, by, target)
            target.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
        except TrialError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{target} holds {len(found['allocations'])} allocations and {len(found['events'])} entries.")


@sensitive_variables()
def _package(scheme: Scheme, by: Any, target: Path) -> dict[str, Any]:
    """The package; an empty file is not left behind when it is refused."""
    try:
        return reveal.package(scheme=scheme, by=by, at=timezone.now())
    except TrialError:
        target.unlink()
        raise
