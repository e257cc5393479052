"""manage.py load_protocol FILE [--activate --email ADDRESS]"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from trial.access.models import User
from trial.base.errors import TrialError
from trial.consent.actions import load_documents
from trial.protocol import actions
from trial.protocol.models import ProtocolVersion


class Command(BaseCommand):
    help = "Check a protocol file and store it as a draft; with --activate, make it the active version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--activate", action="store_true", help="make it the active version")
        parser.add_argument("--email", help="address of the account of the person who does it")

    def handle(self, *args: Any, **options: Any) -> None:
        person = _person(options["email"])
        if options["activate"] and person is None:
            raise CommandError("Say with --email who activates the protocol.")
        try:
            with transaction.atomic():
                version = _load(options["file"], person, activate=options["activate"])
        except TrialError as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write(f"Version {version} of {version.study_code} is {version.get_status_display().lower()}.")


def _load(file: Path, person: User | None, *, activate: bool) -> ProtocolVersion:
    now = timezone.now()
    version = actions.load(source=file, by=person, at=now)
    if activate and version.status == ProtocolVersion.Status.DRAFT:
        version = actions.activate(version=version, by=person, at=now)
        load_documents(version=version, by=person)
    return version


def _person(email: str | None) -> User | None:
    if email is None:
        return None
    try:
        return User.objects.get(email__iexact=email.strip(), is_active=True)
    except User.DoesNotExist:
        raise CommandError(f"There is no active account with the address {email}.") from None
