"""The life of a scheme: lock, contribution, open, pause, close, extend (randomisation.md 3.4, 9, 10)."""

import secrets
from datetime import date, datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import events
from randomisation.engine.parameters import NO_CONTRIBUTION, Parameters, read_parameters
from randomisation.engine.source import (
    SECRET_BYTES,
    VERSION,
    check_scheme_code,
    commitment,
)
from randomisation.errors import LifeCycleRefused
from randomisation.events import Approvers
from randomisation.models import EventLog, Purpose, Revision, Scheme, State
from randomisation.sealed_lists import fill, fingerprints, make_lists, name_lists
from randomisation.sealing import draw_data_key
from randomisation.unsealed import unseal

MAX_ROWS = 10_000


def create_scheme(
    *,
    code: str,
    name: str,
    opens_date: date | None = None,
    closes_date: date | None = None,
    ceiling: int | None = None,
) -> Scheme:
    """A scheme with nothing locked yet.

    Raises:
        ParametersRefused: the code is not `[a-z0-9-]{1,32}`.
    """
    check_scheme_code(code)
    return Scheme.objects.create(code=code, name=name, opens_date=opens_date, closes_date=closes_date, ceiling=ceiling)


def parameters_for(scheme: Scheme, given: dict[str, Any]) -> Parameters:
    """Check the parameters a scheme's next revision would have, before anybody approves them.

    Args:
        given: arms, ratio, method, factors, the method's own keys; optionally contribution_source and
            backup_block_sizes (randomisation.md 3.3).

    Raises:
        ParametersRefused: names the parameter and the rule of section 1.
    """
    newest = scheme.revisions.order_by("-number").first()
    number = newest.number + 1 if newest else 1
    return read_parameters(
        {
            "contribution_source": NO_CONTRIBUTION,
            **given,
            "algorithm": VERSION,
            "scheme": scheme.code,
            "revision": number,
        }
    )


@sensitive_variables()
@transaction.atomic
def lock_scheme(
    *,
    scheme: Scheme,
    parameters: dict[str, Any],
    rows_per_stratum: int,
    approvers: Approvers,
    by: AbstractBaseUser,
    at: datetime,
    backup_rows: int = 0,
) -> Revision:
    """Lock the parameters as the scheme's next revision, and draw its secret, once.

    The lists are made and sealed here unless a contribution is to come (3.4).

    Args:
        parameters: as for parameters_for().
        rows_per_stratum: least length of each stratum's list, in allocations.
        backup_rows: least length of each emergency list; needs backup_block_sizes.

    Raises:
        ParametersRefused: a rule of section 1 is broken.
        LifeCycleRefused: the approvers are not two people, or a length is out of range.
        SealError: E_SEAL_KEY, no key to seal with.
    """
    scheme = _locked(scheme)
    checked = parameters_for(scheme, parameters)
    _check_approvers(approvers)
    _check_length(rows_per_stratum)
    if (checked.backup_block_sizes is not None) != (backup_rows > 0):
        raise LifeCycleRefused("Emergency lists need block sizes of their own and a length.")
    _check_length(backup_rows or 1)
    revision = _draw_revision(scheme, checked, by=by, at=at)
    name_lists(revision, checked, rows_per_stratum, backup_rows)
    if checked.contribution_source == NO_CONTRIBUTION:
        make_lists(revision, "")
    events.append(
        scheme=scheme,
        event=EventLog.Event.LOCK,
        at=at,
        actor=by,
        facts={
            "revision": revision.number,
            "commitment": revision.commitment,
            "fingerprints": fingerprints(revision),
        },
        approvers=approvers,
    )
    return revision


@sensitive_variables()
@transaction.atomic
def record_contribution(*, revision: Revision, contribution: str, by: AbstractBaseUser, at: datetime) -> Revision:
    """Record the contribution that became known after the commitment was published, and make the lists (3.2).

    Raises:
        LifeCycleRefused: the revision has its contribution already, or the text is empty.
        ParametersRefused: more than 512 UTF-8 bytes.
    """
    scheme = _locked(revision.scheme)
    revision = scheme.revisions.get(pk=revision.pk)
    if revision.contribution_sealed or not contribution:
        raise LifeCycleRefused("The contribution is recorded once, and cannot be empty.")
    make_lists(revision, contribution)
    events.append(
        scheme=scheme,
        event=EventLog.Event.CONTRIBUTION,
        at=at,
        actor=by,
        facts={"revision": revision.number, "fingerprints": fingerprints(revision)},
        token=revision.contribution_sealed,
    )
    return revision


