"""Edit checks of one form as it would be stored: what each compares, and whether it fires. Values in, value out."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import instruments
from instruments import Instrument
from trial.assessments.rules import COMPLETED_DATE
from trial.protocol.spec import Comparison, EditCheck, Operand, ProtocolSpec

Place = tuple[str, str]
"""(visit code, form code)."""
Value = int | Decimal | date

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Facts:
    """What the checks of the protocol compare: answers, scores and completion days by place; other days by name."""

    answers: Mapping[Place, Mapping[str, int]] = field(default_factory=dict)
    scores: Mapping[Place, Mapping[str, Any]] = field(default_factory=dict)
    completed: Mapping[Place, date | None] = field(default_factory=dict)
    days: Mapping[str, date | None] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckState:
    """One check of a form as it would be stored.

    Attributes:
        code: the item of a soft limit, or the protocol's code of the check.
        at: the item, or other field, at which it is said.
        values: what it compared, by item, in JSON types; None is not known.
    """

    code: str
    at: str
    message: str
    values: Mapping[str, Any]
    fires: bool
    is_hard: bool = False

    @property
    def token(self) -> str:
        """The check with its values, as a page sends it back: "hru_gp_surgery=40"."""
        return f"{self.code}={'/'.join('' if value is None else str(value) for value in self.values.values())}"


# -- of the instrument's definition


def limit_states(
    definition: Instrument, answers: Mapping[str, int], missing: Mapping[str, str]
) -> Iterator[CheckState]:
    """Answers above a soft limit, and answers to items that the other answers leave out."""
    shown = instruments.shown_items(definition, answers, although_answered=False)
    for item in definition.items:
        answer = answers.get(item.code)
        values = {item.code: missing.get(item.code) if answer is None else answer}
        if item.soft_max is not None:
            message = f"Question {item.number} is above {item.soft_max}"
            fires = answer is not None and answer > item.soft_max
            yield CheckState(item.code, item.code, message, values, fires)
        if item.shown_if is not None:
            message = f"Question {item.number} is answered, and the answers before it say that it does not apply"
            fires = answer is not None and item.code not in shown
            yield CheckState(f"{item.code}:shown_if", item.code, message, values, fires)


# -- of the protocol


def checks_of(spec: ProtocolSpec, visit: str, form: str) -> list[EditCheck]:
    """The protocol's checks of a form at a visit."""
    return [one for one in spec.edit_checks if one.form == form and (not one.visits or visit in one.visits)]


def places_of(checks: Sequence[EditCheck], visit: str) -> set[Place]:
    """Every form that these checks compare."""
    return {_place(operand, check, visit) for check in checks for operand in _operands(check)}


def protocol_states(checks: Sequence[EditCheck], visit: str, facts: Facts) -> Iterator[CheckState]:
    """Each check of the protocol with what it compared."""
    for check in checks:
        applies = check.when is None or _holds(check.when, check, visit, facts) is True
        fires = applies and _holds(check.rule, check, visit, facts) is False
        values = {
            _name(operand, check, visit): _plain(_known(operand, check, visit, facts))
            for operand in (check.rule.left, check.rule.right)
            if operand.value is None
        }
        at = check.at or (check.rule.left.item if _is_own(check.rule.left, check, visit) else None) or COMPLETED_DATE
        yield CheckState(check.code, at, check.message, values, fires, check.severity == "hard")


def _operands(check: EditCheck) -> Iterator[Operand]:
    for comparison in (check.when, check.rule):
        if comparison is not None:
            yield from (comparison.left, comparison.right)


def _place(operand: Operand, check: EditCheck, visit: str) -> Place:
    return operand.visit or visit, operand.form or check.form


def _is_own(operand: Operand, check: EditCheck, visit: str) -> bool:
    return _place(operand, check, visit) == (visit, check.form)


def _name(operand: Operand, check: EditCheck, visit: str) -> str:
    """ "hru_nights" of the form itself, "V0 phq9 completed" of another."""
    what = operand.item or operand.score or operand.day or ""
    is_own = _is_own(operand, check, visit) or operand.day not in (None, "completed")
    return what if is_own else " ".join((*_place(operand, check, visit), what))


def _holds(comparison: Comparison, check: EditCheck, visit: str, facts: Facts) -> bool | None:
    """Whether it is so; None where a side is not known."""
    left = _moved(comparison.left, _known(comparison.left, check, visit, facts))
    right = _moved(comparison.right, _known(comparison.right, check, visit, facts))
    return None if left is None or right is None else OPERATORS[comparison.op](left, right)


def _known(operand: Operand, check: EditCheck, visit: str, facts: Facts) -> Value | None:
    place = _place(operand, check, visit)
    if operand.item:
        return facts.answers.get(place, {}).get(operand.item)
    if operand.score:
        value = facts.scores.get(place, {}).get(operand.score, {}).get("value")
        return Decimal(str(value)) if isinstance(value, int | float) else None
    if operand.day:
        return facts.completed.get(place) if operand.day == "completed" else facts.days.get(operand.day)
    return operand.value


def _moved(operand: Operand, value: Value | None) -> Value | None:
    if isinstance(value, date):
        return value + timedelta(days=operand.plus)
    return None if value is None else value + operand.plus


def _plain(value: Value | None) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
