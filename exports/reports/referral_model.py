"""Enrolment, engagement and adherence by referral model and by source, all arms together (domain.md sections 2 and 8).

Denominators: enrolment is people who consented of everybody referred, each person once by the latest record (BR-02);
engagement is people who attended at least one session of everybody randomised; adherence is BR-46 of everybody
randomised, never-starters included (BR-47). Intervals are Wilson's, two-sided 95 % (F1). Descriptive only.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef

from trial.access.models import Site
from trial.attendance import reads as attendance_reads
from trial.attendance import rules as attendance_rules
from trial.base.words import percent
from trial.journey import figures
from trial.journey.figures import Estimate
from trial.participants.choices import ReferralModel, SourceType
from trial.participants.models import Referral

SMALLEST = 5
"""Counts from 1 to 4 are left out of what an open audience sees (BR-68)."""
WIDTH = 240
NOT_RECORDED = "Not recorded"
MEASURES = ("enrolment", "engagement", "adherence")
HEADINGS = ("by", "group", "measure", "count", "denominator", "percent", "low", "high")
RULES = {
    "enrolment": "Consented, of everybody referred; each person once, by the latest record",
    "engagement": "Attended at least one session, of everybody randomised",
    "adherence": "Attended the protocol's number of sessions, of everybody randomised; never-starters included",
}


@dataclass(frozen=True)
class Person:
    """What the report needs of one person."""

    referral_model: str
    source: str
    consented: bool
    randomised: bool
    attended: bool = False
    adherent: bool = False


@dataclass(frozen=True)
class Cell:
    """One proportion with its interval; `hidden` where small numbers are left out."""

    estimate: Estimate
    hidden: bool = False

    @property
    def value(self) -> str:
        """ "12 of 40, 30.0%", a dash for nobody, or that it is left out."""
        if self.hidden:
            return "Left out: small number"
        if self.estimate.value is None:
            return "–"
        return f"{self.estimate.count} of {self.estimate.total}, {percent(float(self.estimate.value))}"

    @property
    def range(self) -> str:
        """ "18.1% to 45.4%"."""
        ends = None if self.hidden else self.estimate.interval
        return f"{percent(ends.low)} to {percent(ends.high)}" if ends else ""

    @property
    def drawing(self) -> tuple[float, float, float] | None:
        """x of the low end, the estimate and the high end, in drawing units."""
        ends, value = self.estimate.interval, self.estimate.value
        if self.hidden or ends is None or value is None:
            return None
        low, middle, high = (round(float(one) * WIDTH, 1) for one in (ends.low, value, ends.high))
        return low, middle, high

    def numbers(self) -> tuple[str, str, str, str, str]:
        """For a file: count, denominator and the share with its ends, unrounded; empty where it is left out."""
        ends, value = self.estimate.interval, self.estimate.value
        if self.hidden:
            return "", "", "", "", ""
        counts = (str(self.estimate.count), str(self.estimate.total))
        if ends is None or value is None:
            return *counts, "", "", ""
        return *counts, *(f"{100 * float(one):.6f}" for one in (value, ends.low, ends.high))  # type: ignore[return-value]


@dataclass(frozen=True)
class Row:
    """One referral model, one source, or everybody."""

    label: str
    enrolment: Cell
    engagement: Cell | None
    adherence: Cell | None

    def cells(self) -> list[tuple[str, Cell]]:
        """The measures that this audience sees, by name."""
        pairs = [(name, getattr(self, name)) for name in MEASURES]
        return [(name, cell) for name, cell in pairs if cell is not None]


@dataclass(frozen=True)
class Table:
    """Rows of one grouping, everybody last."""

    by: str
    rows: Sequence[Row]


def people_of(sites: Iterable[Site], *, with_delivery: bool) -> list[Person]:
    """Everybody referred to some sites, each once by the latest record; attendance only where it may be seen."""
    ids = [site.pk for site in sites]
    later = Referral.objects.filter(person=OuterRef("person"), pk__gt=OuterRef("pk"), site__in=ids)
    latest = Referral.objects.filter(~Exists(later), site__in=ids).select_related("participant", "protocol_version")
    referrals = list(latest)
    randomised = [one for one in referrals if _is_randomised(one)]
    attended = _attendance(randomised) if with_delivery else {}
    return [_person(one, attended) for one in referrals]


def _is_randomised(referral: Referral) -> bool:
    participant = getattr(referral, "participant", None)
    return participant is not None and participant.randomised_date is not None


def _attendance(referrals: list[Referral]) -> dict[int, tuple[bool, bool]]:
    """(attended at all, adherent) by referral."""
    offered = attendance_reads.offered_to(one.participant for one in referrals)
    found = {}
    for one in referrals:
        rule = one.protocol_version.spec.adherence
        person = attendance_rules.attendance((held for _, held in offered[one.participant.pk]), rule)
        found[one.pk] = (person.initiated, attendance_rules.is_adherent(person, rule))
    return found


def _person(referral: Referral, attended: dict[int, tuple[bool, bool]]) -> Person:
    has_attended, is_adherent = attended.get(referral.pk, (False, False))
    return Person(
        referral_model=referral.referral_model,
        source=referral.source_type,
        consented=getattr(referral, "participant", None) is not None,
        randomised=_is_randomised(referral),
        attended=has_attended,
        adherent=is_adherent,
    )


def tables(people: Sequence[Person], *, with_delivery: bool, is_open: bool) -> list[Table]:
    """The report: by referral model and by source. For an open audience small numbers are left out."""
    models = [(code, str(label).partition(":")[0]) for code, label in ReferralModel.choices]
    groupings: list[tuple[str, list[tuple[str, str]], Callable[[Person], str]]] = [
        ("Referral model", [*models, ("", NOT_RECORDED)], lambda one: one.referral_model),
        ("Source", [(code, str(label)) for code, label in SourceType.choices], lambda one: one.source),
    ]
    found = []
    for by, groups, key in groupings:
        rows = [_row(label, [one for one in people if key(one) == code], with_delivery) for code, label in groups]
        kept = [row for row in rows if row.enrolment.estimate.total or row.label != NOT_RECORDED]
        table = Table(by, [*kept, _row("Everybody", people, with_delivery)])
        found.append(suppressed(table) if is_open else table)
    return found


def _row(label: str, people: Sequence[Person], with_delivery: bool) -> Row:
    randomised = [one for one in people if one.randomised]
    enrolment = Cell(figures.proportion(sum(one.consented for one in people), len(people)))
    if not with_delivery:
        return Row(label, enrolment, None, None)
    return Row(
        label,
        enrolment,
        Cell(figures.proportion(sum(one.attended for one in randomised), len(randomised))),
        Cell(figures.proportion(sum(one.adherent for one in randomised), len(randomised))),
    )


# -- small numbers


def is_small(estimate: Estimate) -> bool:
    """Whether a count, its complement or its denominator is from 1 to 4 (BR-68)."""
    total, count = int(estimate.total), estimate.count
    return any(0 < number < SMALLEST for number in (count, total, total - count))


def suppressed(table: Table) -> Table:
    """The table without small numbers, and without a second one that would give a single hidden one away (BR-68).

    The last row is the total: with one row hidden, the total less the others would tell it.
    """
    rows = list(table.rows)
    for name in MEASURES:
        hidden = _hidden([getattr(row, name) for row in rows])
        rows = [
            replace(row, **{name: replace(cell, hidden=place in hidden)})
            if (cell := getattr(row, name)) is not None
            else row
            for place, row in enumerate(rows)
        ]
    return Table(table.by, rows)


def _hidden(cells: Sequence[Cell | None]) -> set[int]:
    """Places to leave out of one column whose last cell is the total."""
    known = [(place, cell.estimate) for place, cell in enumerate(cells) if cell is not None]
    if not known:
        return set()
    *parts, (last, total) = known
    if is_small(total):
        return {place for place, _ in known}
    hidden = {place for place, estimate in parts if is_small(estimate)}
    if len(hidden) == 1 and (others := [(e.total, place) for place, e in parts if place not in hidden and e.total]):
        hidden.add(min(others)[1])
    elif len(hidden) == 1:
        hidden.add(last)
    return hidden


def lines(found: Iterable[Table]) -> Iterable[tuple[str, ...]]:
    """The report for a file, under HEADINGS."""
    for table in found:
        for row in table.rows:
            for name, cell in row.cells():
                yield table.by, row.label, name, *cell.numbers()
