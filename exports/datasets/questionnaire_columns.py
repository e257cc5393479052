"""The columns of a questionnaire's table, all from the instrument's definition (instruments/README.md)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exports.checks import LONGEST_LABEL, LONGEST_SHORT_LABEL
from exports.datasets.common import (
    ALL_MISSING,
    SUBJID,
    VISIT_LABEL,
    VISITNUM,
    code,
    coding,
    day,
    days_since_randomisation,
    identifier,
    integer,
    reason_for,
    text,
    variable,
    yes_no,
)
from exports.datasets.definition import Definition
from exports.datasets.visits import ABSENT_CODES
from exports.missing_codes import NOT_APPLICABLE
from exports.model import LONGEST_NAME, Code, CodeList, Level, Source, Type, Variable
from instruments import Instrument, Item, Score

FORM_STATUS = coding(
    "form_status", (0, "absent", "Nothing entered"), (1, "draft", "In progress"), (2, "complete", "Complete"),
    (3, "not_done", "Recorded as not done"),
)  # fmt: skip
MODE = coding(
    "mode",
    (1, "self_web", "Participant, online"),
    (2, "self_paper", "Participant, on paper"),
    (3, "interview_phone", "Interview by telephone"),
    (4, "interview_in_person", "Interview in person"),
)
COMPLETED_BY = coding("completed_by", (1, "participant", "Participant"), (2, "staff", "Staff"))
SCORE_STATUS = coding(
    "score_status",
    (1, "complete", "All items answered"),
    (2, "prorated", "Worked out although some items are missing"),
    (3, "partial", "Profile with missing digits"),
    (4, "not_scored", "Too many items missing"),
    (5, "invalid", "An item has a faulty answer"),
    (6, "external", "Worked out elsewhere, not held here"),
)
NOT_INTERVIEWED = tuple(sorted((*ABSENT_CODES, NOT_APPLICABLE), reverse=True))
WORDING_MAY_LEAVE = frozenset({"allowed", "with_citation"})
"""Terms of redistribution under which a question's wording goes into a codebook."""


def added_name(stem: str, *endings: str) -> str:
    """A name added by the release: the first ending that keeps it within 26 characters, else the last one."""
    names = [f"{stem}_{ending}" for ending in endings]
    return next((name for name in names if len(name) <= LONGEST_NAME), names[-1])


@dataclass(frozen=True)
class Names:
    """Names that the release adds to one instrument's table."""

    stem: str

    @property
    def xpt(self) -> str:
        """First letters of every name for SAS transport files."""
        return self.stem.replace("_", "").upper()[:5]

    @property
    def date(self) -> str:
        """The day on which the form was answered."""
        return self.of("date", "dt")

    @property
    def date_miss(self) -> str:
        """Why there is no such day."""
        return self.of("date_miss", "dmiss", "dm")

    def of(self, *endings: str) -> str:
        """Any other one, with the first ending that fits."""
        return added_name(self.stem, *endings)


