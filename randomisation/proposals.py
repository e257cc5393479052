"""Steps that take more than one person: asked for, approved by others, carried out at once (randomisation.md 9, 10)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import events, exceptions, growth, late, locks, reveal, states
from randomisation.allocate import alarm
from randomisation.errors import ListMismatch, ProposalRefused, SealError
from randomisation.events import Approvers
from randomisation.models import Allocation, AllocationFlag, Approval, EventLog, Proposal, Scheme
from randomisation.recording import Recorded
from randomisation.requests import Member, UnitRequest

After = Callable[[Allocation], None]
Beside = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Deed:
    """What an approved request did: its entry in the log if it has one, and the allocation it made if it made one."""

    event: EventLog | None
    allocation: Allocation | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request: its name on pages, how many others must approve it, and what then happens."""

    label: str
    n_approvals: int
    perform: Callable[[Proposal, Approvers, datetime], Deed]


def ask(
    *,
    scheme: Scheme,
    kind: str,
    facts: dict[str, Any],
    reason: str,
    by: AbstractBaseUser,
    at: datetime,
    allocation: Allocation | None = None,
    site: str = "",
) -> Proposal:
    """Ask for a step; nothing happens before somebody else approves it.

    Raises:
        ProposalRefused: no such kind, no reason, or the same is asked for already.
    """
    if kind not in KINDS or not reason.strip():
        raise ProposalRefused("Say why this is asked for.")
    waiting = Proposal.objects.filter(scheme=scheme, kind=kind, allocation=allocation, state=Proposal.State.ASKED)
    if any(proposal.facts == facts for proposal in waiting):
        raise ProposalRefused("The same has been asked for and waits for approval.")
    return Proposal.objects.create(
        scheme=scheme,
        kind=kind,
        allocation=allocation,
        facts=facts,
        reason=reason.strip(),
        site=site,
        asked_by_id=by.pk,
        asked_at=at,
    )


@sensitive_variables()
def approve(
    *,
    proposal: Proposal,
    by: AbstractBaseUser,
    at: datetime,
    note: str = "",
    beside: Beside | None = None,
    after_allocate: After | None = None,
) -> Deed | None:
    """Approve a request; with the last approval it is carried out in the same transaction.

    A late entry that fails a check of the lists pauses the scheme and alarms as any allocation does (6.2).

    Args:
        beside: what the caller writes in the same transaction, such as a signature.
        after_allocate: what the caller writes beside an allocation that is entered late.

    Returns:
        what was done; None while another approval is needed.

    Raises:
        ProposalRefused: by who asked, twice by one person, or of a request that was decided.
        RandomisationError: the step itself is refused; then nothing is approved either.
    """
    try:
        with transaction.atomic():
            proposal = _waiting(proposal, by)
            if beside is not None:
                beside()
            Approval.objects.create(proposal=proposal, by_id=by.pk, at=at, approves=True, note=note)
            approvers: Approvers = tuple(approval.by for approval in proposal.approvals.filter(approves=True))
            kind = KINDS[proposal.kind]
            if len(approvers) < kind.n_approvals:
                return None
            deed = kind.perform(proposal, approvers, at)
            if deed.allocation is not None and after_allocate is not None:
                after_allocate(deed.allocation)
            _end(proposal, Proposal.State.DONE, at, deed.event)
            return deed
    except (SealError, ListMismatch) as failed:
        if proposal.kind in (BACKUP, RECOVERED):
            alarm(proposal.scheme, failed, by=by, at=at, site=proposal.facts["site"])
        raise


@transaction.atomic
def refuse(*, proposal: Proposal, by: AbstractBaseUser, at: datetime, note: str) -> Proposal:
    """Refuse a request, with a reason.

    Raises:
        ProposalRefused: no reason, by who asked, or of a request that was decided.
    """
    if not note.strip():
        raise ProposalRefused("Say why you refuse.")
    proposal = _waiting(proposal, by)
    Approval.objects.create(proposal=proposal, by_id=by.pk, at=at, approves=False, note=note.strip())
    return _end(proposal, Proposal.State.REFUSED, at, None)


@transaction.atomic
def withdraw(*, proposal: Proposal, by: AbstractBaseUser, at: datetime) -> Proposal:
    """Take one's own request back.

    Raises:
        ProposalRefused: it is somebody else's, or was decided.
    """
    proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if proposal.asked_by_id != by.pk or proposal.state != Proposal.State.ASKED:
        raise ProposalRefused("Only your own request can be withdrawn, and only while it waits.")
    return _end(proposal, Proposal.State.WITHDRAWN, at, None)


def _waiting(proposal: Proposal, by: AbstractBaseUser) -> Proposal:
    """The request, its row locked, if this person may decide it."""
    proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
    if proposal.state != Proposal.State.ASKED:
        raise ProposalRefused("This request has been decided.")
    if proposal.asked_by_id == by.pk:
        raise ProposalRefused("You asked for this: somebody else must decide it.")
    if proposal.approvals.filter(by_id=by.pk).exists():
        raise ProposalRefused("You have approved this: another person must too.")
    return proposal


def _end(proposal: Proposal, state: Proposal.State, at: datetime, event: EventLog | None) -> Proposal:
    proposal.state, proposal.ended_at, proposal.event = state, at, event
    proposal.save(update_fields=["state", "ended_at", "event"])
    return proposal


