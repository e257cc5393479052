"""When somebody counts as not contactable, and what the criteria come to: values in, value out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from trial.base.words import local_day
from trial.protocol.spec import AgeRange, ContactRules, Criterion, RiskGrade, ScoreRange


class Attempt(Protocol):
    """What the rule needs to know of a contact attempt."""

    at: datetime
    channel: str
    outcome: str


@dataclass(frozen=True)
class Shortfall:
    """How many attempts, days and channels are still missing before somebody is not contactable (T03)."""

    attempts: int
    days: int
    channels: int

    @property
    def is_met(self) -> bool:
        """Nothing is missing."""
        return not (self.attempts or self.days or self.channels)


def contact_shortfall(attempts: Iterable[Attempt], rules: ContactRules) -> Shortfall:
    """What is missing of the protocol's number of attempts, on different local days, by different channels."""
    tried = list(attempts)
    days = {local_day(one.at) for one in tried}
    return Shortfall(
        max(0, rules.min_attempts - len(tried)),
        max(0, rules.min_days - len(days)),
        max(0, rules.min_channels - len({one.channel for one in tried})),
    )


@dataclass(frozen=True)
class Facts:
    """What automatic criteria are worked out from.

    Attributes:
        age: whole years at consent, None when the birth date is not known.
        scores: by (visit, instrument, score); None or absent when there is no score.
        alerts: (instrument, grade) of each risk alert; an empty grade is not assessed yet.
    """

    age: int | None
    scores: Mapping[tuple[str, str, str], int | float | str | None]
    alerts: Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Worked:
    """The answer of an automatic criterion and what it rests on."""

    answer: str
    evidence: str


def automatic_answer(criterion: Criterion, facts: Facts) -> Worked | None:
    """Answer an automatic criterion: yes, no, or unknown while a fact is missing; None for a judgement."""
    rule = criterion.rule
    if isinstance(rule, AgeRange):
        return _age(rule, facts.age)
    if isinstance(rule, ScoreRange):
        return _score(rule, facts)
    return _grade(rule, facts) if isinstance(rule, RiskGrade) else None


def _age(rule: AgeRange, age: int | None) -> Worked:
    if age is None:
        return Worked("unknown", "Birth date not known")
    inside = rule.min <= age and (rule.max is None or age <= rule.max)
    return Worked("yes" if inside else "no", f"{age} at consent")


def _score(rule: ScoreRange, facts: Facts) -> Worked:
    value = facts.scores.get((rule.visit, rule.instrument, rule.score))
    if not isinstance(value, int):
        return Worked("unknown", f"No score at {rule.visit} yet")
    return Worked("yes" if rule.min <= value <= rule.max else "no", f"Score {value} at {rule.visit}")


def _grade(rule: RiskGrade, facts: Facts) -> Worked:
    grades = [grade for instrument, grade in facts.alerts if instrument == rule.instrument]
    if any(grade in rule.grades for grade in grades):
        return Worked("yes", "Risk assessment graded it so")
    if "" in grades:
        return Worked("unknown", "A risk alert waits for its assessment")
    return Worked("no", "Assessed" if grades else "No risk alert")


def is_met(criterion: Criterion, answer: str) -> bool | None:
    """Whether a person meets a criterion: inclusion by yes, exclusion by no; None while unknown."""
    if answer not in ("yes", "no"):
        return None
    return (answer == "yes") == (criterion.kind == "inclusion")


def outcome(criteria: Iterable[Criterion], answers: Mapping[str, str]) -> str:
    """`met` when every criterion is, `failed` when all are answered and one is not met, otherwise `open`."""
    results = [is_met(criterion, answers.get(criterion.code, "")) for criterion in criteria]
    if None in results:
        return "open"
    return "met" if all(results) else "failed"


def failed_codes(criteria: Iterable[Criterion], answers: Mapping[str, str]) -> list[str]:
    """Codes of the criteria that are answered and not met, in the protocol's order."""
    return [c.code for c in criteria if is_met(c, answers.get(c.code, "")) is False]
