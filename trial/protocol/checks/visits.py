"""Visits in order, windows that do not swallow each other, one eligibility form, repeats of earlier forms."""

from collections.abc import Iterator
from itertools import pairwise

from trial.protocol.errors import Problem
from trial.protocol.spec import ELIGIBILITY, ProtocolSpec, VisitSpec


def problems(spec: ProtocolSpec) -> Iterator[Problem]:
    """Visits and windows that contradict each other."""
    for index, visit in enumerate(spec.visits):
        yield from _window(f"visits.{index}", visit)
    for index, (earlier, later) in enumerate(pairwise(spec.visits), start=1):
        yield from _order(f"visits.{index}", earlier, later)
    if not spec.visits[0].before_randomisation:
        yield Problem("visits.0.before_randomisation", "must be true: the first visit decides eligibility")
    if spec.visits[-1].before_randomisation:
        yield Problem(f"visits.{len(spec.visits) - 1}.before_randomisation", "must be false: no visit follows up")
    yield from _eligibility(spec)
    yield from _repeats(spec)


def _window(key: str, visit: VisitSpec) -> Iterator[Problem]:
    if visit.before_randomisation and visit.target_day:
        yield Problem(f"{key}.target_day", "must be 0 before randomisation")
    if visit.before_randomisation and visit.days_after:
        yield Problem(f"{key}.days_after", "must be 0 before randomisation")
    if not visit.before_randomisation and visit.target_day == 0:
        yield Problem(f"{key}.target_day", "must be 1 or more after randomisation")
    elif not visit.before_randomisation and visit.opens_day < 1:
        yield Problem(f"{key}.days_before", "the window must open after the day of randomisation")


def _order(key: str, earlier: VisitSpec, later: VisitSpec) -> Iterator[Problem]:
    if later.visitnum <= earlier.visitnum:
        yield Problem(f"{key}.visitnum", f"must be more than {earlier.visitnum}, that of {earlier.code}")
    if later.before_randomisation and not earlier.before_randomisation:
        yield Problem(f"{key}.before_randomisation", f"must be false: {earlier.code} is after randomisation")
    elif later.before_randomisation and later.opens_day < earlier.opens_day:
        yield Problem(f"{key}.days_before", f"the window must not open before that of {earlier.code}")
    elif not earlier.before_randomisation and later.target_day <= earlier.target_day:
        yield Problem(f"{key}.target_day", f"must be after {earlier.target_day}, the target day of {earlier.code}")
    elif not earlier.before_randomisation and later.opens_day <= earlier.target_day:
        yield Problem(f"{key}.days_before", f"the window must open after the target day of {earlier.code}")


def _eligibility(spec: ProtocolSpec) -> Iterator[Problem]:
    found = [
        (f"visits.{index}.forms.{number}", visit, form)
        for index, visit in enumerate(spec.visits)
        for number, form in enumerate(visit.forms)
        if form.form == ELIGIBILITY
    ]
    if len(found) != 1:
        yield Problem("visits", "exactly one visit must have the form eligibility")
    for key, visit, form in found:
        if not visit.before_randomisation:
            yield Problem(f"{key}.form", "eligibility must be decided before randomisation")
        if not form.required:
            yield Problem(f"{key}.required", "must be true: nobody is randomised without it")


def _repeats(spec: ProtocolSpec) -> Iterator[Problem]:
    for index, visit in enumerate(spec.visits):
        earlier = {one.code: {form.form for form in one.forms} for one in spec.visits[:index]}
        for number, form in enumerate(visit.forms):
            if form.repeat_of and form.form not in earlier.get(form.repeat_of.visit, ()):
                yield Problem(
                    f"visits.{index}.forms.{number}.repeat_of.visit",
                    f"must be an earlier visit with {form.form}",
                )
