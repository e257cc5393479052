"""What a definition says, as values that cannot be changed. `instrument.schema.json` describes each key."""

import operator
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from instruments.exact import Exact, Number, exact

ItemType = Literal["choice", "integer", "scale"]
Severity = Literal["urgent", "review"]

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
}


@dataclass(frozen=True)
class Licence:
    """The holder's terms, and how far they were confirmed (`verification`)."""

    terms: str
    registration_required: bool
    commercial_use: str
    redistribution: str
    modification: str
    attribution: str
    source: str
    verification: str | None = None
    display_gate: str | None = None


@dataclass(frozen=True)
class Option:
    """One answer that can be picked. `label` is null where the wording is withheld."""

    value: int
    label: str | None
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Condition:
    """A comparison with a number, or `missing`."""

    op: str
    value: Number | None = None

    def holds(self, value: Number | None, submitted: bool = True) -> bool:
        """Whether it is true of `value`; null is no answer, and only missing once the form is submitted."""
        if self.op == "missing":
            return submitted and value is None
        return value is not None and OPERATORS[self.op](value, self.value)


@dataclass(frozen=True)
class ItemRule:
    """True once a valid answer to any of these items meets the condition."""

    any_of: tuple[str, ...]
    condition: Condition

    def holds(self, answers: Mapping[str, int]) -> bool:
        """Whether it is true of these valid answers."""
        return any(self.condition.holds(answers.get(code)) for code in self.any_of)


@dataclass(frozen=True)
class Item:
    """One question. Answers are whole numbers: an option's value, or `min` to `max`."""

    code: str
    number: int
    text: str | None
    short: str
    type: ItemType
    option_set: str | None
    options: tuple[Option, ...]
    required: bool
    reverse: bool
    min: int
    max: int
    soft_max: int | None = None
    anchors: Mapping[int, str] = field(default_factory=dict)
    unit: str | None = None
    required_if: ItemRule | None = None
    shown_if: ItemRule | None = None
    scored: bool = True
    placeholder: str | None = None
    wemwbs_item: int | None = None
    codes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def allowed(self) -> Container[int]:
        """Every valid answer."""
        if self.type == "choice":
            return frozenset(option.value for option in self.options)
        return range(self.min, self.max + 1)

    def label(self, answer: int) -> str | None:
        """The words that go with an answer: an option's label, or a scale's anchor."""
        if self.type == "choice":
            return next((option.label for option in self.options if option.value == answer), None)
        return self.anchors.get(answer)


@dataclass(frozen=True)
class MissingRule:
    """How many unanswered items still give a score, and how; `source` says who says so."""

    max_missing: int
    method: str
    rounding: str
    source: str


@dataclass(frozen=True)
class Band:
    """A named interval of the rounded score, both ends included."""

    min: Number
    max: Number
    code: str
    label: str


@dataclass(frozen=True)
class Score:
    """One number (or profile) worked out from the answers."""

    code: str
    label: str
    method: str
    items: tuple[str, ...]
    range: tuple[Number, Number] | None
    precision: int | None
    higher_is: str
    missing_rule: MissingRule
    bands: tuple[Band, ...]
    optional: bool = False
    bands_status: str | None = None
    note: str | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    of: str | None = None
    multiplier: Number | None = None
    offset: Number | None = None
    table: tuple[tuple[Number, Number], ...] = ()
    thresholds: Mapping[str, int] = field(default_factory=dict)
    missing_digit: str | None = None

    @cached_property
    def value_by_raw(self) -> Mapping[Exact, Exact]:
        """The conversion table of a `lookup`."""
        return {exact(raw): exact(value) for raw, value in self.table}

    @cached_property
    def limits(self) -> tuple[int, ...]:
        """The thresholds of a `count_at_least`, in the order of its items."""
        return tuple(self.thresholds[code] for code in self.items)

    @cached_property
    def known_results(self) -> dict[tuple[int, int, str], Any]:
        """Results as the scorer made them, by the fraction before rounding and the status."""
        return {}

    def band_of(self, value: Number) -> Band | None:
        """The band that a rounded value falls in; null when the score has none."""
        for band in self.bands:
            if band.min <= value <= band.max:
                return band
        return None


@dataclass(frozen=True)
class Alert:
    """When staff must look at a form: an answer or a score that meets a condition."""

    code: str
    item: str | None
    score: str | None
    condition: Condition
    severity: Severity
    message: str


@dataclass(frozen=True)
class Instrument:
    """One version of a questionnaire. `checksum` changes when anything in its definition does."""

    code: str
    version: str
    title: str
    short_title: str
    language: str
    copyright: str
    licence: Licence
    wording_withheld: bool
    recall_period: str
    instructions: str | None
    items: tuple[Item, ...]
    option_sets: Mapping[str, tuple[Option, ...]]
    scores: tuple[Score, ...]
    alerts: tuple[Alert, ...]
    codes: Mapping[str, Any]
    references: tuple[str, ...]
    checksum: str
    notes: tuple[str, ...] = ()
    change: Mapping[str, Any] = field(default_factory=dict)
    copyright_note: str | None = None
    instructions_note: str | None = None

    def __str__(self) -> str:
        return f"{self.code} {self.version}"

    def without_wording(self) -> "Instrument":
        """The same instrument with nothing that a licence protects; it scores the same."""
        items = tuple(replace(item, text=None, anchors={}) for item in self.items)
        option_sets = {
            name: tuple(replace(option, label=None) for option in options) for name, options in self.option_sets.items()
        }
        bare = tuple(replace(item, options=option_sets.get(item.option_set or "", ())) for item in items)
        return replace(self, items=bare, option_sets=option_sets, instructions=None, wording_withheld=True)

    @cached_property
    def items_by_code(self) -> Mapping[str, Item]:
        """The items, to look one up."""
        return {item.code: item for item in self.items}

    @cached_property
    def allowed_by_code(self) -> Mapping[str, Container[int]]:
        """Every valid answer, by item."""
        return {item.code: item.allowed for item in self.items}

    @cached_property
    def watched_items(self) -> tuple[Item, ...]:
        """The items about which something can be said: needed, asked by rule, or answered unusually high."""
        return tuple(item for item in self.items if item.required or item.required_if or item.soft_max is not None)

    @cached_property
    def has_soft_limits(self) -> bool:
        """Whether a valid answer can be unusually high."""
        return any(item.soft_max is not None for item in self.items)

    @cached_property
    def reversed_items(self) -> tuple[Item, ...]:
        """The items whose answers are turned round before they count."""
        return tuple(item for item in self.items if item.reverse)

    @cached_property
    def scores_by_code(self) -> Mapping[str, Score]:
        """The scores, to look one up."""
        return {score.code: score for score in self.scores}

    @cached_property
    def alerts_by_code(self) -> Mapping[str, Alert]:
        """The alerts, to look one up."""
        return {alert.code: alert for alert in self.alerts}

    @cached_property
    def version_key(self) -> tuple[int, ...]:
        """The version as numbers, so that 1.10.0 comes after 1.9.0."""
        return tuple(int(part) for part in self.version.split("."))
