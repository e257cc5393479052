"""What the parts of a protocol must agree on. Checks yield the key that is wrong and what to put right."""

from collections.abc import Iterator

from trial.protocol.checks import codes, dates, delivery, edit_checks, eligibility, outcomes, randomisation, visits
from trial.protocol.checks.library import Library
from trial.protocol.errors import Problem
from trial.protocol.spec import ProtocolSpec


def disagreements(spec: ProtocolSpec) -> Iterator[Problem]:
    """Everything that two parts of the protocol, or it and the instrument library, do not agree on."""
    library = Library(spec)
    yield from codes.problems(spec)
    yield from library.problems()
    yield from dates.problems(spec)
    yield from visits.problems(spec)
    yield from edit_checks.problems(spec, library)
    yield from eligibility.problems(spec, library)
    yield from randomisation.problems(spec, library)
    yield from delivery.problems(spec)
    yield from outcomes.problems(spec, library)
