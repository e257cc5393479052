"""manage.py tick"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from trial.operations import tick


class Command(BaseCommand):
    """Run every minute by cron, a systemd timer or a compose service; safe to run twice, or late."""

    help = "Send what waits, move statuses whose day has come, open due tasks, seal the audit trail."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the jobs and print how much each did: counts only."""
        results = tick.run(at=timezone.now())
        for result in results:
            self.stdout.write(f"{result.job}: {'failed' if result.has_failed else result.n}")
        if failed := [result.job for result in results if result.has_failed]:
            raise CommandError(f"Failed: {', '.join(failed)}. The log says why.")
