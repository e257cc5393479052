"""Write docs/journey.md from the table of transitions."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from trial.journey.drawing import markdown


class Command(BaseCommand):
    """manage.py draw_journey"""

    help = "Write docs/journey.md from the table of transitions."

    def handle(self, *args: Any, **options: Any) -> None:
        """Overwrite the page."""
        Path(settings.BASE_DIR, "docs", "journey.md").write_text(markdown(), encoding="utf-8")
        self.stdout.write("docs/journey.md is written.")
