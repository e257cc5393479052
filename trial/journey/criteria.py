"""Progression criteria and retention, worked out from what is on data (domain.md section 8).

The system shows numbers, intervals and lights. It never says what the trial should do next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db.models import Exists, OuterRef, Q, QuerySet

from trial.access.models import Site
from trial.assessments.models import Administration
from trial.base.charts import Interval as IntervalChart
from trial.base.words import percent
from trial.journey import figures
from trial.journey.figures import Estimate, Light
from trial.participants.models import Participant, Referral, Status
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProgressionCriterion, ProtocolSpec
from trial.safety.models import AdverseEvent
from trial.schedule.models import Visit

RELATED = ("possible", "probable", "definite")


@dataclass(frozen=True)
class Cut:
    """What the figures are taken from: some sites, up to a day."""

    sites: Sequence[Site]
    spec: ProtocolSpec
    today: date

    @property
    def site_ids(self) -> list[int]:
        """Ids of the sites."""
        return [site.pk for site in self.sites]

    @property
    def randomised(self) -> QuerySet[Participant]:
        """Everybody randomised, those who left included."""
        return Participant.objects.filter(referral__site__in=self.site_ids, randomised_date__isnull=False)


# -- estimates, by the kind that the protocol names


def funnel(cut: Cut) -> Estimate:
    """Consented of those contacted and not pre-screened out; a person counts by the latest record (F2, BR-02)."""
    later = Referral.objects.filter(person=OuterRef("person"), pk__gt=OuterRef("pk"), site__in=cut.site_ids)
    latest = Referral.objects.filter(~Exists(later), site__in=cut.site_ids)
    out = (Status.REFERRED, Status.NOT_CONTACTABLE, Status.PRESCREEN_INELIGIBLE)
    reached = latest.exclude(status__in=out)
    return figures.proportion(reached.filter(participant__isnull=False).count(), reached.count())


def recruitment(cut: Cut) -> Estimate:
    """Randomised for each site-month, from opening to closing or the last day of recruitment (F3)."""
    ends = cut.spec.recruitment.ends
    open_days = [(s.opened_date, min(s.recruitment_closed_date or ends, ends)) for s in cut.sites]
    return figures.rate(cut.randomised.count(), figures.site_months(open_days, cut.today))


def retention(cut: Cut, visit_code: str) -> Estimate:
    """Answered of due at a visit (F4): any outcome form, until the next visit's window opens (BR-31)."""
    due = Visit.objects.filter(
        code=visit_code, closes_date__lte=cut.today, participant__in=cut.randomised, participant__isnull=False
    )
    following = protocol_rules.next_visit(cut.spec, visit_code)
    forms = Administration.objects.filter(
        visit=OuterRef("pk"),
        status=Administration.Status.COMPLETE,
        instrument__in=protocol_rules.outcome_forms(cut.spec, visit_code),
    )
    if following is not None:
        later = Visit.objects.filter(participant=OuterRef("visit__participant"), code=following.code)
        forms = forms.filter(~Exists(later.filter(opens_date__lte=OuterRef("completed_date"))))
    return figures.proportion(due.filter(Exists(forms)).count(), due.count())


def scorable(cut: Cut, visit_code: str, instrument: str, score: str) -> Estimate:
    """Forms whose score could be worked out, of those returned at a visit (F6)."""
    returned = Administration.objects.filter(
        visit__code=visit_code,
        instrument=instrument,
        status=Administration.Status.COMPLETE,
        participant__in=cut.randomised,
    )
    scores = list(returned.values_list("scores", flat=True))
    return figures.proportion(sum((one.get(score) or {}).get("value") is not None for one in scores), len(scores))


def related_sae(cut: Cut) -> Estimate:
    """People with a serious event judged related by the site or by a reviewer, of those randomised (F13, BR-58)."""
    related = Q()
    for prefix in ("", "reviews__"):
        for cause in ("related_to_activity", "related_to_procedures"):
            related |= Q(**{f"{prefix}{cause}__in": RELATED})
    events = AdverseEvent.objects.serious().filter(related, participant__in=cut.randomised)
    return figures.proportion(events.values("participant").distinct().count(), cut.randomised.count())


def estimate_of(criterion: ProgressionCriterion, cut: Cut) -> Estimate | None:
    """The criterion's figure; None for one that is not worked out yet."""
    asked = criterion.estimate
    known: dict[str, Callable[[], Estimate]] = {
        "consented": lambda: funnel(cut),
        "randomised_per_site_month": lambda: recruitment(cut),
        "retention": lambda: retention(cut, asked.visit or ""),
        "scorable": lambda: scorable(cut, asked.visit or "", asked.instrument or "", asked.score or ""),
        "related_sae": lambda: related_sae(cut),
    }
    return known[asked.kind]() if asked.kind in known else None


# -- rows of the table


