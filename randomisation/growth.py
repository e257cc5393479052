"""More rows, levels and people, and other keys: no allocation is altered (randomisation.md 1, 6.2, 9)."""

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import events, margins
from randomisation.drafts import check_length
from randomisation.engine.parameters import Parameters
from randomisation.errors import LifeCycleRefused
from randomisation.events import Approvers, check_approvers
from randomisation.models import BEFORE_LOCK, AddedLevel, EventLog, Purpose, Revision, Scheme, SchemeSite
from randomisation.sealed_lists import fill_all, fingerprints, name_lists
from randomisation.sealing import is_current, rewrap
from randomisation.states import locked
from randomisation.unsealed import Unsealed, unseal

Event = EventLog.Event


@sensitive_variables()
@transaction.atomic
def extend(
    *, scheme: Scheme, rows_per_stratum: int, approvers: Approvers, by: AbstractBaseUser, at: datetime
) -> EventLog:
    """Lengthen every main list of the revision in force: the same stream, longer (9.8).

    Raises:
        LifeCycleRefused: nothing is in force, it has no derived lists, not two approvers, or an impossible length.
        ListMismatch: a list no longer has the fingerprint it was sealed with.
        SealError: no usable key, or a sealed value was altered.
    """
    scheme = locked(scheme)
    revision = _in_force(scheme)
    check_approvers(approvers)
    check_length(rows_per_stratum)
    unsealed = unseal(revision)
    if unsealed.parameters.method in ("import", "minimisation"):
        raise LifeCycleRefused("Only lists that come from the secret can be extended. Start a new revision.")
    cursors = list(revision.cursors.select_for_update().filter(purpose=Purpose.LIST).order_by("pk"))
    for cursor in cursors:
        cursor.rows_requested = max(cursor.rows_requested, rows_per_stratum)
    fill_all(revision, unsealed, cursors)
    facts = {
        "revision": revision.number,
        "rows_per_stratum": rows_per_stratum,
        "fingerprints": fingerprints(revision),
    }
    return events.append(scheme=scheme, event=Event.EXTEND, at=at, actor=by, facts=facts, approvers=approvers)


@sensitive_variables()
@transaction.atomic
def add_level(
    *, scheme: Scheme, factor: str, level: str, approvers: Approvers, by: AbstractBaseUser, at: datetime
) -> EventLog:
    """Append a level to a factor's list, such as a new site; its strata get lists of their own (section 1).

    Raises:
        LifeCycleRefused: nothing is in force, not two approvers, or the lists were imported.
        ParametersRefused: no such factor, no code, or a level that is there.
        SealError: no usable key, or a sealed value was altered.
    """
    scheme = locked(scheme)
    revision = _in_force(scheme)
    check_approvers(approvers)
    before = unseal(revision)
    if before.parameters.method == "import":
        raise LifeCycleRefused("An imported list has no rows for a new level. Start a new revision with a new file.")
    before.parameters.with_levels({factor: [level]})
    AddedLevel.objects.create(revision=revision, factor=factor, level=level)
    after = unseal(revision)
    _add_lists(revision, after.parameters, after)
    facts = {"revision": revision.number, "factor": factor, "level": level, "fingerprints": fingerprints(revision)}
    entry = events.append(scheme=scheme, event=Event.ADD_LEVEL, at=at, actor=by, facts=facts, approvers=approvers)
    if after.is_minimisation:
        margins.store(revision, after, margins.rebuilt(scheme, revision, after).margins, n=entry.n)
    return entry


def _add_lists(revision: Revision, parameters: Parameters, unsealed: Unsealed) -> None:
    longest = revision.cursors.filter(purpose=Purpose.LIST).order_by("-rows_requested").first()
    name_lists(
        revision, parameters, longest.rows_requested if longest else revision.rows_per_stratum, revision.backup_rows
    )
    fill_all(revision, unsealed, revision.cursors.filter(n_rows=0).order_by("pk"))


@transaction.atomic
def raise_ceiling(
    *, scheme: Scheme, ceiling: int, site: str, approvers: Approvers, by: AbstractBaseUser, at: datetime
) -> EventLog:
    """Let more people be randomised, in all or at one site; a ceiling is never lowered (9.5, E_TARGET).

    Raises:
        LifeCycleRefused: it is not higher than now, nothing is locked, or not two approvers.
    """
    scheme = locked(scheme)
    check_approvers(approvers)
    row: Scheme | SchemeSite = scheme
    if site:
        row = SchemeSite.objects.filter(scheme=scheme, site=site).first() or SchemeSite(scheme=scheme, site=site)
    if row.ceiling is not None and ceiling <= row.ceiling:
        raise LifeCycleRefused("A ceiling is only raised.")
    row.ceiling = ceiling
    row.save()
    newest = scheme.revisions.exclude(state__in=BEFORE_LOCK).order_by("-number").first()
    if newest is None:
        raise LifeCycleRefused("The scheme is not locked yet: configure the number of people.")
    facts: dict[str, object] = {"revision": newest.number, "ceiling": ceiling, "fingerprints": {}}
    facts |= {"site": site} if site else {}
    return events.append(scheme=scheme, event=Event.EXTEND, at=at, actor=by, facts=facts, approvers=approvers)


@sensitive_variables()
@transaction.atomic
def rotate_keys(*, by: AbstractBaseUser | None, at: datetime) -> int:
    """Wrap the keys of every revision again with the first key of the list; no token is touched (6.2).

    Args:
        by: who does it; the person who locked each revision is named where nobody is given.

    Returns:
        how many revisions were wrapped again. Stopped half-way, nothing is changed.

    Raises:
        SealError: E_SEAL_KEY, no key of the list opens one of them.
    """
    n_wrapped = 0
    for scheme in Scheme.objects.select_for_update().order_by("pk"):
        changed = [revision.number for revision in scheme.revisions.order_by("number") if _rewrap(revision)]
        n_wrapped += len(changed)
        newest = events.newest(scheme)
        if changed and newest:
            actor = by or newest.actor
            facts: dict[str, object] = {"revisions": changed}
            events.append(scheme=scheme, event=Event.ROTATE, at=at, actor=actor, facts=facts)
    return n_wrapped


def _rewrap(revision: Revision) -> bool:
    """Whether one of the revision's two keys was still wrapped by an older key."""
    columns = ["draft_key_wrapped", "data_key_wrapped"]
    old = [name for name in columns if getattr(revision, name) and not is_current(getattr(revision, name))]
    for name in old:
        setattr(revision, name, rewrap(getattr(revision, name)))
    if old:
        revision.save(update_fields=old)
    return bool(old)


def _in_force(scheme: Scheme) -> Revision:
    revision = scheme.revision_in_force
    if revision is None:
        raise LifeCycleRefused("Only an open or paused scheme can be changed.")
    return revision
