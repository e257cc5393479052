"""Recruitment by site against the plan, and the figures of the progression criteria, from what is on data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count

from trial.access.models import Site
from trial.base.charts import ProgressBar, StepChart
from trial.journey import figures
from trial.journey.figures import Estimate
from trial.participants.models import Participant, Referral
from trial.protocol.spec import ProtocolSpec


@dataclass(frozen=True)
class SiteRow:
    """How far one site, or all of them together, has come."""

    name: str
    n_referred: int
    n_consented: int
    n_randomised: int
    target: int
    expected: int
    rate: Estimate

    @property
    def behind(self) -> str:
        """Against the plan, in words."""
        gap = self.expected - self.n_randomised
        if gap == 0:
            return "on the plan"
        return f"{abs(gap)} {'behind' if gap > 0 else 'ahead of'} the plan"


def by_site(sites: Sequence[Site], spec: ProtocolSpec, today: date) -> list[SiteRow]:
    """One row for each site, in two lookups."""
    ids = [site.pk for site in sites]
    referred = dict(Referral.objects.filter(site__in=ids).order_by().values_list("site").annotate(n=Count("pk")))
    people = Participant.objects.filter(referral__site__in=ids).order_by().values_list("referral__site")
    counted = {
        site: (consented, randomised)
        for site, consented, randomised in people.annotate(n=Count("pk"), randomised=Count("randomised_date"))
    }
    return [_row(site, referred.get(site.pk, 0), *counted.get(site.pk, (0, 0)), spec, today) for site in sites]


def _row(site: Site, referred: int, consented: int, randomised: int, spec: ProtocolSpec, today: date) -> SiteRow:
    plan = spec.recruitment
    return SiteRow(
        name=site.name,
        n_referred=referred,
        n_consented=consented,
        n_randomised=randomised,
        target=site.target,
        expected=figures.expected_by(site.target, plan.starts, plan.ends, today),
        rate=figures.rate(randomised, figures.site_months([_open_days(site, spec)], today)),
    )


def _open_days(site: Site, spec: ProtocolSpec) -> tuple[date, date]:
    """From opening to closing, at the latest the last day of recruitment."""
    return site.opened_date, min(site.recruitment_closed_date or spec.recruitment.ends, spec.recruitment.ends)


def together(rows: Sequence[SiteRow], sites: Sequence[Site], spec: ProtocolSpec, today: date) -> SiteRow:
    """The sites as one."""
    randomised, target = sum(row.n_randomised for row in rows), sum(row.target for row in rows)
    months = figures.site_months([_open_days(site, spec) for site in sites], today)
    return SiteRow(
        name=sites[0].name if len(sites) == 1 else "All sites",
        n_referred=sum(row.n_referred for row in rows),
        n_consented=sum(row.n_consented for row in rows),
        n_randomised=randomised,
        target=target,
        expected=figures.expected_by(target, spec.recruitment.starts, spec.recruitment.ends, today),
        rate=figures.rate(randomised, months),
    )


def bar(row: SiteRow) -> ProgressBar:
    """The row as a bar with its expected mark."""
    return ProgressBar(row.n_randomised, row.expected, row.target)


def days_of_randomisation(sites: Sequence[Site]) -> list[date]:
    """Day 0 of everybody randomised at the sites, ascending."""
    people = Participant.objects.filter(referral__site__in=[site.pk for site in sites], randomised_date__isnull=False)
    return [day for day in people.order_by("randomised_date").values_list("randomised_date", flat=True) if day]


def chart(sites: Sequence[Site], target: int, days: Sequence[date], spec: ProtocolSpec, today: date) -> StepChart:
    """People randomised over time against the linear plan, with the openings of the sites."""
    plan = spec.recruitment
    end = max(min(today, plan.ends), plan.starts, *days) if days else max(min(today, plan.ends), plan.starts)
    steps = [(plan.starts, 0), *((day, n) for n, day in enumerate(days, start=1)), (end, len(days))]
    return StepChart(
        steps=_last_of_each_day(steps),
        plan=[(plan.starts, 0), (plan.ends, target)],
        openings=[(max(site.opened_date, plan.starts), f"{site.name} opens") for site in sites],
    )


def _last_of_each_day(steps: Sequence[tuple[date, int]]) -> list[tuple[date, int]]:
    return sorted(dict(sorted(steps)).items())


def by_week(days: Sequence[date]) -> list[tuple[date, int, int]]:
    """(Monday, randomised in that week, by its end) from the first week to the last: the numbers of the chart."""
    if not days:
        return []
    first = days[0] - timedelta(days=days[0].weekday())
    n_weeks = (days[-1] - first).days // 7 + 1
    mondays = [first + timedelta(weeks=n) for n in range(n_weeks)]
    return [
        (
            monday,
            sum(monday <= day < monday + timedelta(weeks=1) for day in days),
            sum(day < monday + timedelta(weeks=1) for day in days),
        )
        for monday in mondays
    ]
