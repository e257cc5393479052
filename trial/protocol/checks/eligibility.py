"""Criteria, reasons, contact and re-screening."""

from collections.abc import Iterator

from trial.protocol.checks.library import Library
from trial.protocol.errors import Problem
from trial.protocol.spec import ELIGIBILITY, AgeRange, ProtocolSpec, RiskGrade, ScoreRange


def problems(spec: ProtocolSpec, library: Library) -> Iterator[Problem]:
    """Criteria that cannot be decided, reasons that the system needs, contact rules that cannot be met."""
    for index, criterion in enumerate(spec.criteria):
        key, rule = f"criteria.{index}.rule", criterion.rule
        if isinstance(rule, AgeRange) and rule.max is not None and rule.max < rule.min:
            yield Problem(f"{key}.max", f"must be {rule.min} or more")
        elif isinstance(rule, ScoreRange):
            yield from _score_range(spec, library, key, rule)
        elif isinstance(rule, RiskGrade):
            yield from _risk_grade(library, key, rule)
    yield from _reasons(spec)
    yield from _contact(spec)
    if spec.rescreen.times and not spec.rescreen.after_days:
        yield Problem("rescreen.after_days", "must be 1 or more where people may be screened again")


def _score_range(spec: ProtocolSpec, library: Library, key: str, rule: ScoreRange) -> Iterator[Problem]:
    if wrong := list(library.measure_problems(key, rule.visit, rule.instrument, rule.score)):
        yield from wrong
        return
    if rule.max < rule.min:
        yield Problem(f"{key}.max", f"must be {rule.min} or more")
    decided_by = [visit.code for visit in spec.visits[: _eligibility_index(spec) + 1]]
    if rule.visit not in decided_by:
        yield Problem(f"{key}.visit", "must not be after the visit with the form eligibility")
    score = library.score(rule.instrument, rule.score)
    if score and score.range:
        low, high = score.range
        if rule.min < low:
            yield Problem(f"{key}.min", f"{rule.score} is never below {low}")
        if rule.max > high:
            yield Problem(f"{key}.max", f"{rule.score} is never above {high}")


def _eligibility_index(spec: ProtocolSpec) -> int:
    """Where eligibility is decided; the last visit where the form is missing, which is said elsewhere."""
    having = [index for index, visit in enumerate(spec.visits) if any(f.form == ELIGIBILITY for f in visit.forms)]
    return having[0] if having else len(spec.visits)


def _risk_grade(library: Library, key: str, rule: RiskGrade) -> Iterator[Problem]:
    if rule.instrument not in library.definitions:
        yield Problem(f"{key}.instrument", f'"{rule.instrument}" is not among the instruments')
    elif not library.has_alerts(rule.instrument):
        yield Problem(f"{key}.instrument", f"{rule.instrument} raises no alerts")


def _reasons(spec: ProtocolSpec) -> Iterator[Problem]:
    """Death ends a record quietly and nobody must give a reason: each list needs a line for it (T06, T11)."""
    for name, meanings in {
        "decline": ("death", "none_given"),
        "withdrawal": ("death", "none_given"),
        "participation_change": ("none_given",),
    }.items():
        given = [reason.means for reason in getattr(spec.reasons, name)]
        for meaning in meanings:
            if given.count(meaning) != 1:
                yield Problem(f"reasons.{name}", f'must hold one line with "means": "{meaning}"')


def _contact(spec: ProtocolSpec) -> Iterator[Problem]:
    contact = spec.contact
    if contact.min_channels > len(contact.channels):
        yield Problem("contact.min_channels", f"must not be more than the {len(contact.channels)} channels listed")
    for name in ("min_days", "min_channels"):
        if getattr(contact, name) > contact.min_attempts:
            yield Problem(f"contact.{name}", f"must not be more than min_attempts, {contact.min_attempts}")