@transaction.atomic
def open_scheme(*, scheme: Scheme, by: AbstractBaseUser, at: datetime, number: int | None = None) -> Revision:
    """Open a locked or paused revision; the one in force until then is closed (section 10).

    Args:
        number: which revision; the newest if not said.

    Raises:
        LifeCycleRefused: there is none, it is open or closed already, or its contribution is awaited.
    """
    scheme = _locked(scheme)
    candidates = scheme.revisions.filter(number=number) if number else scheme.revisions.order_by("-number")
    revision = candidates.first()
    if revision is None or revision.state not in (State.LOCKED, State.PAUSED):
        raise LifeCycleRefused("Only a locked or paused scheme can be opened.")
    if not revision.contribution_sealed:
        raise LifeCycleRefused("The scheme cannot be opened before its contribution is recorded.")
    in_force = scheme.revision_in_force
    if in_force is not None and in_force != revision:
        _move(in_force, State.CLOSED, event=EventLog.Event.CLOSE, by=by, at=at)
    return _move(revision, State.OPEN, event=EventLog.Event.OPEN, by=by, at=at)


@transaction.atomic
def pause_scheme(*, scheme: Scheme, reason: str, by: AbstractBaseUser, at: datetime) -> Revision:
    """Stop allocations at once; the scheme can be opened again (9.9).

    Raises:
        LifeCycleRefused: the scheme is not open, or no reason is given.
    """
    scheme = _locked(scheme)
    revision = scheme.revision_in_force
    if revision is None or revision.state != State.OPEN or not reason.strip():
        raise LifeCycleRefused("Only an open scheme can be paused, with a reason.")
    return _move(revision, State.PAUSED, event=EventLog.Event.PAUSE, by=by, at=at, reason=reason)


@transaction.atomic
def close_scheme(*, scheme: Scheme, reason: str, by: AbstractBaseUser, at: datetime) -> Revision:
    """Stop allocations of the revision in force for good.

    Raises:
        LifeCycleRefused: no revision is open or paused, or no reason is given.
    """
    scheme = _locked(scheme)
    revision = scheme.revision_in_force
    if revision is None or not reason.strip():
        raise LifeCycleRefused("Only an open or paused scheme can be closed, with a reason.")
    return _move(revision, State.CLOSED, event=EventLog.Event.CLOSE, by=by, at=at, reason=reason)


@sensitive_variables()
@transaction.atomic
def extend(
    *, scheme: Scheme, rows_per_stratum: int, approvers: Approvers, by: AbstractBaseUser, at: datetime
) -> Revision:
    """Lengthen every main list of the revision in force: the same stream, longer (9.8).

    Raises:
        LifeCycleRefused: nothing is in force, not two approvers, or the length is out of range.
        ListMismatch: a list no longer has the fingerprint it was sealed with.
        SealError: no usable key, or a sealed value was altered.
    """
    scheme = _locked(scheme)
    revision = scheme.revision_in_force
    if revision is None:
        raise LifeCycleRefused("Only an open or paused scheme can be extended.")
    _check_approvers(approvers)
    _check_length(rows_per_stratum)
    unsealed = unseal(revision)
    for cursor in revision.cursors.select_for_update().filter(purpose=Purpose.LIST).order_by("pk"):
        cursor.rows_requested = max(cursor.rows_requested, rows_per_stratum)
        fill(cursor, unsealed)
    events.append(
        scheme=scheme,
        event=EventLog.Event.EXTEND,
        at=at,
        actor=by,
        facts={
            "revision": revision.number,
            "rows_per_stratum": rows_per_stratum,
            "fingerprints": fingerprints(revision),
        },
        approvers=approvers,
    )
    return revision


def _locked(scheme: Scheme) -> Scheme:
    return Scheme.objects.select_for_update().get(pk=scheme.pk)


def _check_approvers(approvers: Approvers) -> None:
    first, second = approvers
    if first.pk == second.pk:
        raise LifeCycleRefused("Two different people must approve this.")


def _check_length(n_rows: int) -> None:
    if not 1 <= n_rows <= MAX_ROWS:
        raise LifeCycleRefused(f"A list must have 1 to {MAX_ROWS:,} rows.")


def _draw_revision(scheme: Scheme, parameters: Parameters, *, by: AbstractBaseUser, at: datetime) -> Revision:
    seal, wrapped = draw_data_key()
    secret = secrets.token_bytes(SECRET_BYTES)
    canonical = parameters.canonical()
    return Revision.objects.create(
        scheme=scheme,
        number=parameters.revision,
        params_public=parameters.public(),
        params_sealed=seal.seal(canonical),
        secret_sealed=seal.seal(secret),
        data_key_wrapped=wrapped,
        commitment=commitment(secret, canonical),
        locked_at=at,
        locked_by_id=by.pk,
    )


def _move(
    revision: Revision,
    state: State,
    *,
    event: EventLog.Event,
    by: AbstractBaseUser,
    at: datetime,
    reason: str = "",
) -> Revision:
    revision.state = state
    revision.save(update_fields=["state"])
    facts: dict[str, object] = {"revision": revision.number, **({"reason": reason} if reason else {})}
    events.append(scheme=revision.scheme, event=event, at=at, actor=by, facts=facts)
    return revision
