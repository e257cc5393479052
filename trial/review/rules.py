"""What a sign-off covers: values in, value out (BR-64)."""

from collections.abc import Iterable
from typing import Any

from trial.assessments.models import Administration


def signed_content(forms: Iterable[tuple[str, Administration]]) -> list[dict[str, Any]]:
    """What an investigator endorses: every questionnaire of a participant, by visit and instrument.

    Args:
        forms: visit code and stored form.
    """
    rows = [
        {
            "visit": visit_code,
            "instrument": form.instrument,
            "version": form.instrument_version,
            "status": form.status,
            "completed": form.completed_date,
            "answers": form.answers,
            "missing": form.missing,
            "not_done": form.not_done_reason,
        }
        for visit_code, form in forms
    ]
    return sorted(rows, key=lambda row: (row["visit"], row["instrument"]))
