"""What is said of an allocation afterwards: marked, corrected, never changed (randomisation.md 6.6 and section 9)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import events, margins
from randomisation.errors import LifeCycleRefused
from randomisation.models import (
    Allocation,
    AllocationFlag,
    CodeBreak,
    EventLog,
    FactorCorrection,
    Proposal,
    Scheme,
)
from randomisation.preconditions import factors_of
from randomisation.states import locked
from randomisation.unsealed import unseal

Event = EventLog.Event


@sensitive_variables()
@transaction.atomic
def flag(
    *,
    allocation: Allocation,
    category: AllocationFlag.Category,
    excludes: bool,
    reason: str,
    by: AbstractBaseUser,
    approver: AbstractBaseUser,
    at: datetime,
) -> EventLog:
    """Mark an allocation made in error; it stands. A second one of the same person no longer counts in margins.

    Raises:
        LifeCycleRefused: it is marked so already, or something other than a duplicate would be excluded (9.1, 9.2).
        SealError, ListMismatch: the margins failed their check.
    """
    scheme = locked(allocation.scheme)
    if excludes and category != AllocationFlag.Category.DUPLICATE:
        raise LifeCycleRefused("Only a second allocation of the same person is left out of the balance.")
    if allocation.flags.filter(category=category).exists():
        raise LifeCycleRefused("This allocation is marked so already.")
    before = margins.members_of(allocation)
    AllocationFlag.objects.create(
        allocation=allocation,
        category=category,
        excludes=excludes,
        by_id=by.pk,
        approved_by_id=approver.pk,
        reason=reason,
        at=at,
    )
    entry = events.append(
        scheme=scheme,
        event=Event.EXCLUDE if excludes else Event.FLAG,
        at=at,
        actor=by,
        seq=allocation.seq,
        facts={"category": str(category)},
        approvers=(approver,),
    )
    if excludes:
        _recount(scheme, allocation, before, None, entry)
    return entry


@sensitive_variables()
@transaction.atomic
def correct(
    *,
    allocation: Allocation,
    members: Sequence[Mapping[str, str]],
    reason: str,
    by: AbstractBaseUser,
    approver: AbstractBaseUser,
    at: datetime,
) -> EventLog | None:
    """Record the true levels beside the frozen ones; minimisation counts them from now on (9.3).

    Args:
        members: all levels of each member, in the order of the allocation.

    Returns:
        the entry of the log; None where the scheme keeps corrections out of its margins and so out of its log.

    Raises:
        LifeCycleRefused: a level is none of the scheme's, or nothing changes.
    """
    scheme = locked(allocation.scheme)
    before = margins.members_of(allocation)
    given = [dict(member) for member in members]
    _check_levels(allocation, given, before)
    for member, levels in zip(allocation.members.order_by("place"), given, strict=True):
        if levels != _current(member):
            FactorCorrection.objects.create(
                member=member, factors=levels, by_id=by.pk, approved_by_id=approver.pk, reason=reason, at=at
            )
    if not scheme.corrections_count:
        return None
    entry = events.append(
        scheme=scheme,
        event=Event.CORRECT,
        at=at,
        actor=by,
        seq=allocation.seq,
        facts={"members": given},
        approvers=(approver,),
    )
    _recount(scheme, allocation, before, given, entry)
    return entry


def _current(member: Any) -> dict[str, str]:
    newest = member.corrections.order_by("-at", "-pk").first()
    return dict(newest.factors if newest else member.factors)


def _check_levels(allocation: Allocation, given: list[dict[str, str]], before: list[dict[str, str]]) -> None:
    factors = factors_of(allocation.revision)
    known = {factor.code: factor.levels for factor in factors}
    if len(given) != allocation.members.count() or any(
        set(levels) != set(known) or any(levels[code] not in known[code] for code in known) for levels in given
    ):
        raise LifeCycleRefused("Give every factor one of its values, for each person.")
    if given == [_current(member) for member in allocation.members.order_by("place")]:
        raise LifeCycleRefused("These are the values on record. Nothing was changed.")


def _recount(
    scheme: Scheme,
    allocation: Allocation,
    before: Sequence[Mapping[str, str]],
    after: Sequence[Mapping[str, str]] | None,
    entry: EventLog,
) -> None:
    """Carry a change of who counts into the margins of the minimisation in force, or last in force."""
    revision = margins.carried(scheme)
    if revision is None:
        return
    unsealed = unseal(revision)
    counted = margins.load(revision, unsealed, before=entry.n)
    if after is None:
        margins.uncount(allocation, counted, revision, unsealed, members=before)
    elif not allocation.flags.filter(excludes=True).exists():
        margins.recount(allocation, counted, revision, unsealed, before, after)
    margins.store(revision, unsealed, counted, n=entry.n)


@transaction.atomic
def break_code(
    *, proposal: Proposal, by: AbstractBaseUser, approver: AbstractBaseUser, at: datetime
) -> tuple[EventLog, CodeBreak]:
    """Record that one participant's arm may be told; showing it is logged apart (6.6).

    Raises:
        LifeCycleRefused: the request is about nobody who was randomised.
    """
    allocation = proposal.allocation
    if allocation is None:
        raise LifeCycleRefused("This person has not been randomised.")
    scheme = locked(allocation.scheme)
    facts = proposal.facts
    broken = CodeBreak.objects.create(
        proposal=proposal,
        allocation=allocation,
        requested_by_id=by.pk,
        authorised_by_id=approver.pk,
        category=facts["category"],
        who_knows=facts["who_knows"],
        third_party=facts.get("third_party", ""),
        stays_in_follow_up=facts.get("stays_in_follow_up", True),
        at=at,
    )
    entry = events.append(
        scheme=scheme,
        event=Event.CODE_BREAK,
        at=at,
        actor=by,
        seq=allocation.seq,
        facts={"category": facts["category"]},
        approvers=(approver,),
    )
    return entry, broken
