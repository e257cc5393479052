"""Decisions that follow from a protocol: values in, value out. The spec comes first in every function.

A code that the protocol does not know raises `UnknownCode`, which is an error of the caller, not of a user.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol, TypeVar

from trial.protocol.spec import (
    ELIGIBILITY,
    Arm,
    Criterion,
    ExpectedForm,
    Factor,
    InstrumentUse,
    Level,
    ParticipationLevel,
    ProtocolSpec,
    Reason,
    SiteSource,
    SiteSpec,
    SupportPage,
    VisitSpec,
)

ReasonList = Literal[
    "decline", "withdrawal", "participation_change", "missed_visit", "not_done", "absence", "correction"
]


class UnknownCode(KeyError):
    """The protocol has no such visit, arm, site or other part."""


class OutsideEveryBand(ValueError):
    """A value lies in no level of the factor."""


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


C = TypeVar("C", bound=_Coded)


def _find(parts: Iterable[C], code: str) -> C:
    for part in parts:
        if part.code == code:
            return part
    raise UnknownCode(code)


# -- arms, sites, lists


def arm(spec: ProtocolSpec, code: str) -> Arm:
    """The arm with this code."""
    return _find(spec.arms, code)


def reduced_ratio(spec: ProtocolSpec) -> tuple[int, ...]:
    """The allocation ratio in lowest terms, in the order of the arms (randomisation.md 1)."""
    divisor = math.gcd(*(one.ratio for one in spec.arms))
    return tuple(one.ratio // divisor for one in spec.arms)


def preference_choices(spec: ProtocolSpec) -> list[tuple[str, str]]:
    """Codes and labels for a stated preference before randomisation: none, then each arm."""
    return [("none", "No preference"), *((one.code, one.label) for one in spec.arms)]


def site(spec: ProtocolSpec, code: str) -> SiteSpec:
    """The site with this code."""
    return _find(spec.sites, code)


def criterion(spec: ProtocolSpec, code: str) -> Criterion:
    """The eligibility criterion with this code."""
    return _find(spec.criteria, code)


def prescreen_criteria(spec: ProtocolSpec) -> tuple[Criterion, ...]:
    """Criteria that referral information alone may decide (T05)."""
    return tuple(one for one in spec.criteria if one.prescreen)


def reasons(spec: ProtocolSpec, which: ReasonList) -> tuple[Reason, ...]:
    """One of the short lists of reasons."""
    found: tuple[Reason, ...] = getattr(spec.reasons, which)
    return found


def reason(spec: ProtocolSpec, which: ReasonList, code: str) -> Reason:
    """One line of a short list of reasons."""
    return _find(reasons(spec, which), code)


def instrument(spec: ProtocolSpec, code: str) -> InstrumentUse:
    """How the study uses an instrument."""
    return _find(spec.instruments, code)


def outcome_forms(spec: ProtocolSpec, visit_code: str) -> frozenset[str]:
    """Instruments whose answered form counts as retention at a visit (F4)."""
    outcomes = {one.code for one in spec.instruments if one.outcome != "other"}
    return frozenset(form.form for form in visit(spec, visit_code).forms) & outcomes


# -- visits


@dataclass(frozen=True)
class Window:
    """First day, target and last day of a visit; both ends included (BR-30)."""

    opens: date
    target: date
    closes: date


def visit(spec: ProtocolSpec, code: str) -> VisitSpec:
    """The visit with this code."""
    return _find(spec.visits, code)


def next_visit(spec: ProtocolSpec, code: str) -> VisitSpec | None:
    """The visit after this one, or None after the last."""
    after = spec.visits[spec.visits.index(visit(spec, code)) + 1 :]
    return after[0] if after else None


def final_visit(spec: ProtocolSpec) -> VisitSpec:
    """The last visit; when it is done or its window has closed, follow-up is over (T15)."""
    return spec.visits[-1]


def visits_before_randomisation(spec: ProtocolSpec) -> tuple[VisitSpec, ...]:
    """Visits that exist from consent on."""
    return tuple(one for one in spec.visits if one.before_randomisation)


def visits_after_randomisation(spec: ProtocolSpec) -> tuple[VisitSpec, ...]:
    """Visits that exist from allocation on."""
    return tuple(one for one in spec.visits if not one.before_randomisation)


def eligibility_visit(spec: ProtocolSpec) -> VisitSpec:
    """The visit at which the criteria are answered."""
    return next(one for one in spec.visits if any(form.form == ELIGIBILITY for form in one.forms))


def baseline_visits(spec: ProtocolSpec) -> tuple[VisitSpec, ...]:
    """Visits before randomisation that come after the eligibility visit; their required forms make T10."""
    before = visits_before_randomisation(spec)
    return before[before.index(eligibility_visit(spec)) + 1 :]


def window(one: VisitSpec, day0: date) -> Window:
    """A visit's window for a person randomised on `day0` (local date, Europe/London)."""
    return Window(
        opens=day0 + timedelta(days=one.opens_day),
        target=day0 + timedelta(days=one.target_day),
        closes=day0 + timedelta(days=one.closes_day),
    )


