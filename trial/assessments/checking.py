"""The edit checks of one form, with what they compare read from the database (R-10)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import instruments
from instruments import Instrument
from trial.assessments import check_rules
from trial.assessments.check_rules import CheckState, Facts, Place
from trial.assessments.models import Administration
from trial.assessments.rules import Problems
from trial.participants.models import Participant
from trial.protocol.spec import EditCheck
from trial.schedule.models import Visit


def check_states(
    *,
    participant: Participant,
    visit: Visit,
    definition: Instrument,
    answers: Mapping[str, Any],
    missing: Mapping[str, str],
    completed_date: date | None,
) -> list[CheckState]:
    """Every edit check of a form as it would be stored with these answers: of its definition, then of the protocol.

    One look-up at most, and none where the protocol compares no other form.
    """
    found = list(check_rules.limit_states(definition, answers, missing))
    checks = check_rules.checks_of(visit.protocol_version.spec, visit.code, definition.code)
    if not checks:
        return found
    own = (visit.code, definition.code)
    answers_at, scores_at, completed_at = _others(participant, check_rules.places_of(checks, visit.code) - {own})
    answers_at[own], completed_at[own] = answers, completed_date
    scores_at[own] = _own_scores(checks, definition, answers)
    days = {
        "consented": participant.consented_date,
        "randomised": participant.randomised_date,
        "opens": visit.opens_date,
        "closes": visit.closes_date,
    }
    facts = Facts(answers_at, scores_at, completed_at, days)
    return [*found, *check_rules.protocol_states(checks, visit.code, facts)]


def hard_problems(states: Sequence[CheckState]) -> Problems:
    """What hard checks refuse, by the field at which it is said."""
    return {state.at: state.message for state in states if state.is_hard and state.fires}


def _others(
    participant: Participant, places: set[Place]
) -> tuple[dict[Place, Mapping[str, Any]], dict[Place, Mapping[str, Any]], dict[Place, date | None]]:
    """Answers, scores and completion days of other forms that are complete."""
    if not places:
        return {}, {}, {}
    complete = Administration.objects.filter(
        participant=participant,
        status=Administration.Status.COMPLETE,
        visit__code__in={visit for visit, _ in places},
        instrument__in={form for _, form in places},
    ).select_related("visit")
    forms = {(one.visit.code, one.instrument): one for one in complete}
    return (
        {place: one.answers for place, one in forms.items()},
        {place: one.scores for place, one in forms.items()},
        {place: one.completed_date for place, one in forms.items()},
    )


def _own_scores(checks: list[EditCheck], definition: Instrument, answers: Mapping[str, Any]) -> dict[str, Any]:
    sides = [side for one in checks for part in (one.when, one.rule) if part for side in (part.left, part.right)]
    if not any(side.score for side in sides):
        return {}
    scores: dict[str, Any] = instruments.score(definition, answers).as_dict()["scores"]
    return scores
