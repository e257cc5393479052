"""The reveal as the trial takes it: conditions, asking, the package, and its verification (randomisation.md 3.4)."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.views.decorators.debug import sensitive_variables

from randomisation import pack, proposals
from randomisation import reveal as services
from randomisation.engine.findings import Report
from randomisation.engine.replay import verify
from randomisation.models import BEFORE_LOCK, ENDED, EventLog, Proposal, Revision, Scheme, State
from trial.access.models import AccessEvent, User
from trial.allocation.errors import AllocationRefused
from trial.allocation.schemes import told
from trial.base.words import date_and_time


@dataclass(frozen=True)
class Condition:
    """One condition of the reveal, whether it holds, and by whom."""

    text: str
    holds: bool
    detail: str = ""


def conditions(scheme: Scheme) -> list[Condition]:
    """What must hold before anybody can ask: recruitment over in every revision, closed by two people."""
    revisions = _locked(scheme)
    found = [
        Condition(f"Revision {revision.number} is closed", revision.state in ENDED, _closed_when(revision))
        for revision in revisions
    ]
    if not revisions:
        return [Condition("A revision was locked, used and closed", holds=False)]
    return [*found, _two_people(scheme)]


def _locked(scheme: Scheme) -> list[Revision]:
    return list(scheme.revisions.exclude(state__in=BEFORE_LOCK).order_by("number"))


def _closed_when(revision: Revision) -> str:
    entry = _closing(revision.scheme, revision.number)
    return date_and_time(entry.at) if entry else revision.get_state_display()


def _closing(scheme: Scheme, number: int) -> EventLog | None:
    entries = scheme.events.filter(event=EventLog.Event.CLOSE).select_related("actor", "first_approver").order_by("-n")
    return next((e for e in entries if e.facts.get("revision") == number and "site" not in e.facts), None)


def _two_people(scheme: Scheme) -> Condition:
    entry = _closing(scheme, _locked(scheme)[-1].number)
    text = "Recruitment was closed by two people"
    if entry is None or entry.first_approver is None:
        return Condition(text, holds=False)
    return Condition(text, holds=True, detail=f"{entry.actor} and {entry.first_approver}, {date_and_time(entry.at)}")


def is_revealed(scheme: Scheme) -> bool:
    """Whether secret and arms may be given out."""
    revisions = _locked(scheme)
    return bool(revisions) and all(revision.state == State.REVEALED for revision in revisions)


def waiting(scheme: Scheme) -> Proposal | None:
    """The request that waits for approvals, if there is one."""
    return scheme.proposals.filter(kind=proposals.REVEAL, state=Proposal.State.ASKED).first()


def ask(*, scheme: Scheme, analysis: str, reason: str, by: User, at: datetime) -> Proposal:
    """Ask two others to approve the reveal (VERIFY_REVEAL).

    Args:
        analysis: where the signed-off blinded primary analysis is found.

    Raises:
        AllocationRefused: a condition does not hold, or it is asked for already.
    """
    lacking = [condition.text for condition in conditions(scheme) if not condition.holds]
    if lacking:
        raise AllocationRefused(f"It cannot be asked for yet. Not so: {'; '.join(lacking)}.")
    if is_revealed(scheme) or waiting(scheme):
        raise AllocationRefused("The reveal has been asked for already.")
    with told():
        return proposals.ask(
            scheme=scheme, kind=proposals.REVEAL, facts={"analysis": analysis}, reason=reason, by=by, at=at
        )


@sensitive_variables()
def package(*, scheme: Scheme, by: User, at: datetime) -> dict[str, Any]:
    """Everything that lets anybody derive every allocation again; the access is logged twice (VERIFY_REVEAL).

    Raises:
        AllocationRefused: the scheme is not revealed, or cannot be opened.
    """
    with told():
        found = services.package(scheme=scheme, by=by, at=at)
    record = f"Package of scheme {scheme.code}"
    AccessEvent(user=by, role=by.role_code, kind=AccessEvent.Kind.EXPORTED, record=record, at=at).save()
    return found


@sensitive_variables()
def verification(scheme: Scheme) -> Report:
    """Every allocation of a revealed scheme computed again from its package.

    Raises:
        AllocationRefused: the scheme is not revealed, or cannot be opened.
    """
    if not is_revealed(scheme):
        raise AllocationRefused("The scheme is not revealed.")
    with told():
        return verify(services.contents(scheme, _locked(scheme)))


def verifier() -> bytes:
    """The stand-alone verifier in one file; the same sources give the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "hedgerow-verify.pyz"
        pack.pack(target)
        return target.read_bytes()