@dataclass(frozen=True)
class Columns:
    """The columns of one instrument, in every version that the study uses."""

    definition: Definition
    code: str
    versions: Sequence[Instrument]

    @property
    def newest(self) -> Instrument:
        """The version whose words the codebook shows."""
        return self.versions[-1]

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Items of every version; the newest definition of each."""
        return {item.code: item for version in self.versions for item in version.items}

    @cached_property
    def scores(self) -> Mapping[str, Score]:
        """Scores of every version; the newest definition of each."""
        return {score.code: score for version in self.versions for score in version.scores}

    @property
    def names(self) -> Names:
        """Names that the release adds."""
        return Names(self.code)

    def variables(self) -> Iterator[Variable]:
        """Every column, in order."""
        yield from (SUBJID, VISITNUM, VISIT_LABEL)
        yield from self._about_the_form()
        yield from (self._item(item) for item in self.items.values())
        for number, score in enumerate(self.scores.values(), start=1):
            yield from self._score(score, number)

    def _about_the_form(self) -> Iterator[Variable]:
        names, title = self.names, self.newest.short_title
        xpt = names.xpt
        common = self._common()

        def short(words: str) -> str:
            return _first_that_fits(LONGEST_SHORT_LABEL, f"{title}: {words}", f"{self.code}: {words}", words)

        yield code(
            names.of("form"), f"{xpt}FM", f"{title}: what became of the form", FORM_STATUS.codelist.name,
            source=Source.SYSTEM, short_label=short("form"), **common,
        )  # fmt: skip
        yield day(
            names.date, f"{xpt}DT", f"{title}: day on which it was answered",
            short_label=short("day"), missing=ABSENT_CODES, companion=names.date_miss, **common,
        )  # fmt: skip
        yield reason_for(
            names.date_miss, f"{xpt}DM", f"{title}: why there is no day", ABSENT_CODES, short_label=short("no day")
        )
        yield days_since_randomisation(names.date, missing=ABSENT_CODES)
        yield integer(
            "days_from_target", "DAYSTARG", "Days from the day on which the visit was due",
            short_label="Days from the due day", unit="days", source=Source.DERIVED, missing=ABSENT_CODES,
            derivation=f"{names.date} minus the visit's target date. Blank where the figure would fall into the block"
            " of missing codes.",
        )  # fmt: skip
        yield yes_no(
            "in_window", "INWINDOW", "Answered inside the visit's window", source=Source.DERIVED, missing=ABSENT_CODES,
            derivation="Both ends of the window belong to it (BR-30).",
        )  # fmt: skip
        yield code(
            names.of("mode"), f"{xpt}MO", f"{title}: how it was answered", MODE.codelist.name,
            short_label=short("mode"), missing=ABSENT_CODES, **common,
        )  # fmt: skip
        yield code(
            names.of("by"), f"{xpt}BY", f"{title}: who answered", COMPLETED_BY.codelist.name,
            short_label=short("who"), missing=ABSENT_CODES, **common,
        )  # fmt: skip
        yield yes_no(
            "assessor_unblinded", "ASSUNBL", "Interview held by an assessor who had learned the allocation",
            short_label="Assessor had learned the allocation", source=Source.DERIVED, missing=NOT_INTERVIEWED,
            derivation="Whether a blinding event of that assessor and participant was recorded for that day or an"
            " earlier one (BR-27). Not applicable where nobody held an interview. It does not tell the arm.",
        )  # fmt: skip
        yield identifier(
            names.of("version", "ver", "v"), f"{xpt}VS", f"{title}: version of the questionnaire",
            short_label=short("version"), **common,
        )  # fmt: skip
        yield integer(
            names.of("n"), f"{xpt}N", f"{title}: items answered", source=Source.DERIVED, min=0,
            max=len(self.items), short_label=short("items answered"), missing=ABSENT_CODES, **common,
        )  # fmt: skip

    def _common(self) -> dict[str, Any]:
        return {
            "instrument": self.code,
            "instrument_version": self.newest.version,
            "licence": self.newest.licence.terms,
            "visits": self.definition.visits_with(self.code),
        }

    def _item(self, item: Item) -> Variable:
        title = self.newest.short_title
        given: dict[str, Any] = {
            **self._common(),
            "short_label": _first_that_fits(
                LONGEST_SHORT_LABEL,
                f"{title} {item.number}: {item.short}",
                f"{self.code} {item.number}: {item.short}",
                item.code,
            ),
            "question": item.text or "" if self._may_show_wording else "",
            "required": item.required,
            "missing": ALL_MISSING,
            "reveals_allocation": item.code in self.definition.revealing_items,
            "unit": item.unit or "",
            "fhir_linkid": item.code,
            "sdtm": item.codes.get("cdisc") or "",
        }
        words = f"{title} item {item.number}: "
        long = f"{words}{_lower_first(item.text)}" if item.text and self._may_show_wording else ""
        label = _first_that_fits(LONGEST_LABEL, long, f"{words}{item.short}", item.code)
        xpt = f"{self.names.xpt}{item.number:02d}"
        if item.type == "choice":
            return code(item.code, xpt, label, self._list_name(item), level=Level.ORDINAL, **given)
        return integer(item.code, xpt, label, min=item.min, max=item.max, **given)

    @property
    def _may_show_wording(self) -> bool:
        return not self.newest.wording_withheld and self.newest.licence.redistribution in WORDING_MAY_LEAVE

    def _list_name(self, item: Item) -> str:
        return f"{self.code}_{item.option_set or item.code}"

    def option_lists(self) -> Iterator[CodeList]:
        """The answers of each item that is a choice."""
        chosen = {self._list_name(item): item for item in self.items.values() if item.type == "choice"}
        for name, item in chosen.items():
            yield CodeList(name, tuple(Code(o.value, self._option_label(o.value, o.label)) for o in item.options))

    def _option_label(self, value: int, label: str | None) -> str:
        return label if label and self._may_show_wording else f"Answer {value}"

    # -- scores

    def _score(self, score: Score, number: int) -> Iterator[Variable]:
        names, title = self.names, self.newest.short_title
        given: dict[str, Any] = {
            **self._common(),
            "source": Source.DERIVED,
            "level": Level.SCALE,
            "short_label": _first_that_fits(LONGEST_SHORT_LABEL, score.label, f"{title} {score.code}", score.code),
            "derivation": _derivation(score),
            "reveals_allocation": self._reveals(score),
            "missing": ALL_MISSING,
        }
        companion = score_miss(score)
        xpt = f"{names.xpt}S{number}"
        label = _first_that_fits(LONGEST_LABEL, score.label, score.code)
        if score.method == "concat":
            length = max(len(score.items), 1)
            nominal = {**given, "level": Level.NOMINAL}
            yield text(score.code, xpt, label, length, companion=companion, **nominal)
        elif score.precision:
            yield variable(score.code, xpt, label, Type.DECIMAL, places=score.precision, companion=companion, **given)
        else:
            low, high = (int(end) for end in score.range) if score.range else (None, None)
            yield integer(score.code, xpt, label, min=low, max=high, **given)
        yield from self._beside(score, number)

    def _beside(self, score: Score, number: int) -> Iterator[Variable]:
        names, reveals = self.names, self._reveals(score)
        if is_unsafe(score):
            yield reason_for(
                score_miss(score), f"{names.xpt}M{number}", f"Why {score.code} is missing", ALL_MISSING,
                reveals_allocation=reveals,
            )  # fmt: skip
        yield code(
            added_name(score.code, "status", "st"), f"{names.xpt}T{number}", f"How {score.code} came about",
            SCORE_STATUS.codelist.name, source=Source.DERIVED, reveals_allocation=reveals, missing=ABSENT_CODES,
        )  # fmt: skip

    def _reveals(self, score: Score) -> bool:
        """A score shows delivery by arm when an item behind it does."""
        behind = set(score.items)
        of = self.scores.get(score.of or "")
        return bool(behind & self.definition.revealing_items) or (of is not None and self._reveals(of))


def is_unsafe(score: Score) -> bool:
    """Whether its column cannot hold missing codes: decimals and profiles."""
    return bool(score.precision) or score.method == "concat"


def score_miss(score: Score) -> str:
    """The companion of a score that cannot hold missing codes; empty for one that can."""
    return added_name(score.code, "miss", "ms") if is_unsafe(score) else ""


def _derivation(score: Score) -> str:
    """How a score comes about, in words, with its rule for missing items and where that comes from."""
    what = {
        "sum": f"Sum of {', '.join(score.items)}",
        "mean": f"Mean of {', '.join(score.items)}",
        "item": f"Value of {', '.join(score.items)}",
        "difference": " minus ".join(score.items),
        "linear": f"{score.of} times {score.multiplier} plus {score.offset}",
        "lookup": f"Conversion table of {score.of}",
        "count_at_least": "Number of items at or above: "
        + ", ".join(f"{item} {least}" for item, least in score.thresholds.items()),
        "concat": f"Digits of {', '.join(score.items)}; {score.missing_digit} for no answer",
    }.get(score.method, "Worked out elsewhere with a value set or software that the study holds")
    rule = score.missing_rule
    missing = f"With at most {rule.max_missing} missing ({rule.method})" if rule.max_missing else "All items needed"
    return f"{what}. {missing}. Source: {rule.source}"


def _first_that_fits(longest: int, *texts: str) -> str:
    return next((text for text in texts if 0 < len(text.encode()) <= longest), texts[-1])


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:] if words[:2] != words[:2].upper() else words
