"""The two texts of a contribution, each by the person whose part it is (randomisation.md 3.2)."""

from datetime import datetime

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import locks
from randomisation.locks import TWO_TEXTS
from randomisation.models import Revision, State
from trial.access.models import User
from trial.access.policy import Role
from trial.access.signing import Proof, sign
from trial.allocation.schemes import told

PARTS = {Role.SPONSOR_REPRESENTATIVE: 1, Role.UNBLINDED_STATISTICIAN: 2}
"""Whose text is which part."""
PART_WORDS = {1: "Sponsor's representative", 2: "Independent statistician"}


def part_of(user: User) -> int | None:
    """Which part is this person's; None for everybody else."""
    roles = [Role(assignment.role) for assignment in user.access.assignments]
    return next((PARTS[role] for role in roles if role in PARTS), None)


def awaited_part(revision: Revision, user: User) -> int | None:
    """The part that this person may give now; None where none is awaited from them."""
    part = part_of(user)
    if revision.state != State.LOCKED or revision.params_public["contribution_source"] != TWO_TEXTS or part is None:
        return None
    there = {kept.part: kept.by_id for kept in revision.contribution_parts.all()}
    return None if part in there or user.pk in there.values() else part


@sensitive_variables("text")
@transaction.atomic
def give(*, revision: Revision, part: int, text: str, proof: Proof, by: User, at: datetime) -> None:
    """Keep one text, sealed, and sign for it without it; with the second the lists are made.

    Raises:
        AllocationRefused: it is there already, by the same person, or the texts are too long together.
        ProofRefused: the proof is another person's.
    """
    with told():
        locks.add_contribution_part(revision=revision, part=part, text=text, by=by, at=at)
    sign(
        proof=proof,
        by=by,
        meaning="I chose this text after the commitment was published.",
        record=revision,
        content={"scheme": revision.scheme.code, "revision": revision.number, "part": part},
        at=at,
    )
