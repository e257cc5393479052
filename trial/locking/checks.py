"""What must hold before the dataset is locked (BR-65). Features above register their checks here.

A check counts by site, or once for all of them. Slow checks, which read everything, run when somebody asks for them;
their last result is stored, and a lock runs them again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from trial.access.models import Site
from trial.access.policy import Action
from trial.locking.models import CheckRun

ALL_SITES = 0
"""Stands for every site where a check counts once."""


@dataclass(frozen=True)
class Count:
    """What one check found at one site, or at all of them.

    Attributes:
        text: the figure, such as "1,098 of 1,098" or "4 to explain".
        todo: what to do about it, a verb first, such as "Explain 4 forms"; empty when met.
        detail: a second line, such as whose data it is about.
        url, action: where to look, for people who may do `action`.
    """

    met: bool
    text: str
    todo: str = ""
    detail: str = ""
    url: str = ""
    action: Action | None = None


Counts = Mapping[int, Count]
"""By primary key of the site, or under ALL_SITES."""


@dataclass(frozen=True)
class Check:
    """One line of the lock room.

    Attributes:
        evaluate: counts for these sites, as the data stand on a day.
        slow: it reads everything, so the page shows its last stored result.
    """

    code: str
    title: str
    detail: str
    evaluate: Callable[[Sequence[Site], date], Counts]
    slow: bool = False


@dataclass(frozen=True)
class Finding:
    """One check with what it found."""

    check: Check
    counts: Counts

    @property
    def met(self) -> bool:
        """Whether it holds everywhere."""
        return all(count.met for count in self.counts.values())

    def as_json(self) -> dict[str, Any]:
        """What a lock stores and what is signed: code, whether it held, and the figures by site."""
        return {
            "code": self.check.code,
            "met": self.met,
            "counts": {str(site): count.text for site, count in sorted(self.counts.items())},
        }


_registered: dict[str, Check] = {}


def register(check: Check) -> None:
    """Add a check at the end of the list; the same code again replaces it."""
    _registered[check.code] = check


def registered() -> tuple[Check, ...]:
    """Every check, in the order of the page."""
    return tuple(_registered.values())


def all_sites() -> list[Site]:
    """The sites of the trial, by code."""
    return list(Site.objects.order_by("code"))


def evaluate(on: date) -> list[Finding]:
    """Run every check now, slow ones too."""
    sites = all_sites()
    return [Finding(check, check.evaluate(sites, on)) for check in registered()]


def evaluate_for_page(sites: Sequence[Site], on: date) -> list[Finding]:
    """Run the quick checks, and take the slow ones from their last run."""
    runs = latest_runs()
    return [
        Finding(check, _stored(runs.get(check.code)) if check.slow else check.evaluate(sites, on))
        for check in registered()
    ]


def run_slow(*, at: datetime, on: date) -> list[CheckRun]:
    """Run the slow checks and store what they find."""
    runs = []
    for check in registered():
        if check.slow:
            count = check.evaluate(all_sites(), on)[ALL_SITES]
            run = CheckRun(code=check.code, ran_at=at, met=count.met, text=count.text, todo=count.todo)
            run.save()
            runs.append(run)
    return runs


def latest_runs() -> dict[str, CheckRun]:
    """The last run of each slow check, by code."""
    return {run.code: run for run in CheckRun.objects.order_by("ran_at", "pk")}


def _stored(run: CheckRun | None) -> Counts:
    if run is None:
        return {ALL_SITES: Count(False, "Not run yet", "Run the checks that read everything")}
    return {ALL_SITES: Count(run.met, run.summary, run.todo)}
