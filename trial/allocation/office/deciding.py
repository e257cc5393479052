"""Deciding what somebody else asked for, with a signature (randomisation.md sections 9 and 10, R-19)."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from randomisation import proposals
from randomisation.models import Allocation, Proposal
from randomisation.proposals import KINDS, Deed
from trial.access.models import User
from trial.access.signing import Proof, sign
from trial.allocation.errors import AllocationRefused
from trial.allocation.hooks import after_late_allocation
from trial.allocation.kinds import may_decide
from trial.allocation.schemes import told
from trial.base.words import lower_first
from trial.participants.models import Participant

NOT_YOURS = "Somebody else must decide this: a person whose role allows it, at no site that it is about."


def approve(*, proposal: Proposal, note: str, proof: Proof, by: User, at: datetime) -> Deed | None:
    """Approve a request and sign for it; the last approval carries it out.

    Returns:
        what was done; None while another approval is needed.

    Raises:
        AllocationRefused: this person may not decide it, or the step itself is refused; nothing was approved.
        ProofRefused: the proof is another person's.
    """
    _check(proposal, by)

    def follow(made: Allocation) -> None:
        for participant in Participant.objects.filter(allocation_links__allocation=made).order_by("pk"):
            for hook in after_late_allocation:
                hook(participant, made, proposal.asked_by, at)

    # The signature is handed down: a failed check pauses the scheme, in a transaction after the one that is undone.
    signed = partial(_sign, proposal, "I approve", proof=proof, by=by, at=at)
    with told():
        return proposals.approve(proposal=proposal, by=by, at=at, note=note, beside=signed, after_allocate=follow)


@transaction.atomic
def refuse(*, proposal: Proposal, note: str, proof: Proof, by: User, at: datetime) -> None:
    """Refuse a request with a reason, and sign for it.

    Raises:
        AllocationRefused: this person may not decide it, or gives no reason.
        ProofRefused: the proof is another person's.
    """
    _check(proposal, by)
    _sign(proposal, "I refuse", proof=proof, by=by, at=at)
    with told():
        proposals.refuse(proposal=proposal, by=by, at=at, note=note)


def withdraw(*, proposal: Proposal, by: User, at: datetime) -> None:
    """Take one's own request back.

    Raises:
        AllocationRefused: it is somebody else's, or was decided.
    """
    with told():
        proposals.withdraw(proposal=proposal, by=by, at=at)


def _check(proposal: Proposal, by: User) -> None:
    if not may_decide(by, proposal):
        raise AllocationRefused(NOT_YOURS)


def _sign(proposal: Proposal, verb: str, *, proof: Proof, by: User, at: datetime) -> None:
    sign(
        proof=proof,
        by=by,
        meaning=f"{verb}: {lower_first(KINDS[proposal.kind].label)}.",
        record=proposal,
        content=content_of(proposal),
        at=at,
    )


def content_of(proposal: Proposal) -> dict[str, Any]:
    """What a decision signs: the request as it was asked for."""
    return {
        "scheme": proposal.scheme.code,
        "kind": proposal.kind,
        "facts": proposal.facts,
        "reason": proposal.reason,
        "site": proposal.site,
        "allocation": proposal.allocation_id,
        "asked_by": proposal.asked_by_id,
    }
