"""Outcomes and progression criteria that can be worked out from this protocol."""

from collections.abc import Iterator

from trial.protocol.checks.library import Library
from trial.protocol.errors import Problem
from trial.protocol.spec import Estimate, ProgressionCriterion, ProtocolSpec

NEEDS: dict[str, tuple[str, ...]] = {
    "consented": (),
    "randomised_per_site_month": (),
    "retention": ("visit",),
    "adherent": ("arm",),
    "scorable": ("visit", "instrument", "score"),
    "faithful": (),
    "contamination": ("arm",),
    "related_sae": (),
}
MAY: dict[str, tuple[str, ...]] = {"contamination": ("instrument", "item")}
REVEALING = ("adherent", "faithful", "contamination")
"""Figures of delivery: blinded roles never get them, whatever the file says (BR-26)."""
RATES = ("randomised_per_site_month",)


def problems(spec: ProtocolSpec, library: Library) -> Iterator[Problem]:
    """Measures that no visit collects, and criteria without the limits or the parts that they need."""
    for index, one in enumerate(spec.primary_outcomes):
        yield from library.measure_problems(f"primary_outcomes.{index}", one.visit, one.instrument, one.score)
    planned = spec.planning.measure
    yield from library.measure_problems("planning.measure", planned.visit, planned.instrument, planned.score)
    for index, criterion in enumerate(spec.progression.criteria):
        key = f"progression.criteria.{index}"
        yield from _limits(key, criterion)
        yield from _estimate(spec, library, f"{key}.estimate", criterion.estimate)
        if criterion.estimate.kind in REVEALING and not criterion.reveals_arm:
            yield Problem(f"{key}.reveals_arm", "must be true: the figure shows delivery (BR-26)")


def _limits(key: str, criterion: ProgressionCriterion) -> Iterator[Problem]:
    red, green = criterion.red, criterion.green
    for name, limit in (("red", red), ("green", green)):
        if criterion.light == "committee" and limit is not None:
            yield Problem(f"{key}.{name}", "a committee's judgement has no limits")
        elif criterion.light == "automatic" and limit is None:
            yield Problem(f"{key}.{name}", "this key is missing: an automatic light needs both limits")
        elif limit is not None and limit > 1 and criterion.estimate.kind not in RATES:
            yield Problem(f"{key}.{name}", "must be a proportion from 0 to 1")
    if red is not None and green is not None:
        in_order = red < green if criterion.higher_is_better else green < red
        if not in_order:
            side = "more" if criterion.higher_is_better else "less"
            yield Problem(f"{key}.green", f"must be {side} than red, {red}")


def _estimate(spec: ProtocolSpec, library: Library, key: str, estimate: Estimate) -> Iterator[Problem]:
    needed, allowed = NEEDS[estimate.kind], NEEDS[estimate.kind] + MAY.get(estimate.kind, ())
    given = [name for name in Estimate.model_fields if name != "kind" and getattr(estimate, name) is not None]
    for name in needed:
        if name not in given:
            yield Problem(f"{key}.{name}", f"this key is missing: {estimate.kind} needs it")
    for name in given:
        if name not in allowed:
            yield Problem(f"{key}.{name}", f"has no meaning for {estimate.kind}")
    if estimate.arm is not None and estimate.arm not in {arm.code for arm in spec.arms}:
        yield Problem(f"{key}.arm", f'"{estimate.arm}" is no arm')
    if estimate.kind == "retention" and estimate.visit and estimate.visit not in {v.code for v in spec.visits}:
        yield Problem(f"{key}.visit", f'"{estimate.visit}" is no visit')
    if estimate.kind == "scorable" and estimate.visit and estimate.instrument and estimate.score:
        yield from library.measure_problems(key, estimate.visit, estimate.instrument, estimate.score)
    if estimate.kind == "contamination":
        yield from _reported(library, key, estimate)


def _reported(library: Library, key: str, estimate: Estimate) -> Iterator[Problem]:
    """The item, if any, with which people report what belongs to another arm."""
    if (estimate.instrument is None) != (estimate.item is None):
        name = "item" if estimate.item is None else "instrument"
        yield Problem(f"{key}.{name}", "instrument and item are given together or not at all")
    elif estimate.instrument is not None and estimate.instrument not in library.definitions:
        yield Problem(f"{key}.instrument", f'"{estimate.instrument}" is not among the instruments')
    elif estimate.instrument and estimate.item and not library.item_exists(estimate.instrument, estimate.item):
        yield Problem(f"{key}.item", f'"{estimate.item}" is no item of {estimate.instrument}')
