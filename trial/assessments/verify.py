"""Proof over the whole database: every alert answer has its alert, and scoring again gives what is stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Rescored:
    """One complete form that was scored again, and what differs from what is stored: nothing, as it should be."""

    name: str
    differences: tuple[str, ...]


def rescored() -> Iterator[Rescored]:
    """Score every complete form again, one after the other, in constant memory (BR-65, R-26)."""
    fields = ("instrument", "instrument_version", "answers", "missing", "scores", "n_answered", "n_expected")
    forms = (
        Administration.objects.filter(status=Administration.Status.COMPLETE)
        .select_related("participant", "visit")
        .only(*fields, "participant__study_id", "visit__code")
    )
    for form in forms.order_by("pk").iterator(BATCH):
        yield Rescored(str(form), tuple(_differences(form)))


def score_differences() -> list[str]:
    """One sentence for each complete form whose stored scores or counts differ when it is scored again (BR-65)."""
    return [f"{form.name}: {', '.join(form.differences)}" for form in rescored() if form.differences]


def _differences(form: Administration) -> Iterator[str]:
    """Each score and count that differs."""
    try:
        definition = instruments.get(form.instrument, form.instrument_version)
    except instruments.UnknownInstrument as error:
        yield str(error)
        return
    scores = instruments.score(definition, form.answers).as_dict()["scores"]
    for code in dict.fromkeys([*scores, *form.scores]):
        if scores.get(code) != form.scores.get(code):
            yield f"{code} is stored as {_words(form.scores.get(code))} and scored as {_words(scores.get(code))}"
    counts = instruments.completeness(definition, form.answers, form.missing)
    if counts != (form.n_answered, form.n_expected):
        yield f"{form.n_answered} of {form.n_expected} answered is stored, and {counts[0]} of {counts[1]} is counted"


def _words(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "nothing"
    return ", ".join(str(result[key]) for key in ("value", "status", "band", "unrounded") if key in result)
