"""Opening, pausing and closing a scheme or a site of it, and what is asked for meanwhile (randomisation.md 9, 10)."""

from datetime import datetime
from typing import Any

from django.db import transaction

from randomisation import high_water, proposals, states
from randomisation.high_water import Standing
from randomisation.models import Proposal, Scheme, SchemeSite, State
from trial.access.models import Site, User
from trial.access.policy import Action
from trial.allocation.errors import AllocationRefused
from trial.allocation.schemes import told

LEAK = "Suspected leak: "
"""What the reason of a pause begins with where a list or key may be known (9.10)."""


def pause_scheme(*, scheme: Scheme, reason: str, by: User, at: datetime) -> None:
    """Stop allocations at once (OPERATE_SCHEME).

    Raises:
        AllocationRefused: it is not open.
    """
    with told():
        states.pause_scheme(scheme=scheme, reason=reason, by=by, at=at)


def pause_for_leak(*, reason: str, by: User, at: datetime) -> list[Scheme]:
    """Pause every open scheme and record the incident in each of their logs (9.10).

    Raises:
        AllocationRefused: no scheme is open, so there is nothing to stop.
    """
    with told(), transaction.atomic():
        paused = states.pause_all(reason=f"{LEAK}{reason}", by=by, at=at)
    if not paused:
        raise AllocationRefused("No scheme is open, so nothing was paused. Start a new revision of each scheme.")
    return paused


def move_site(*, scheme: Scheme, site: Site, state: str, reason: str, by: User, at: datetime) -> None:
    """Open, pause or close randomisation at one site; an investigator pauses their own only (9.9).

    Raises:
        AllocationRefused: not theirs, no change, not locked yet, or the site was closed for good.
    """
    wanted = SchemeSite.State(state)
    if wanted not in states_for(by, site):
        raise AllocationRefused("At your own site you can pause. The trial manager opens it again or closes it.")
    if not scheme.events.exists():
        raise AllocationRefused("The scheme is not locked yet.")
    with told():
        states.move_site(scheme=scheme, site=site.code, state=wanted, reason=reason, by=by, at=at)


def states_for(user: User, site: Site) -> list[SchemeSite.State]:
    """The states that this person may give randomisation at a site."""
    if user.access.may(Action.OPERATE_SCHEME):
        return list(SchemeSite.State)
    return [SchemeSite.State.PAUSED] if user.access.may(Action.PAUSE_SITE, site) else []


def ask(
    *, scheme: Scheme, kind: str, facts: dict[str, Any], reason: str, by: User, at: datetime, site: str = ""
) -> Proposal:
    """Ask for a step that others approve (OPERATE_SCHEME).

    Raises:
        AllocationRefused: the same waits already.
    """
    with told():
        return proposals.ask(scheme=scheme, kind=kind, facts=facts, reason=reason, by=by, at=at, site=site)


@transaction.atomic
def ask_reopen(*, scheme: Scheme, reason: str, by: User, at: datetime) -> Proposal:
    """Ask that randomisation goes on in a database that was restored; it stands still until then (9.15).

    Raises:
        AllocationRefused: the database is level with its mark, lacks allocations, or nothing is in force.
    """
    standing = high_water.compare(scheme)
    if standing is Standing.LEVEL:
        raise AllocationRefused("The database is level with its high-water mark: open the scheme as usual.")
    if standing is Standing.BEHIND:
        n_lost = high_water.n_lost(scheme)
        raise AllocationRefused(f"{n_lost} allocations are missing from the database. Recover them first.")
    if scheme.state == State.OPEN:
        pause_scheme(scheme=scheme, reason="high-water mark", by=by, at=at)
    return ask(scheme=scheme, kind=proposals.REOPEN, facts={}, reason=reason, by=by, at=at)
