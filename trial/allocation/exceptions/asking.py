"""Asking for what may be said of an allocation afterwards: it is marked or corrected, never changed (section 9)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from randomisation import proposals
from randomisation.models import Allocation, AllocationFlag, AllocationMember, CodeBreak, Proposal
from trial.access.models import User
from trial.allocation.errors import AllocationRefused
from trial.allocation.exceptions import reads
from trial.allocation.exceptions.texts import refuse_arms
from trial.allocation.reads import allocation_of
from trial.allocation.schemes import told
from trial.participants.models import Participant


def ask_flag(*, participant: Participant, category: str, reason: str, by: User, at: datetime) -> Proposal:
    """Ask that an allocation be marked; it stands, and the person stays in the randomised set (9.1).

    Raises:
        AllocationRefused: not randomised, marked so already, asked for already, or a text that tells an arm.
    """
    facts = {"category": AllocationFlag.Category(category).value, "excludes": False}
    return _ask_mark(participant, facts, reason, by=by, at=at)


def ask_exclusion(*, participant: Participant, first_number: str, reason: str, by: User, at: datetime) -> Proposal:
    """Ask that the second allocation of one person no longer count in the balance; the first stands (9.2).

    Args:
        participant: as whom the person was randomised the second time.
        first_number: the study number as which they were randomised first.

    Raises:
        AllocationRefused: no earlier allocation bears this number, or as `ask_flag`.
    """
    made, number = _made(participant), first_number.strip().upper()
    earlier = AllocationMember.objects.filter(scheme=made.scheme, allocation__seq__lt=made.seq)
    if not earlier.filter(participant__study_id=number).exists():
        raise AllocationRefused("No earlier allocation bears this study number. Ask from the record of the second one.")
    facts = {"category": AllocationFlag.Category.DUPLICATE.value, "excludes": True, "first": number}
    return _ask_mark(participant, facts, f"Same person as {number}. {reason}", by=by, at=at)


def _ask_mark(participant: Participant, facts: dict[str, Any], reason: str, *, by: User, at: datetime) -> Proposal:
    made = _made(participant)
    if made.flags.filter(category=facts["category"]).exists():
        raise AllocationRefused("This allocation is marked so already.")
    return _ask(participant, made, proposals.FLAG, facts, reason, by=by, at=at)


def ask_correction(
    *, participant: Participant, members: Sequence[Mapping[str, str]], reason: str, by: User, at: datetime
) -> Proposal:
    """Ask that the true levels be recorded beside the frozen ones (9.3).

    Args:
        members: the levels typed again of each member, in the order of the allocation; what the system sets itself
            is kept as it was.

    Raises:
        AllocationRefused: not randomised, nothing would change, or a text that tells an arm.
    """
    made = _made(participant)
    now = reads.current_levels(made)
    whole = [{**kept, **typed} for kept, typed in zip(now, members, strict=True)]
    if whole == now:
        raise AllocationRefused("These are the values on record. Change at least one.")
    return _ask(participant, made, proposals.CORRECT, {"members": whole}, reason, by=by, at=at)


def ask_code_break(
    *,
    participant: Participant,
    category: str,
    reason: str,
    who_knows: str,
    third_party: str,
    stays_in_follow_up: bool,
    by: User,
    at: datetime,
) -> Proposal:
    """Ask that one participant's arm may be told; somebody else authorises it (6.6).

    Works while randomisation is paused or closed.

    Args:
        who_knows: who knows the arm afterwards, in words without it.
        third_party: the clinician to whom alone it is told; empty where the requester reads it.

    Raises:
        AllocationRefused: not randomised, asked for already, or a text that tells an arm.
    """
    refuse_arms([who_knows, third_party], participant.referral.protocol_version.spec)
    facts = {
        "category": CodeBreak.Category(category).value,
        "who_knows": who_knows.strip(),
        "third_party": third_party.strip(),
        "stays_in_follow_up": stays_in_follow_up,
    }
    return _ask(participant, _made(participant), proposals.CODE_BREAK, facts, reason, by=by, at=at)


def _made(participant: Participant) -> Allocation:
    made = allocation_of(participant)
    if made is None:
        raise AllocationRefused("This person has not been randomised.")
    return made


def _ask(
    participant: Participant,
    made: Allocation,
    kind: str,
    facts: dict[str, Any],
    reason: str,
    *,
    by: User,
    at: datetime,
) -> Proposal:
    refuse_arms([reason], participant.referral.protocol_version.spec)
    with told():
        return proposals.ask(
            scheme=made.scheme, kind=kind, facts=facts, reason=reason, by=by, at=at, allocation=made, site=made.site
        )
