"""manage.py verify_audit"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trial.base import audit


class Command(BaseCommand):
    """Run every day and before a lock: exits 1 and names each entry that does not fit (R-02, R-03)."""

    help = "Rebuild every hash and seal of the audit trail from the entries themselves and compare."

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, and report."""
        if problems := audit.verify():
            raise CommandError("\n".join(problems))
        head = audit.head()
        self.stdout.write(
            f"The audit trail fits its hashes and seals. Last seal {head['id']} {head['sha256']}".rstrip()
        )
