"""Score one form: totals, bands, alerts, errors and warnings, in exact arithmetic.

The rules are those of the reference instruments' README; every number comes from the definition.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from operator import ge
from typing import Any, NamedTuple

from instruments.answers import Finding, Form, completeness, required_items, shown_items, warnings
from instruments.exact import Exact, Number, exact, round_half_up
from instruments.model import Instrument, Score

__all__ = [
    "ALGORITHM_VERSION",
    "METHODS",
    "Finding",
    "Result",
    "ScoreResult",
    "Status",
    "completeness",
    "required_items",
    "score",
    "shown_items",
]

ALGORITHM_VERSION = "instrument-scoring/1"
UNROUNDED_PLACES = 4
MOST_KNOWN = 10_000


class Status(StrEnum):
    """How a score came about."""

    COMPLETE = "complete"
    PRORATED = "prorated"
    PARTIAL = "partial"
    NOT_SCORED = "not_scored"
    INVALID = "invalid"
    EXTERNAL = "external"


# A score before rounding, and those computed before it.
Computed = tuple[Exact | str | None, Status]
Earlier = Mapping[str, Computed]
Method = Callable[[Score, Form, Earlier], Computed]
# Answers as they count, in the order of a score's items; None is no answer.
Values = Sequence[int | None]


class ScoreResult(NamedTuple):
    """One score: a whole number at precision 0, a decimal above it, text for a profile, or null."""

    value: Number | str | None
    status: Status
    band: str | None = None
    unrounded: Decimal | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON types; keys that do not apply are left out."""
        said: dict[str, Any] = {"value": _json(self.value), "status": self.status.value}
        if self.band is not None:
            said["band"] = self.band
        if self.unrounded is not None:
            said["unrounded"] = float(self.unrounded)
        return said


class Result(NamedTuple):
    """Everything that one form's answers say. Alerts are sorted by code, findings by item, then code."""

    scores: Mapping[str, ScoreResult]
    alerts: tuple[str, ...]
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    algorithm_version: str = ALGORITHM_VERSION

    def as_dict(self) -> dict[str, Any]:
        """The result object of the format, in JSON types."""
        return {
            "scores": {code: result.as_dict() for code, result in self.scores.items()},
            "alerts": list(self.alerts),
            "errors": [finding._asdict() for finding in self.errors],
            "warnings": [finding._asdict() for finding in self.warnings],
        }


def score(instrument: Instrument, answers: Mapping[str, object], submitted: bool = True) -> Result:
    """Score a form. Absent and null both mean not answered; zero is an answer.

    `submitted` is false for drafts and partial saves, where an unanswered item raises no alert yet.
    """
    form = Form(instrument, answers)
    computed: dict[str, Computed] = {}
    results: dict[str, ScoreResult] = {}
    for each in instrument.scores:
        value, status = computed[each.code] = METHODS[each.method](each, form, computed)
        results[each.code] = _rounded(each, value, status)
    return Result(
        scores=results,
        alerts=_alerts(instrument, form, results, submitted),
        errors=tuple(sorted(form.errors)) if form.errors else (),
        warnings=tuple(sorted(warnings(instrument, form))),
    )


def _rounded(definition: Score, value: Exact | str | None, status: Status) -> ScoreResult:
    """The result as it is reported. Few values differ from form to form, so the result of each is made once."""
    if value is None or isinstance(value, str):
        return ScoreResult(value, status)
    key = (value.numerator, value.denominator, status)
    known: ScoreResult | None = definition.known_results.get(key)
    if known is not None:
        return known
    result = _rounded_number(definition, value, status)
    if len(definition.known_results) < MOST_KNOWN:
        definition.known_results[key] = result
    return result


def _rounded_number(definition: Score, value: Exact, status: Status) -> ScoreResult:
    rounded = round_half_up(value, definition.precision or 0)
    band = definition.band_of(rounded) if definition.bands else None
    unrounded = None
    if definition.method == "sum" and status is Status.PRORATED:
        unrounded = Decimal(round_half_up(value, UNROUNDED_PLACES))
    return ScoreResult(rounded, status, band.code if band else None, unrounded)