@dataclass(frozen=True)
class CriterionRow:
    """One criterion as the table shows it. `light` is green, amber, red or none, for components/_light.html."""

    code: str
    label: str
    denominator: str
    light: str
    word: str
    note: str
    value: str
    range: str
    interval: IntervalChart | None


def progression(cut: Cut, *, blinded: bool) -> list[CriterionRow]:
    """Every criterion that these people may see: those that tell about an arm are left out for blinded roles."""
    wanted = [one for one in cut.spec.progression.criteria if not (blinded and one.reveals_arm)]
    return [row_of(one, estimate_of(one, cut)) for one in wanted]


def row_of(criterion: ProgressionCriterion, estimate: Estimate | None) -> CriterionRow:
    """One criterion with its figure in words and as a drawing."""
    if estimate is None:
        said = ("none", "Not calculated yet", "", "–", "")
        return CriterionRow(criterion.code, criterion.label, criterion.denominator, *said, interval=None)
    is_rate = criterion.estimate.kind == "randomised_per_site_month"
    light, word, note = _light(criterion, estimate)
    return CriterionRow(
        criterion.code,
        criterion.label,
        f"{estimate.count} in {_number(float(estimate.total))} site-months" if is_rate else criterion.denominator,
        light,
        word,
        note,
        value=_value(estimate, is_rate),
        range=_range(estimate, is_rate),
        interval=_drawing(criterion, estimate, is_rate),
    )


def _light(criterion: ProgressionCriterion, estimate: Estimate) -> tuple[str, str, str]:
    """(light, word, what else to say) of a criterion (F18)."""
    red, green, value = criterion.red, criterion.green, estimate.value
    if criterion.light == "committee" or red is None or green is None:
        return "none", "Committee decides", ""
    found = figures.light(value, red, green, higher_is_better=criterion.higher_is_better)
    if value is None or found is Light.NOT_ESTIMABLE:
        return "none", "Nothing to judge yet", ""
    if found is Light.AMBER and criterion.higher_is_better and criterion.estimate.kind != "randomised_per_site_month":
        return _half(value, int(estimate.total), red, green)
    return found.value.lower(), found.value.capitalize(), _reaches(criterion, estimate, found)


def _half(value: Fraction, total: int, red: Decimal, green: Decimal) -> tuple[str, str, str]:
    nearer_green = figures.four_tier(value, total, red, green) == "AMBER_GREEN"
    split = percent(figures.amber_split(red, total))
    if nearer_green:
        return "amber", "Amber, nearer green", f"at or above {split}"
    return "amber", "Amber, nearer red", f"below {split}"


def _reaches(criterion: ProgressionCriterion, estimate: Estimate, found: Light) -> str:
    """That the interval of a green figure reaches into amber."""
    if found is not Light.GREEN or criterion.green is None or estimate.interval is None:
        return ""
    ends, limit = estimate.interval, float(criterion.green)
    return "interval reaches amber" if (ends.low < limit if criterion.higher_is_better else ends.high > limit) else ""


def _value(estimate: Estimate, is_rate: bool) -> str:
    if estimate.value is None:
        return f"{estimate.count} of 0" if not is_rate else "–"
    if is_rate:
        return f"{_number(float(estimate.value))} a month"
    return f"{estimate.count} of {estimate.total}, {percent(float(estimate.value))}"


def _range(estimate: Estimate, is_rate: bool) -> str:
    if estimate.interval is None:
        return ""
    ends = (estimate.interval.low, estimate.interval.high)
    low, high = (_number(end) if is_rate else percent(end) for end in ends)
    return f"{low} to {high}"


def _drawing(criterion: ProgressionCriterion, estimate: Estimate, is_rate: bool) -> IntervalChart | None:
    if criterion.red is None or criterion.green is None or estimate.value is None or estimate.interval is None:
        return None
    scale = 1 if is_rate else 100
    ends, limits = estimate.interval, sorted((float(criterion.red) * scale, float(criterion.green) * scale))
    return IntervalChart(
        low=round(ends.low * scale, 1),
        estimate=round(float(estimate.value) * scale, 1),
        high=round(ends.high * scale, 1),
        limits=(limits[0], limits[1]),
        axis_max=max(ends.high * 1.1, limits[1] * 2) if is_rate else 100,
        unit="" if is_rate else "%",
        lower_is_better=not criterion.higher_is_better,
    )


def _number(value: float) -> str:
    return percent(Decimal(str(value)) / 100).rstrip("%")


# -- retention of every visit


@dataclass(frozen=True)
class RetentionRow:
    """Answered of due at one visit after randomisation."""

    name: str
    value: str
    range: str


def retention_rows(cut: Cut) -> list[RetentionRow]:
    """One row for each visit after randomisation, all arms together."""
    rows = []
    for visit in protocol_rules.visits_after_randomisation(cut.spec):
        found = retention(cut, visit.code)
        rows.append(
            RetentionRow(visit.name, _value(found, False) if found.total else "None due yet", _range(found, False))
        )
    return rows
