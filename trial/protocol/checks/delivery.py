"""Sessions, groups, fidelity, adherence, reminders and participation."""

from collections.abc import Iterator
from itertools import pairwise

from trial.protocol.errors import Problem
from trial.protocol.spec import ProtocolSpec


def problems(spec: ProtocolSpec) -> Iterator[Problem]:
    """Plans that cannot be kept."""
    yield from _sessions(spec)
    yield from _fidelity(spec)
    yield from _participation(spec)
    for index, (before, after) in enumerate(pairwise(spec.reminders.days_after_opening), start=1):
        if after <= before:
            yield Problem(f"reminders.days_after_opening.{index}", f"must be more than {before}")


def _sessions(spec: ProtocolSpec) -> Iterator[Problem]:
    plan, size = spec.session_plan, spec.session_plan.group_size
    if (plan.sessions - 1) * plan.interval_days >= 7 * plan.weeks:
        yield Problem("session_plan.weeks", f"{plan.sessions} sessions do not fit into {plan.weeks} weeks")
    if size.target < size.min:
        yield Problem("session_plan.group_size.target", f"must be {size.min} or more, the fewest")
    if size.max < size.target:
        yield Problem("session_plan.group_size.max", f"must be {size.target} or more, the planned number")
    if spec.adherence.min_sessions > plan.sessions:
        yield Problem("adherence.min_sessions", f"must not be more than the {plan.sessions} sessions planned")


def _fidelity(spec: ProtocolSpec) -> Iterator[Problem]:
    arms = [arm.code for arm in spec.arms]
    for index, component in enumerate(spec.fidelity.components):
        named = [text.arm for text in component.by_arm]
        if named and sorted(named) != sorted(arms):
            yield Problem(f"fidelity.components.{index}.by_arm", f"must have one text for each of {', '.join(arms)}")


def _participation(spec: ProtocolSpec) -> Iterator[Problem]:
    known = {element.code for element in spec.participation_elements}
    for index, level in enumerate(spec.participation_levels):
        key = f"participation_levels.{index}"
        for name in ("all_of", "any_of"):
            if not level.all_of and not level.any_of:
                yield Problem(f"{key}.{name}", "all_of or any_of must name an element")
            for number, element in enumerate(getattr(level, name)):
                if element not in known:
                    yield Problem(f"{key}.{name}.{number}", f'"{element}" is not among the participation elements')
