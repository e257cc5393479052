"""Open, pause and close a scheme or one site of it (randomisation.md 9.9 and section 10)."""

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import events, high_water
from randomisation.errors import LifeCycleRefused
from randomisation.events import Approvers
from randomisation.margins import start_margins
from randomisation.models import EventLog, Revision, Scheme, SchemeSite, State

Event = EventLog.Event


@sensitive_variables()
@transaction.atomic
def open_scheme(
    *,
    scheme: Scheme,
    by: AbstractBaseUser,
    at: datetime,
    number: int | None = None,
    approvers: Approvers | None = None,
) -> Revision:
    """Open the newest locked revision, which closes the one before; or go on after a pause.

    Args:
        number: of the revision, to let a paused one go on although a newer one waits.
        approvers: the two people who let a scheme go on that was found behind its high-water mark (9.15).

    Raises:
        LifeCycleRefused: there is nothing to open, lists are not made, or the database is behind its mark.
        SealError: no usable key.
    """
    scheme = locked(scheme)
    in_force = scheme.revision_in_force
    waiting = scheme.revisions.filter(state=State.LOCKED).order_by("-number").first()
    revision = scheme.revisions.filter(number=number).first() if number else waiting or in_force
    if revision is None or revision.state not in (State.LOCKED, State.PAUSED):
        raise LifeCycleRefused("There is no locked or paused revision to open.")
    if not revision.contribution_sealed:
        raise LifeCycleRefused("The contribution is not recorded yet, so there are no lists.")
    _check_mark(scheme, approvers)
    if in_force and in_force.pk != revision.pk:
        _move(in_force, State.CLOSED, event=Event.CLOSE, by=by, at=at)
    is_new = revision.state == State.LOCKED
    opened = _move(revision, State.OPEN, event=Event.OPEN, by=by, at=at, approvers=approvers)
    if is_new:
        start_margins(scheme, opened)
    if approvers:
        transaction.on_commit(lambda: high_water.reset(scheme))
    return opened


def _check_mark(scheme: Scheme, approvers: Approvers | None) -> None:
    state = high_water.compare(scheme)
    if state is high_water.Standing.BEHIND:
        raise LifeCycleRefused("The database lacks allocations that were made. Recover them first.")
    if state is not high_water.Standing.LEVEL and approvers is None:
        raise LifeCycleRefused("The high-water mark does not fit. Two people must approve that randomisation goes on.")


@transaction.atomic
def pause_scheme(*, scheme: Scheme, reason: str, by: AbstractBaseUser, at: datetime) -> Revision:
    """Stop allocations at once; the scheme can be opened again (9.9).

    Raises:
        LifeCycleRefused: the scheme is not open, or no reason is given.
    """
    scheme = locked(scheme)
    revision = scheme.revision_in_force
    if revision is None or revision.state != State.OPEN or not reason.strip():
        raise LifeCycleRefused("Only an open scheme can be paused, with a reason.")
    return _move(revision, State.PAUSED, event=Event.PAUSE, by=by, at=at, reason=reason)


def pause_all(*, reason: str, by: AbstractBaseUser, at: datetime) -> list[Scheme]:
    """Pause every open scheme: a database that fell behind is wrong for all of them (9.15)."""
    found = Scheme.objects.filter(revisions__state=State.OPEN).order_by("pk")
    for scheme in found:
        pause_scheme(scheme=scheme, reason=reason, by=by, at=at)
    return list(found)


@transaction.atomic
def close_scheme(
    *, scheme: Scheme, reason: str, by: AbstractBaseUser, at: datetime, approvers: Approvers | None = None
) -> Revision:
    """Stop allocations of the revision in force for good, and of one that waits; two people close recruitment (3.4).

    Raises:
        LifeCycleRefused: no revision is open or paused, or no reason is given.
    """
    scheme = locked(scheme)
    revision = scheme.revision_in_force
    if revision is None or not reason.strip():
        raise LifeCycleRefused("Only an open or paused scheme can be closed, with a reason.")
    # A revision that only waits would keep the scheme from its reveal for ever.
    for waiting in scheme.revisions.filter(state=State.LOCKED).order_by("number"):
        _move(waiting, State.CLOSED, event=Event.CLOSE, by=by, at=at, reason=reason, approvers=approvers)
    return _move(revision, State.CLOSED, event=Event.CLOSE, by=by, at=at, reason=reason, approvers=approvers)


_SITE_EVENTS = {
    SchemeSite.State.OPEN: Event.OPEN,
    SchemeSite.State.PAUSED: Event.PAUSE,
    SchemeSite.State.CLOSED: Event.CLOSE,
}


@transaction.atomic
def move_site(
    *, scheme: Scheme, site: str, state: SchemeSite.State, reason: str, by: AbstractBaseUser, at: datetime
) -> SchemeSite:
    """Open, pause or close randomisation at one site; the other sites go on (9.9).

    Raises:
        LifeCycleRefused: no reason, no change, the site was closed for good, or the scheme is not locked.
    """
    scheme = locked(scheme)
    if not scheme.events.exists():
        raise LifeCycleRefused("The scheme is not locked yet, so its log has not begun.")
    row = SchemeSite.objects.filter(scheme=scheme, site=site).first() or SchemeSite(scheme=scheme, site=site)
    if not reason.strip() or (row.pk and row.state == state) or row.state == SchemeSite.State.CLOSED:
        raise LifeCycleRefused("A site is opened, paused or closed with a reason, and stays closed.")
    row.state = state
    row.save()
    events.append(
        scheme=scheme, event=_SITE_EVENTS[state], at=at, actor=by, facts={"site": site, "reason": reason.strip()}
    )
    return row


def locked(scheme: Scheme) -> Scheme:
    """The scheme, its row locked for the rest of the transaction."""
    return Scheme.objects.select_for_update().get(pk=scheme.pk)


def _move(
    revision: Revision,
    state: State,
    *,
    event: EventLog.Event,
    by: AbstractBaseUser,
    at: datetime,
    reason: str = "",
    approvers: Approvers | None = None,
) -> Revision:
    revision.state = state
    revision.save(update_fields=["state"])
    facts: dict[str, object] = {"revision": revision.number, **({"reason": reason} if reason else {})}
    events.append(scheme=revision.scheme, event=event, at=at, actor=by, facts=facts, approvers=approvers)
    return revision
