"""Randomising several people at once: each goes on as if they had been randomised alone (T12, randomisation.md 5)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from trial.access.models import User
from trial.access.signing import Proof
from trial.allocation import actions as allocation
from trial.allocation.actions import AllocationOutcome
from trial.allocation.models import Household
from trial.journey.steps import follow
from trial.participants.models import Participant


def randomise_household(
    *,
    household: Household,
    levels: Mapping[int, Mapping[str, str]],
    request_key: str,
    proof: Proof,
    by: User,
    at: datetime,
) -> AllocationOutcome:
    """Allocate people who live together as one, and in the same transaction what follows for each of them (T12)."""
    return allocation.randomise_household(
        household=household,
        levels=levels,
        request_key=request_key,
        proof=proof,
        by=by,
        at=at,
        then=partial(follow, by=by, mover=by, at=at),
    )


def randomise_batch(
    *,
    batch: str,
    people: Sequence[tuple[Participant, Mapping[str, str]]],
    request_key: str,
    proof: Proof,
    by: User,
    at: datetime,
) -> list[AllocationOutcome]:
    """Allocate ready people together, all or none, and in the same transaction what follows for each of them (T12)."""
    return allocation.randomise_batch(
        batch=batch,
        people=people,
        request_key=request_key,
        proof=proof,
        by=by,
        at=at,
        then=partial(follow, by=by, mover=by, at=at),
    )
