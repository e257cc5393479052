"""manage.py demo [--port N] [--reset] [--no-server] [--weeks-before N]"""

from argparse import ArgumentParser
from io import StringIO
from time import monotonic
from typing import Any

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from trial.base.errors import TrialError
from trial.demo import at_home, machine, story
from trial.demo.calendar import WEEKS_SINCE_RECRUITMENT
from trial.demo.staff import PASSPHRASE, POSTS, address


class Command(BaseCommand):
    help = "Load the demonstration study into an empty database, and start a server for this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reset", action="store_true", help="start over from an empty database")
        parser.add_argument("--no-server", action="store_true", help="load the data and stop")
        parser.add_argument(
            "--weeks-before",
            type=int,
            default=WEEKS_SINCE_RECRUITMENT,
            choices=range(10, 27),
            metavar="N",
            help="how many weeks ago recruitment ended (10 to 26)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            machine.require_training()
            if not options["no_server"]:
                machine.require_port(options["port"])
            self._load(reset=options["reset"], weeks_since=options["weeks_before"])
        except TrialError as error:
            raise CommandError(str(error), returncode=1) from error
        machine.answer_at(options["port"])
        if "tick" in get_commands():
            call_command("tick", stdout=StringIO())
        if not options["no_server"]:
            machine.collect_static()
        self._say_how_to_sign_in(options["port"])
        if not options["no_server"]:
            machine.serve(options["port"])

    def _load(self, *, reset: bool, weeks_since: int) -> None:
        """Bring the database up to date, and fill it if it is empty."""
        if reset or machine.is_unfinished():
            machine.start_over()
        self.stdout.write("Preparing the database.")
        call_command("migrate", interactive=False, verbosity=0)
        found = machine.holding()
        if found == machine.Holding.SOMETHING_ELSE:
            raise machine.DemoRefused("The database holds other data, so the demonstration is not loaded into it.")
        if found == machine.Holding.DEMONSTRATION:
            self.stdout.write("The demonstration data are there already and stay as they are.")
            return
        self.stdout.write("Loading the demonstration study. This takes a minute or two, once.")
        began = monotonic()
        with machine.loading():
            stage = story.build(now=timezone.now(), weeks_since=weeks_since)
            for then in story.afterwards:
                then(stage)
        self.stdout.write(f"Loaded in {monotonic() - began:.0f} seconds.")

    def _say_how_to_sign_in(self, port: int) -> None:
        shown = [post for post in POSTS if post.is_shown]
        width = max(len(post.role.label) for post in shown)
        lines = [f"  {post.role.label:<{width}}  {address(post)}" for post in shown]
        if offer := at_home.offer(at=timezone.now()):
            where = f"http://{machine.HOST}:{port}{offer.path}"
            lines += ["", f"  A participant’s questions: {where}", f"  Born on (day, month): {offer.day} {offer.month}"]
        self.stdout.write(
            "\n".join(
                [
                    "",
                    f"Hedgerow answers at http://{machine.HOST}:{port}/",
                    f"All data are made up. The password of every account is  {PASSPHRASE}",
                    "",
                    *lines,
                    "",
                ]
            )
        )
