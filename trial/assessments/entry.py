"""From what was posted to what is stored: the prompts before completion, conflicts between two people, alerts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import instruments
from trial.access.models import User
from trial.assessments import actions
from trial.assessments.errors import AnswersRefused, ChangedMeanwhile, ReasonsMissing
from trial.assessments.forms import EntryForm
from trial.assessments.models import Administration, MissingCode
from trial.assessments.places import Place
from trial.assessments.reason_forms import UnlikelyForm
from trial.assessments.rules import ASSESSOR, COMPLETED_DATE, MODE, RESPONDENT, Difference
from trial.base.errors import TrialError
from trial.base.words import long_date

ASKED_BLANK, ASKED_HIGH = "asked_blank", "asked_high"


@dataclass(frozen=True)
class Prompt:
    """What to look at once more before a form is completed; asked once for each answer.

    Attributes:
        blank: numbers of required questions without an answer or a reason.
        high: sentences about unlikely answers.
        asked_blank, asked_high: the same as the page sends it back.
    """

    blank: list[int] = field(default_factory=list)
    high: list[str] = field(default_factory=list)
    asked_blank: str = ""
    asked_high: str = ""

    def __bool__(self) -> bool:
        return bool(self.blank or self.high)

    @property
    def blank_words(self) -> str:
        """ "3, 7 and 9"."""
        *first, last = map(str, self.blank)
        return f"{', '.join(first)} and {last}" if first else last


def prompt_for(place: Place, form: EntryForm, posted: Mapping[str, Any]) -> Prompt:
    """What the person has not been asked about yet."""
    answers, missing = form.answers, form.missing
    items = place.definition.items_by_code
    blank = [
        code
        for code in instruments.required_items(place.definition, answers)
        if code not in answers and code not in missing
    ]
    high = {
        one.item: answers[one.item]
        for one in instruments.score(place.definition, answers).warnings
        if one.code == "above_soft_max"
    }
    high_pairs = [f"{code}={value}" for code, value in high.items()]
    is_new_blank = not set(blank) <= set(str(posted.get(ASKED_BLANK, "")).split(","))
    is_new_high = not set(high_pairs) <= set(str(posted.get(ASKED_HIGH, "")).split(","))
    if not is_new_blank and not is_new_high:
        return Prompt()
    return Prompt(
        [items[code].number for code in blank],
        [_high_words(place, code, value) for code, value in high.items()],
        ",".join(blank),
        ",".join(high_pairs),
    )


def _high_words(place: Place, code: str, value: int) -> str:
    item = place.definition.items_by_code[code]
    unit = f" {item.unit}" if item.unit else ""
    return f"You entered {value}{unit} for question {item.number}, {place.wording.text(item)}"


@dataclass(frozen=True)
class Outcome:
    """What came of a post: a stored form, something to look at first, or another person's version."""

    stored: Administration | None = None
    prompt: Prompt = field(default_factory=Prompt)
    conflict: ChangedMeanwhile | None = None
    unlikely: UnlikelyForm | None = None


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

    Before a first completion the person is asked once about open and unlikely answers, which are kept as a draft
    meanwhile, with any alert they raise.

    Args:
        reason: of a correction, for every field it changes.
    """
    if submit and not form.require_assessor():
        return Outcome()
    prompt = prompt_for(place, form, posted) if submit and not place.is_complete else Prompt()
    high = str(posted.get(ASKED_HIGH, "")) if submit and not prompt else ""
    unlikely = UnlikelyForm(posted) if high else None
    if unlikely is not None and not unlikely.is_valid():
        return Outcome(prompt=prompt_for(place, form, {}), unlikely=unlikely)
    reasons = dict.fromkeys(_keys(place), reason) if reason else {}
    if unlikely is not None:
        why = unlikely.cleaned_data["high_reason"]
        reasons |= {pair.split("=")[0]: f"Checked: {why}" for pair in high.split(",")}
    try:
        stored = actions.save_form(
            participant=place.participant,
            visit=place.visit,
            instrument=place.use.code,
            by=by,
            at=at,
            submit=submit and not prompt,
            reasons=reasons,
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
        return Outcome(stored, prompt)
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
