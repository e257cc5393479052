"""What a person is asked to look at once more before a form is stored as complete: open and unlikely answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import instruments
from trial.assessments import checking
from trial.assessments.check_rules import CheckState
from trial.assessments.forms import EntryForm
from trial.assessments.models import CheckWarning
from trial.assessments.places import Place
from trial.assessments.warning_actions import latest_warnings

ASKED_BLANK, ASKED_HIGH = "asked_blank", "asked_high"


@dataclass(frozen=True)
class Prompt:
    """What to look at once more before a form is completed; asked once for each answer.

    Attributes:
        blank: numbers of required questions without an answer or a reason.
        high: sentences about unlikely answers, of the soft checks that fire.
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


def states_of(place: Place, form: EntryForm) -> list[CheckState]:
    """Every edit check of a form as it was typed."""
    return checking.check_states(
        participant=place.participant,
        visit=place.visit,
        definition=place.definition,
        answers=form.answers,
        missing=form.missing,
        completed_date=form.entered["completed_date"],
    )


def unlikely_states(place: Place, states: Sequence[CheckState]) -> list[CheckState]:
    """Soft checks that fire, without those whose answers were confirmed before."""
    firing = [state for state in states if state.fires and not state.is_hard]
    if not firing or place.stored is None:
        return firing
    last = latest_warnings(place.stored)
    return [state for state in firing if not _is_confirmed(state, last.get(state.code))]


def _is_confirmed(state: CheckState, last: CheckWarning | None) -> bool:
    return last is not None and last.outcome == CheckWarning.Outcome.KEPT and last.answers_now == dict(state.values)


def prompt_for(
    place: Place,
    form: EntryForm,
    unlikely: Sequence[CheckState],
    posted: Mapping[str, Any],
    *,
    ask_again: bool = False,
    is_correction: bool = False,
) -> Prompt:
    """What the person has not been asked about yet; with `ask_again`, all of it.

    A correction asks about unlikely answers only: what was left blank was decided when the form was completed.
    """
    answers, missing = form.answers, form.missing
    needed = [] if is_correction else instruments.required_items(place.definition, answers)
    blank = [code for code in needed if code not in answers and code not in missing]
    tokens = [state.token for state in unlikely]
    is_new_blank = not set(blank) <= asked(posted, ASKED_BLANK)
    is_new_high = not set(tokens) <= asked(posted, ASKED_HIGH)
    if not is_new_blank and not is_new_high and not ask_again:
        return Prompt()
    items = place.definition.items_by_code
    return Prompt(
        [items[code].number for code in blank],
        [_words(place, state) for state in unlikely],
        ",".join(blank),
        ",".join(tokens),
    )


def asked(posted: Mapping[str, Any], name: str) -> set[str]:
    """What the page says that the person was asked about."""
    return set(str(posted.get(name, "")).split(","))


def _words(place: Place, state: CheckState) -> str:
    """ "You entered 40 contacts for question 1, Appointments with a GP": the answer itself, where one is too high."""
    item = place.definition.items_by_code.get(state.code)
    if item is None:
        return state.message
    unit = f" {item.unit}" if item.unit else ""
    return f"You entered {state.values[item.code]}{unit} for question {item.number}, {place.wording.text(item)}"
