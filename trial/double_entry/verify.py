"""Proof over the whole database that every risk answer of a second entry has its alert (BR-50, R-45)."""

import instruments
from trial.double_entry.models import SecondEntry

BATCH = 2000


def answers_without_alert() -> list[str]:
    """One sentence for each second entry of which an answer, now or in any earlier save, lacks its alert."""
    saves = SecondEntry.history.order_by("id", "history_id").values_list(
        "id",
        "answers",
        "administration__instrument",
        "administration__instrument_version",
        "administration__alert__codes",
        "participant__study_id",
        "administration__visit__code",
    )
    lacking: dict[int, str] = {}
    for pk, answers, code, version, raised, study_id, visit in saves.iterator(BATCH):
        wanted = set(instruments.score(instruments.get(code, version), answers, submitted=False).alerts) - set(
            raised or []
        )
        if wanted:
            lacking[pk] = f"{study_id} {visit} {code}, second entry: no alert for {', '.join(sorted(wanted))}"
    return list(lacking.values())
