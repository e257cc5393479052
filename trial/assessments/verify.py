"""Proof over the whole database: every alert answer has its alert, and scoring again gives what is stored."""

from collections.abc import Iterator

import instruments
from trial.assessments.models import Administration

BATCH = 2000


def answers_without_alert() -> list[str]:
    """One sentence for each form of which an answer, now or in any earlier save, lacks its alert (BR-50, R-45)."""
    return list(_without_alert())


def _without_alert() -> Iterator[str]:
    watched = {each.code for each in instruments.all_instruments() if each.alerts}
    raised = dict(Administration.objects.filter(alert__isnull=False).values_list("pk", "alert__codes").iterator(BATCH))
    saves = (
        Administration.history.filter(instrument__in=watched)
        .order_by("id", "history_id")
        .values_list(
            "id", "instrument", "instrument_version", "answers", "status", "participant__study_id", "visit__code"
        )
    )
    told: set[int] = set()
    for pk, code, version, answers, status, study_id, visit in saves.iterator(BATCH):
        if pk in told or status == Administration.Status.NOT_DONE:
            continue
        submitted = status == Administration.Status.COMPLETE
        lacking = set(instruments.score(instruments.get(code, version), answers, submitted=submitted).alerts)
        lacking -= set(raised.get(pk, []))
        if lacking:
            told.add(pk)
            yield f"{study_id} {visit} {code}: no alert for {', '.join(sorted(lacking))}"


def score_differences() -> list[str]:
    """One sentence for each complete form whose stored scores or counts differ when it is scored again (BR-65)."""
    forms = Administration.objects.filter(status=Administration.Status.COMPLETE).select_related("participant", "visit")
    return [
        f"{form}: scored again it differs" for form in forms.order_by("pk").iterator(BATCH) if not _scores_again(form)
    ]


def _scores_again(form: Administration) -> bool:
    definition = instruments.get(form.instrument, form.instrument_version)
    scores = instruments.score(definition, form.answers).as_dict()["scores"]
    counts = instruments.completeness(definition, form.answers, form.missing)
    return bool(scores == form.scores and counts == (form.n_answered, form.n_expected))
