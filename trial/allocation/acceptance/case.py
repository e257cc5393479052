"""One scripted case of an acceptance test, and what became of it (randomisation.md section 12)."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from time import perf_counter
from typing import Any

from trial.allocation.acceptance.world import World

Script = Callable[[World], str]


class Status(StrEnum):
    """How a case ended. What only a person can do is not called a pass here: another test has done it."""

    PASSED = "pass"
    FAILED = "fail"
    COVERED = "covered by automated test"


class Differs(Exception):
    """What was observed is not what was expected. The text tells no arm, row, seed or restricted value."""


@dataclass(frozen=True)
class Case:
    """A case before it is run: `requirement` names the section of randomisation.md, or the business rule."""

    id: str
    requirement: str
    title: str
    expected: str
    script: Script


@dataclass(frozen=True)
class Outcome:
    """A case afterwards. `duration_ms` is wall-clock time, in milliseconds."""

    id: str
    requirement: str
    title: str
    expected: str
    observed: str
    status: Status
    duration_ms: int

    def as_json(self) -> dict[str, Any]:
        """Plain values, as they are kept with the draft."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Outcome":
        """The outcome that `as_json` gave."""
        return cls(**{**given, "status": Status(given["status"])})


_ORDER = "VAESLXIRZ"
"""First letters: vectors, allocations, E_ codes, seals, life, exceptions, imports, restore, the end of the trial."""
_cases: list[Case] = []


def case(id_: str, requirement: str, title: str, expected: str) -> Callable[[Script], Script]:
    """Add a script to the cases."""

    def add(script: Script) -> Script:
        _cases.append(Case(id_, requirement, title, expected, script))
        return script

    return add


def cases_in_order() -> list[Case]:
    """Every case that was added, in the order in which it is run: what ends the test trial comes last."""
    return sorted(_cases, key=lambda one: (_ORDER.index(one.id[0]), one.id))


def expect(holds: bool, otherwise: str) -> None:
    """Go on if it holds.

    Raises:
        Differs: it does not; `otherwise` says what was observed.
    """
    if not holds:
        raise Differs(otherwise)


def run(one: Case, world: World) -> Outcome:
    """Execute one case. Whatever stops it is a failure, told by its kind alone: a message might hold a value."""
    began = perf_counter()
    try:
        observed, status = one.script(world), Status.PASSED
    except Differs as differs:
        observed, status = str(differs), Status.FAILED
    except Exception as error:
        observed, status = f"Stopped by {type(error).__name__}", Status.FAILED
    duration_ms = round((perf_counter() - began) * 1000)
    return Outcome(one.id, one.requirement, one.title, one.expected, observed, status, duration_ms)
