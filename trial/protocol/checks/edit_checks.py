"""Edit checks: that what they compare is there, and can be compared."""

from collections.abc import Iterator

from trial.protocol.checks.library import Library
from trial.protocol.errors import Problem
from trial.protocol.spec import Comparison, EditCheck, Operand, ProtocolSpec


def problems(spec: ProtocolSpec, library: Library) -> Iterator[Problem]:
    """Checks that could never be worked out."""
    for index, check in enumerate(spec.edit_checks):
        yield from _check(f"edit_checks.{index}", check, library)


def _check(key: str, check: EditCheck, library: Library) -> Iterator[Problem]:
    if not any(library.is_expected(visit.code, check.form) for visit in library.spec.visits):
        yield Problem(f"{key}.form", f'"{check.form}" is a form of no visit')
        return
    for number, visit in enumerate(check.visits):
        if not library.is_expected(visit, check.form):
            yield Problem(f"{key}.visits.{number}", f"{check.form} is no form of a visit {visit}")
    if check.at and not library.item_exists(check.form, check.at):
        yield Problem(f"{key}.at", f'"{check.at}" is no item of {check.form}')
    for name in ("when", "rule"):
        if comparison := getattr(check, name):
            yield from _comparison(f"{key}.{name}", comparison, check, library)


def _comparison(key: str, comparison: Comparison, check: EditCheck, library: Library) -> Iterator[Problem]:
    for name in ("left", "right"):
        yield from _operand(f"{key}.{name}", getattr(comparison, name), check, library)
    if comparison.left.is_day != comparison.right.is_day:
        yield Problem(f"{key}.right", "a date can be compared with a date only, and a number with a number")


def _operand(key: str, operand: Operand, check: EditCheck, library: Library) -> Iterator[Problem]:
    if len(operand.kinds) != 1:
        yield Problem(key, "must have exactly one of value, item, score and day")
        return
    form = operand.form or check.form
    if operand.visit and not library.is_expected(operand.visit, form):
        yield Problem(f"{key}.visit", f"{form} is no form of a visit {operand.visit}")
    elif operand.form and not any(library.is_expected(visit.code, form) for visit in library.spec.visits):
        yield Problem(f"{key}.form", f'"{form}" is a form of no visit')
    elif operand.item and not library.item_exists(form, operand.item):
        yield Problem(f"{key}.item", f'"{operand.item}" is no item of {form}')
    elif operand.score and library.definitions.get(form) and library.score(form, operand.score) is None:
        yield Problem(f"{key}.score", f'"{operand.score}" is no score of {form}')
