"""How many people were allocated, by site and month: totals only, not by arm or stratum (randomisation.md 6.3, 15)."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from randomisation.models import AllocationMember, Scheme
from trial.access.models import Site
from trial.base.words import MONTHS, local_day


@dataclass(frozen=True)
class AccrualRow:
    """One site: people by month, in order, and altogether."""

    label: str
    counts: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class Accrual:
    """People allocated in a scheme. `months` are first days, from the first allocation to the newest, without gaps."""

    months: tuple[date, ...]
    rows: tuple[AccrualRow, ...]
    overall: AccrualRow

    @property
    def heads(self) -> list[str]:
        """ "Jul 2026" for each month."""
        return [f"{MONTHS[month.month - 1][:3]} {month.year}" for month in self.months]

    @property
    def lines(self) -> list[AccrualRow]:
        """Every site, then all of them."""
        return [*self.rows, self.overall]


def accrual_of(scheme: Scheme) -> Accrual:
    """The scheme's totals; sites without allocations are there with 0."""
    members = AllocationMember.objects.filter(scheme=scheme).values_list("allocation__site", "allocation__at")
    found = Counter((site, local_day(at).replace(day=1)) for site, at in members)
    months = _from_to([month for _site, month in found])
    names = dict(Site.objects.values_list("code", "name"))
    sites = sorted({*names, *(site for site, _month in found)})
    rows = tuple(
        _row(f"{site} {names.get(site, '')}".strip(), [found[site, month] for month in months]) for site in sites
    )
    overall = _row("All sites", [sum(found[site, month] for site in sites) for month in months])
    return Accrual(months, rows, overall)


def totals_by_site(scheme: Scheme) -> Counter[str]:
    """People allocated at each site, by its code."""
    return Counter(AllocationMember.objects.filter(scheme=scheme).values_list("allocation__site", flat=True))


def _row(label: str, counts: list[int]) -> AccrualRow:
    return AccrualRow(label, tuple(counts), sum(counts))


def _from_to(months: list[date]) -> tuple[date, ...]:
    """Every month from the first to the last."""
    if not months:
        return ()
    found, last = [min(months)], max(months)
    while found[-1] < last:
        month = found[-1]
        found.append(date(month.year + month.month // 12, month.month % 12 + 1, 1))
    return tuple(found)
