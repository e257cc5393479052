"""From what was posted to what is stored: the prompts before completion, conflicts between two people, alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from trial.access.models import User
from trial.assessments import actions
from trial.assessments.check_rules import CheckState
from trial.assessments.checking import hard_problems
from trial.assessments.errors import AnswersRefused, ChangedMeanwhile, ReasonsMissing
from trial.assessments.forms import EntryForm
from trial.assessments.models import Administration, MissingCode
from trial.assessments.places import Place
from trial.assessments.prompts import Prompt, prompt_for, states_of, unlikely_states
from trial.assessments.reason_forms import UnlikelyForm
from trial.assessments.rules import ASSESSOR, COMPLETED_DATE, MODE, RESPONDENT, Difference, Problems
from trial.assessments.warning_actions import record_shown
from trial.base.errors import TrialError
from trial.base.words import long_date


@dataclass(frozen=True)
class Outcome:
    """What came of a post: a stored form, something to look at first, or another person's version.

    `problems` are what hard checks refuse, by field; the answers are kept as a draft meanwhile.
    """

    stored: Administration | None = None
    prompt: Prompt = field(default_factory=Prompt)
    conflict: ChangedMeanwhile | None = None
    unlikely: UnlikelyForm | None = None
    problems: Problems = field(default_factory=dict)


def save(
    place: Place,
    form: EntryForm,
    *,
    by: User,
    at: datetime,
    submit: bool,
    posted: Mapping[str, Any],
    reason: str = "",
) -> Outcome:
    """Store what a valid form holds; what is refused is shown at its field.

    The person is asked once about open and unlikely answers. Before a first completion these are kept as a draft
    meanwhile, with any alert they raise; of a correction, the warning is kept with the answers that were typed.

    Args:
        reason: of a correction, for every field it changes.
    """
    if not submit:
        return _store(place, form, by=by, at=at, submit=False, reasons=dict.fromkeys(_keys(place), reason))
    if not form.require_assessor():
        return Outcome()
    states = states_of(place, form)
    unlikely = unlikely_states(place, states)
    prompt = prompt_for(place, form, unlikely, posted, is_correction=place.is_complete)
    problems = {} if place.is_complete else hard_problems(states)
    if prompt or problems:
        return _ask_first(place, form, prompt, problems, unlikely, by, at)
    if not unlikely:
        return _store(place, form, by=by, at=at, submit=True, reasons=dict.fromkeys(_keys(place), reason))
    why = UnlikelyForm(posted)
    if not why.is_valid():
        return Outcome(
            prompt=prompt_for(place, form, unlikely, posted, ask_again=True, is_correction=place.is_complete),
            unlikely=why,
        )
    words = why.cleaned_data["high_reason"]
    return _store(
        place,
        form,
        by=by,
        at=at,
        submit=True,
        reasons=dict.fromkeys(_keys(place), reason) | {state.at: _checked(reason, words) for state in unlikely},
        accepted={state.code: words for state in unlikely},
    )


def _checked(reason: str, words: str) -> str:
    return f"{reason}. Checked: {words}" if reason else f"Checked: {words}"


def _ask_first(
    place: Place,
    form: EntryForm,
    prompt: Prompt,
    problems: Problems,
    unlikely: Sequence[CheckState],
    by: User,
    at: datetime,
) -> Outcome:
    """Keep a first entry as a draft while the person looks again; a correction waits on the page."""
    outcome = Outcome() if place.is_complete else _store(place, form, by=by, at=at, submit=False, reasons={})
    kept = place.stored if place.is_complete else outcome.stored
    if kept is None:
        return outcome
    try:
        record_shown(form=kept, states=unlikely, by=by, at=at)
    except TrialError as error:
        form.add_error(None, str(error))
        return Outcome()
    return replace(outcome, prompt=prompt, problems=problems)


def _store(
    place: Place,
    form: EntryForm,
    *,
    by: User,
    at: datetime,
    submit: bool,
    reasons: Mapping[str, str],
    accepted: Mapping[str, str] | None = None,
) -> Outcome:
    try:
        stored = actions.save_form(
            participant=place.participant,
            visit=place.visit,
            instrument=place.use.code,
            by=by,
            at=at,
            submit=submit,
            reasons=reasons,
            accepted=accepted,
            **form.entered,
        )
    except ChangedMeanwhile as changed:
        return Outcome(conflict=changed)
    except AnswersRefused as refused:
        form.add_problems(refused.problems)
    except ReasonsMissing as lacking:
        form.add_error(None, str(lacking))
    except TrialError as error:
        form.add_error(None, str(error))
    else:
        return Outcome(stored)
    return Outcome()


def _keys(place: Place) -> list[str]:
    return [*place.definition.items_by_code, COMPLETED_DATE, MODE, RESPONDENT, ASSESSOR]


def has_urgent_alert(stored: Administration | None) -> bool:
    """Whether an answer of the form raised an urgent alert, now or before."""
    return stored is not None and hasattr(stored, "alert") and stored.alert.severity == "urgent"


def needs_support(stored: Administration, at: datetime) -> bool:
    """Whether the save at this moment raised or escalated an urgent alert, or completed a form that had raised one."""
    return has_urgent_alert(stored) and at in (stored.alert.raised_at, stored.alert.escalated_at, stored.submitted_at)


@dataclass(frozen=True)
class Differing:
    """One line of the page that shows two versions side by side."""

    label: str
    theirs: str
    yours: str


def side_by_side(place: Place, differences: list[Difference]) -> list[Differing]:
    """Differences in words."""
    return [
        Differing(
            key_label(place, one.key), value_words(place, one.key, one.theirs), value_words(place, one.key, one.yours)
        )
        for one in differences
    ]


KEY_LABELS = {
    COMPLETED_DATE: "Completed on",
    MODE: "How it was completed",
    RESPONDENT: "Who answered",
    ASSESSOR: "Who held the interview",
}


def key_label(place: Place, key: str) -> str:
    """A question with its number, or the name of another field."""
    item = place.definition.items_by_code.get(key)
    return f"{item.number}. {place.wording.text(item)}" if item else KEY_LABELS[key]


def value_words(place: Place, key: str, value: Any) -> str:
    """A stored value in words: "Several days (1)", "Left blank", "6 July 2026", "No answer"."""
    if value is None:
        return "No answer"
    if isinstance(value, date):
        return long_date(value)
    if key == ASSESSOR:
        return str(User.objects.get(pk=value).name)
    if key == MODE:
        return Administration.Mode(value).label
    if key == RESPONDENT:
        return Administration.Respondent(value).label
    if isinstance(value, str):
        return MissingCode(value).label
    item = place.definition.items_by_code[key]
    label = place.wording.label(item, value)
    return label if label == str(value) else f"{label} ({value})"
