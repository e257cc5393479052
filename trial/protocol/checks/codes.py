"""Codes that may occur once only."""

from collections.abc import Iterable, Iterator

from trial.protocol.errors import Problem
from trial.protocol.spec import ProtocolSpec
from trial.protocol.spec.fields import Part

ONCE = {
    "arms": ("code", "label"),
    "sites": ("code", "name", "abbreviation"),
    "criteria": ("code",),
    "documents": ("code",),
    "support_pages": ("language",),
    "identity_fields": ("field",),
    "instruments": ("code", "label"),
    "visits": ("code", "visitnum", "label", "suffix"),
    "edit_checks": ("code",),
    "participation_elements": ("code",),
    "participation_levels": ("code",),
}
"""Lists at the top of the file, and the keys whose value no two of their entries share."""


def problems(spec: ProtocolSpec) -> Iterator[Problem]:
    """Repeated codes, wherever a code must name one thing."""
    for key, attributes in ONCE.items():
        for attribute in attributes:
            yield from _repeated(key, getattr(spec, key), attribute)
    for name in type(spec.reasons).model_fields:
        yield from _repeated(f"reasons.{name}", getattr(spec.reasons, name), "code")
    for index, document in enumerate(spec.documents):
        yield from _repeated(f"documents.{index}.sites", document.sites, "site")
        yield from _repeated(f"documents.{index}.statements", document.statements, "code")
    for index, visit in enumerate(spec.visits):
        yield from _repeated(f"visits.{index}.forms", visit.forms, "form")
    yield from _repeated("randomisation.factors", spec.randomisation.factors, "code")
    for index, factor in enumerate(spec.randomisation.factors):
        yield from _repeated(f"randomisation.factors.{index}.levels", factor.levels, "code")
    yield from _repeated("fidelity.components", spec.fidelity.components, "code")
    yield from _repeated("expected_events.events", spec.expected_events.events, "code")
    yield from _repeated("progression.criteria", spec.progression.criteria, "code")
    yield from _repeated_values("contact.channels", spec.contact.channels)
    yield from _repeated_values("reminders.channels", spec.reminders.channels)
    yield from _repeated_values("consent.methods", spec.consent.methods)
    yield from _repeated_values("calendar.bank_holidays", spec.calendar.bank_holidays)
    reasons = [criterion.reason.code for criterion in spec.criteria]
    for index, code in enumerate(reasons):
        if code in reasons[:index]:
            yield Problem(f"criteria.{index}.reason.code", f'"{code}" is there twice')


def _repeated(key: str, parts: Iterable[Part], attribute: str) -> Iterator[Problem]:
    seen = set()
    for index, part in enumerate(parts):
        value = getattr(part, attribute)
        if value in seen:
            yield Problem(f"{key}.{index}.{attribute}", f'"{value}" is there twice')
        seen.add(value)


def _repeated_values(key: str, values: tuple[object, ...]) -> Iterator[Problem]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield Problem(f"{key}.{index}", f'"{value}" is there twice')
