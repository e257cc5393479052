"""The reveal: after the end, everything that lets anybody derive every allocation again (randomisation.md 3.4)."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import events
from randomisation.engine.source import VERSION
from randomisation.errors import LifeCycleRefused
from randomisation.events import Approvers, check_approvers
from randomisation.models import BEFORE_LOCK, Allocation, ArmAccessLog, EventLog, Revision, Scheme, State
from randomisation.sealing import unwrap
from randomisation.states import locked
from randomisation.unsealed import Unsealed, unseal

FORMAT = "trial-randomisation package"


@transaction.atomic
def reveal(*, scheme: Scheme, analysis: str, approvers: Approvers, by: AbstractBaseUser, at: datetime) -> EventLog:
    """Let the package be made: recruitment is over in every revision, and the blinded analysis is signed off.

    Args:
        analysis: where the sign-off of the blinded primary analysis is found.

    Raises:
        LifeCycleRefused: a revision is not closed, or not two approvers, or no analysis is named.
    """
    scheme = locked(scheme)
    check_approvers(approvers)
    revisions = list(scheme.revisions.exclude(state__in=BEFORE_LOCK))
    if not analysis.strip():
        raise LifeCycleRefused("Name the signed-off blinded analysis first.")
    if not revisions or any(revision.state != State.CLOSED for revision in revisions):
        raise LifeCycleRefused("Every revision must be closed, and none revealed, before the reveal.")
    for revision in revisions:
        revision.state = State.REVEALED
        revision.save(update_fields=["state"])
    facts: dict[str, object] = {"revisions": [revision.number for revision in revisions], "analysis": analysis}
    return events.append(scheme=scheme, event=EventLog.Event.REVEAL, at=at, actor=by, facts=facts, approvers=approvers)


@sensitive_variables()
@transaction.atomic
def package(*, scheme: Scheme, by: AbstractBaseUser, at: datetime) -> dict[str, Any]:
    """Secrets, parameters, log and arms of a revealed scheme, for the stand-alone verifier. The access is logged.

    Raises:
        LifeCycleRefused: the scheme is not revealed.
        SealError: no usable key, or a sealed value was altered.
    """
    revisions = list(scheme.revisions.exclude(state__in=BEFORE_LOCK).order_by("number"))
    if not revisions or any(revision.state != State.REVEALED for revision in revisions):
        raise LifeCycleRefused("The scheme is not revealed.")
    ArmAccessLog.objects.create(
        scheme=scheme, by_id=by.pk, at=at, reason="Package of the reveal", n_arms=scheme.allocations.count()
    )
    return contents(scheme, revisions)


@sensitive_variables()
def contents(
    scheme: Scheme,
    revisions: list[Revision],
    *,
    arm_of: Callable[[Allocation, Unsealed], str] = lambda allocation, unsealed: unsealed.arm_code(allocation),
) -> dict[str, Any]:
    """The package of these revisions. Before the reveal, for checks inside the product only."""
    opened = {revision.pk: unseal(revision) for revision in revisions if revision.contribution_sealed}
    return {
        "format": FORMAT,
        "version": VERSION,
        "scheme": scheme.code,
        "name": scheme.name,
        "revisions": [_revision(revision) for revision in revisions],
        "events": [
            {"entry": entry, "digest": digest}
            for entry, digest in scheme.events.order_by("n").values_list("entry", "digest")
        ],
        "allocations": [
            {"seq": allocation.seq, "arm": arm_of(allocation, opened[allocation.revision_id])}
            for allocation in scheme.allocations.order_by("seq")
        ],
    }


def _revision(revision: Revision) -> dict[str, Any]:
    """One revision; one that was closed while it waited for its contribution has neither that nor lists."""
    seal, contribution = unwrap(revision.data_key_wrapped), revision.contribution_sealed
    imported = seal.open(revision.import_sealed).decode("utf-8") if revision.import_sealed else None
    return {
        "number": revision.number,
        "params": json.loads(seal.open(revision.params_sealed)),
        "secret": seal.open(revision.secret_sealed).hex(),
        "contribution": seal.open(contribution).decode("utf-8") if contribution else "",
        "commitment": revision.commitment,
        "import_file": imported,
        "lists": [
            {"purpose": c.purpose, "key": c.key, "n_rows": c.n_rows, "fingerprint": c.fingerprint}
            for c in revision.cursors.exclude(fingerprint="").order_by("pk")
        ],
    }
