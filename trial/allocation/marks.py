"""How the database stands to the high-water mark outside it, in words for administrators (randomisation.md 9.15)."""

import os
from pathlib import Path

from django.conf import settings

from randomisation import high_water
from randomisation.high_water import Standing
from randomisation.models import Scheme

WORDS = {
    Standing.BEHIND: "The database lacks allocations that were made: it may have been restored from a backup.",
    Standing.MISSING: "The high-water mark is missing although people have been randomised.",
    Standing.OTHER_LOG: "The high-water mark tells of another log than the one in the database.",
}


def problem() -> str:
    """What is wrong and what happens because of it; empty when every scheme is level with its mark."""
    standings = [high_water.compare(scheme) for scheme in Scheme.objects.order_by("pk")]
    wrong = next((one for one in standings if one is not Standing.LEVEL), None)
    if wrong is None:
        return ""
    return f"{WORDS[wrong]} Nobody is randomised until allocations are recovered and two people approve."


def can_be_kept() -> bool:
    """Whether this process may write the mark: its folder, or the nearest one above it that exists, is writable."""
    folder = Path(settings.HIGH_WATER_FILE).parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK)
