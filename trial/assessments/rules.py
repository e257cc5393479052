"""What may be entered when and how, which forms are expected, and what changed: values in, value out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from instruments import Alert, Instrument
from trial.base.words import long_date
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ELIGIBILITY, ExpectedForm, InstrumentUse, VisitSpec

COMPLETED_DATE, MODE, RESPONDENT, ASSESSOR = "completed_date", "mode", "respondent", "assessor"
"""Keys of what is not an item, among problems, differences and reasons."""

Answers = Mapping[str, int]
Problems = dict[str, str]
"""What to put right, by item code or one of the keys above."""


@dataclass(frozen=True)
class Facts:
    """What decides whether a form that may stand over from an earlier visit is expected.

    Attributes:
        on: the day asked about: today, or day 0 once the person is randomised.
        answered_on: day on which a form was answered, by (visit, form).
    """

    on: date
    answered_on: Mapping[tuple[str, str], date] = field(default_factory=dict)


def expected_forms(visit: VisitSpec, facts: Facts) -> list[ExpectedForm]:
    """Forms of a visit that are expected, in the protocol's order, the eligibility form included.

    A form with a repeat rule is expected only when the earlier one is older than the rule allows (domain.md 10, V1).
    """
    return [one for one in visit.forms if is_expected(one, facts)]


def is_expected(one: ExpectedForm, facts: Facts) -> bool:
    """Whether one form is expected on the day of `facts`."""
    earlier = facts.answered_on.get((one.repeat_of.visit, one.form)) if one.repeat_of else None
    return protocol_rules.is_expected(one, earlier_on=earlier, on=facts.on)


def is_instrument(one: ExpectedForm) -> bool:
    """Whether a form is a questionnaire: the eligibility form is answered elsewhere."""
    return one.form != ELIGIBILITY


# -- before answers are stored


def date_problem(completed: date, *, consented: date, today: date) -> str:
    """Why a completion date cannot be: it is in the future or before consent (BR-32). Empty when it can."""
    if completed > today:
        return "The date it was completed must be today or in the past"
    if completed < consented:
        return f"The date it was completed must be on or after {long_date(consented)}, the day of consent"
    return ""


def way_problems(use: InstrumentUse, form: ExpectedForm, *, mode: str, respondent: str) -> Problems:
    """What is wrong with how a form was answered: a mode that the visit does not have, or a proxy (BR-33)."""
    problems: Problems = {}
    if mode and mode not in form.modes:
        problems[MODE] = "Select one of the ways in which this visit may be answered"
    if use.self_report and respondent != "participant":
        problems[RESPONDENT] = f"Only the participant may answer {use.label}"
    return problems


def missing_problems(instrument: Instrument, answers: Answers, missing: Mapping[str, str]) -> Problems:
    """Reasons for no answer that stand at an unknown item, or beside an answer."""
    problems = {code: "This form has no such question" for code in missing if code not in instrument.items_by_code}
    for code in missing.keys() & answers.keys():
        problems[code] = (
            f"Question {instrument.items_by_code[code].number} has an answer and a reason for none. Keep one"
        )
    return problems


ERROR_WORDS = {
    "unknown_item": "This form has no such question",
    "wrong_type": "Question {n} must be answered with a number",
    "not_integer": "Question {n} must be a whole number",
}


def answer_problems(instrument: Instrument, findings: Mapping[str, str]) -> Problems:
    """Sentences for the error codes that scoring found, by item."""
    problems: Problems = {}
    for code, error in findings.items():
        item = instrument.items_by_code.get(code)
        words = ERROR_WORDS.get(error)
        if words is None:
            words = (
                "Select an answer to question {n}"
                if item and item.type == "choice"
                else "Question {n} must be between {low} and {high}"
            )
        problems[code] = words.format(n=item.number, low=item.min, high=item.max) if item else words
    return problems


# -- two people at one form


@dataclass(frozen=True)
class Difference:
    """One field that two people entered differently. Values as stored: an answer, a missing code, or None."""

    key: str
    theirs: Any
    yours: Any


def fields_of(answers: Mapping[str, Any], missing: Mapping[str, str], way: Mapping[str, Any]) -> dict[str, Any]:
    """Everything a person enters on a form, by key: answers and reasons for none together, then date and manner."""
    return {**missing, **answers, **{key: value or None for key, value in way.items()}}


def differences(theirs: Mapping[str, Any], yours: Mapping[str, Any]) -> list[Difference]:
    """Fields whose values differ, sorted by key."""
    return [
        Difference(key, theirs.get(key), yours.get(key))
        for key in sorted(theirs.keys() | yours.keys())
        if theirs.get(key) != yours.get(key)
    ]


# -- alerts


def has_risen(instrument: Instrument, before: Answers, after: Answers, codes: tuple[str, ...]) -> bool:
    """Whether an answer behind one of these alert codes is worse than it was (BR-50)."""
    return any(_is_worse(alert, before, after) for alert in instrument.alerts if alert.code in codes and alert.item)


def _is_worse(alert: Alert, before: Answers, after: Answers) -> bool:
    was, now = before.get(alert.item or ""), after.get(alert.item or "")
    if now is None or was == now:
        return False
    if was is None or not alert.condition.holds(was):
        return True
    return now < was if alert.condition.op == "<=" else now > was


def severity_of(instrument: Instrument, codes: tuple[str, ...]) -> str:
    """Urgent as soon as one of the alerts is."""
    return "urgent" if any(instrument.alerts_by_code[code].severity == "urgent" for code in codes) else "review"