def missed_from(spec: ProtocolSpec, code: str, day0: date) -> date | None:
    """The day from which an undone visit is missed, the next window's opening (BR-31); None for the last."""
    following = next_visit(spec, code)
    return window(following, day0).opens if following else None


def forms_at(spec: ProtocolSpec, visit_code: str) -> tuple[ExpectedForm, ...]:
    """Forms of a visit in the protocol's order, the eligibility form included."""
    return visit(spec, visit_code).forms


def form(spec: ProtocolSpec, visit_code: str, code: str) -> ExpectedForm:
    """One form of a visit."""
    for one in forms_at(spec, visit_code):
        if one.form == code:
            return one
    raise UnknownCode(f"{code} at {visit_code}")


def is_expected(one: ExpectedForm, *, earlier_on: date | None, on: date) -> bool:
    """Whether a form is expected on a day: a repeat is not while the earlier answers are fresh.

    `earlier_on` is the day on which the form of `repeat_of.visit` was answered, None when it was not.
    """
    if one.repeat_of is None or earlier_on is None:
        return True
    return (on - earlier_on).days > one.repeat_of.older_than_days


def form_label(spec: ProtocolSpec, code: str) -> str:
    """A form's name on pages."""
    return "Eligibility" if code == ELIGIBILITY else instrument(spec, code).label


# -- randomisation


def factor(spec: ProtocolSpec, code: str) -> Factor:
    """The stratification factor with this code."""
    return _find(spec.randomisation.factors, code)


def level(one: Factor, code: str) -> Level:
    """One level of a factor."""
    return _find(one.levels, code)


def band_for(one: Factor, value: int) -> Level:
    """The level whose band holds a score, both ends included (BR-24).

    Raises:
        OutsideEveryBand: no level holds it, as for a score outside the eligible range.
    """
    for candidate in one.levels:
        if candidate.min is not None and candidate.max is not None and candidate.min <= value <= candidate.max:
            return candidate
    raise OutsideEveryBand(f"{value} lies in no level of {one.code}")


def factor_levels(spec: ProtocolSpec, *, site_code: str, scores: Mapping[str, int]) -> dict[str, str]:
    """Level codes by factor code, in declared order, for a person at a site with these scores by score code.

    Raises:
        OutsideEveryBand: a score lies in no level.
        UnknownCode: the site is no level, or a score is not given.
    """
    chosen: dict[str, str] = {}
    for one in spec.randomisation.factors:
        if isinstance(one.source, SiteSource):
            chosen[one.code] = level(one, site_code).code
        elif one.source.score in scores:
            chosen[one.code] = band_for(one, scores[one.source.score]).code
        else:
            raise UnknownCode(one.source.score)
    return chosen


def n_strata(spec: ProtocolSpec) -> int:
    """Product of the numbers of levels; 1 without factors."""
    return math.prod(len(one.levels) for one in spec.randomisation.factors)


def support_page(spec: ProtocolSpec, language: str) -> SupportPage:
    """The support page in a language, or else the first of the file."""
    return next((page for page in spec.support_pages if page.language == language), spec.support_pages[0])


# -- delivery, participation, reminders


def first_session_deadline(spec: ProtocolSpec, randomised_on: date) -> date:
    """Last day for a person's first session."""
    return randomised_on + timedelta(days=spec.session_plan.first_session_within_days)


def planned_sessions(spec: ProtocolSpec, group_starts: date) -> list[date]:
    """Days of a group's planned sessions, the first on its starting day."""
    step = timedelta(days=spec.session_plan.interval_days)
    return [group_starts + number * step for number in range(spec.session_plan.sessions)]


def activity_ends(spec: ProtocolSpec, group_starts: date) -> date:
    """Last day of a group's activity period, catch-up weeks included (T14)."""
    return group_starts + timedelta(days=7 * spec.session_plan.weeks - 1)


def participation_level(spec: ProtocolSpec, stopped: Collection[str]) -> ParticipationLevel | None:
    """The shorthand for the elements that a person has stopped: the last level that applies (BR-60)."""
    return next(
        (
            one
            for one in reversed(spec.participation_levels)
            if set(one.all_of) <= set(stopped) and (not one.any_of or set(one.any_of) & set(stopped))
        ),
        None,
    )


def reminder_dates(spec: ProtocolSpec, window_opens: date, window_closes: date) -> list[date]:
    """Days on which messages for a visit are due; none after its window (BR-37)."""
    days = (window_opens + timedelta(days=n) for n in spec.reminders.days_after_opening)
    return [day for day in days if day <= window_closes]


def phone_task_date(spec: ProtocolSpec, window_opens: date, window_closes: date) -> date:
    """The day on which a person is rung about an unanswered visit; never before its window opens (BR-37)."""
    plan = spec.reminders
    planned = window_opens + timedelta(days=plan.days_after_opening[-1] + plan.phone_task_days_after)
    latest = window_closes - timedelta(days=plan.phone_task_days_before_close)
    return max(min(planned, latest), window_opens)