def _alerts(instrument: Instrument, form: Form, results: Mapping[str, ScoreResult], submitted: bool) -> tuple[str, ...]:
    raised = []
    for alert in instrument.alerts:
        value: Any = form.answers.get(alert.item) if alert.item else results[alert.score or ""].value
        if alert.condition.holds(value, submitted):
            raised.append(alert.code)
    return tuple(sorted(raised))


# -- methods


def _from_items(
    compute: Callable[[Score, Values, int], Exact | str], if_some_missing: Status = Status.PRORATED
) -> Method:
    """A method over items: an error in one of them, or too many missing, leaves no value."""

    def method(definition: Score, form: Form, earlier: Earlier) -> Computed:
        if form.faulty and not form.faulty.isdisjoint(definition.items):
            return None, Status.INVALID
        values = list(map(form.counted.get, definition.items))
        n_missing = values.count(None)
        if n_missing > definition.missing_rule.max_missing:
            return None, Status.NOT_SCORED
        return compute(definition, values, n_missing), if_some_missing if n_missing else Status.COMPLETE

    return method


def _from_score(compute: Callable[[Score, Exact], Exact | None]) -> Method:
    """A method over the unrounded value of an earlier score, whose status it takes."""

    def method(definition: Score, form: Form, earlier: Earlier) -> Computed:
        value, status = earlier[definition.of or ""]
        if value is None or isinstance(value, str):
            return None, status
        converted = compute(definition, value)
        return converted, Status.NOT_SCORED if converted is None else status

    return method


def _total(values: Values, n_missing: int) -> int:
    return sum(filter(None, values)) if n_missing else sum(values)  # type: ignore[arg-type]  # none is None


def _sum(definition: Score, values: Values, n_missing: int) -> Exact:
    """The sum, scaled up to all items by the person's own mean when some are missing."""
    total, n_items = _total(values, n_missing), len(values)
    return _fraction(total * n_items, n_items - n_missing) if n_missing else total


def _mean(definition: Score, values: Values, n_missing: int) -> Exact:
    return _fraction(_total(values, n_missing), len(values) - n_missing)


_fraction = lru_cache(maxsize=10_000)(Fraction)


def _item(definition: Score, values: Values, n_missing: int) -> Exact:
    return values[0] or 0


def _difference(definition: Score, values: Values, n_missing: int) -> Exact:
    return (values[0] or 0) - (values[1] or 0)


def _count_at_least(definition: Score, values: Values, n_missing: int) -> Exact:
    return sum(map(ge, values, definition.limits))  # type: ignore[arg-type]  # nothing is missing here


def _concat(definition: Score, values: Values, n_missing: int) -> str:
    return "".join([str(definition.missing_digit if value is None else value) for value in values])


def _linear(definition: Score, value: Exact) -> Exact:
    return value * exact(definition.multiplier or 0) + exact(definition.offset or 0)


def _lookup(definition: Score, value: Exact) -> Exact | None:
    return definition.value_by_raw.get(value)


def _external(definition: Score, form: Form, earlier: Earlier) -> Computed:
    """Worked out elsewhere, with a value set or software that the study holds."""
    return None, Status.EXTERNAL


METHODS: Mapping[str, Method] = {
    "sum": _from_items(_sum),
    "mean": _from_items(_mean),
    "item": _from_items(_item),
    "difference": _from_items(_difference),
    "count_at_least": _from_items(_count_at_least),
    "concat": _from_items(_concat, if_some_missing=Status.PARTIAL),
    "linear": _from_score(_linear),
    "lookup": _from_score(_lookup),
    "external_value_set": _external,
    "external_algorithm": _external,
}


def _json(value: Number | str | None) -> float | int | str | None:
    return float(value) if isinstance(value, Decimal) else value