def _lock(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    revision = proposal.scheme.revisions.get(number=proposal.facts["revision"])
    locks.lock(revision=revision, approvers=approvers, by=proposal.asked_by, at=at)
    return Deed(events.newest(proposal.scheme))


def _reopen(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    states.open_scheme(scheme=proposal.scheme, by=proposal.asked_by, at=at, approvers=approvers)
    return Deed(events.newest(proposal.scheme))


def _close(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    states.close_scheme(
        scheme=proposal.scheme, reason=proposal.reason, by=proposal.asked_by, at=at, approvers=approvers
    )
    return Deed(events.newest(proposal.scheme))


def _extend(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    n_rows = proposal.facts["rows_per_stratum"]
    entry = growth.extend(
        scheme=proposal.scheme, rows_per_stratum=n_rows, approvers=approvers, by=proposal.asked_by, at=at
    )
    return Deed(entry)


def _add_level(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    factor, level = proposal.facts["factor"], proposal.facts["level"]
    entry = growth.add_level(
        scheme=proposal.scheme, factor=factor, level=level, approvers=approvers, by=proposal.asked_by, at=at
    )
    return Deed(entry)


def _raise_ceiling(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    ceiling, site = proposal.facts["ceiling"], proposal.facts.get("site", "")
    entry = growth.raise_ceiling(
        scheme=proposal.scheme, ceiling=ceiling, site=site, approvers=approvers, by=proposal.asked_by, at=at
    )
    return Deed(entry)


def _allocated(proposal: Proposal) -> Allocation:
    if proposal.allocation is None:
        raise ProposalRefused("This person has not been randomised.")
    return proposal.allocation


def _flag(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    entry = exceptions.flag(
        allocation=_allocated(proposal),
        category=AllocationFlag.Category(proposal.facts["category"]),
        excludes=bool(proposal.facts.get("excludes", False)),
        reason=proposal.reason,
        by=proposal.asked_by,
        approver=approvers[0],
        at=at,
    )
    return Deed(entry)


def _correct(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    entry = exceptions.correct(
        allocation=_allocated(proposal),
        members=proposal.facts["members"],
        reason=proposal.reason,
        by=proposal.asked_by,
        approver=approvers[0],
        at=at,
    )
    return Deed(entry)


def _break_code(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    entry, _ = exceptions.break_code(proposal=proposal, by=proposal.asked_by, approver=approvers[0], at=at)
    return Deed(entry)


def unit_of(proposal: Proposal) -> UnitRequest:
    """The unit that a late entry tells of: facts `unit`, `members`, `key`, `site`, `made_at`, `software_version`."""
    facts = proposal.facts
    return UnitRequest(
        unit=facts["unit"],
        members=[Member(member["participant_id"], member["levels"]) for member in facts["members"]],
        key=facts["key"],
        by=proposal.asked_by,
        site=facts["site"],
        at=datetime.fromisoformat(facts["made_at"]),
        software_version=facts["software_version"],
    )


def _late(recorded: Recorded, scheme: Scheme) -> Deed:
    return Deed(scheme.events.get(digest=recorded.digest, seq=recorded.allocation.seq), recorded.allocation)


def _envelope(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    recorded = late.enter_envelope(
        scheme=proposal.scheme,
        request=unit_of(proposal),
        key=proposal.facts["list_key"],
        position=proposal.facts["position"],
        code=proposal.facts["code"],
        approver=approvers[0],
        entered_at=at,
    )
    return _late(recorded, proposal.scheme)


def _recover(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    recorded = late.recover(
        scheme=proposal.scheme,
        request=unit_of(proposal),
        code=proposal.facts["code"],
        approver=approvers[0],
        entered_at=at,
    )
    return _late(recorded, proposal.scheme)


def _reveal(proposal: Proposal, approvers: Approvers, at: datetime) -> Deed:
    analysis = str(proposal.facts["analysis"])
    entry = reveal.reveal(scheme=proposal.scheme, analysis=analysis, approvers=approvers, by=proposal.asked_by, at=at)
    return Deed(entry)


LOCK, REOPEN, CLOSE = "lock", "reopen", "close"
EXTEND, ADD_LEVEL, RAISE_CEILING = "extend", "add_level", "raise_ceiling"
FLAG, CORRECT, CODE_BREAK = "flag", "correct", "code_break"
BACKUP, RECOVERED, REVEAL = "backup", "recovered", "reveal"
KINDS: dict[str, Kind] = {
    LOCK: Kind("Lock the revision", 2, _lock),
    REOPEN: Kind("Go on after a restored backup", 2, _reopen),
    CLOSE: Kind("Close randomisation", 1, _close),
    EXTEND: Kind("Extend the lists", 2, _extend),
    ADD_LEVEL: Kind("Add a level", 2, _add_level),
    RAISE_CEILING: Kind("Raise the number of people", 2, _raise_ceiling),
    FLAG: Kind("Mark an allocation", 1, _flag),
    CORRECT: Kind("Correct levels", 1, _correct),
    CODE_BREAK: Kind("Break the code", 1, _break_code),
    BACKUP: Kind("Enter an emergency envelope", 1, _envelope),
    RECOVERED: Kind("Recover an allocation", 1, _recover),
    REVEAL: Kind("Reveal", 2, _reveal),
}
"""Every step that takes more than one person. A new one is a function and a line here."""
