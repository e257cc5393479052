"""The lock: secret, commitment, lists; and the contribution that may follow it (randomisation.md section 3)."""

import secrets
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import events
from randomisation.drafts import check_list_file, check_randomises_nobody, draft_parameters
from randomisation.engine.parameters import NO_CONTRIBUTION, Parameters
from randomisation.engine.source import SECRET_BYTES, commitment
from randomisation.errors import LifeCycleRefused
from randomisation.events import Approvers, check_approvers
from randomisation.models import ContributionPart, EventLog, Revision, Scheme, State
from randomisation.sealed_lists import fingerprints, make_lists, name_lists
from randomisation.sealing import Seal, draw_data_key, unwrap

TWO_TEXTS = "text of the sponsor's representative, a line feed, text of the independent statistician"
"""How a two-person contribution is joined; written into `contribution_source` before the lock (3.2)."""


@sensitive_variables()
@transaction.atomic
def lock(*, revision: Revision, approvers: Approvers, by: AbstractBaseUser, at: datetime) -> Revision:
    """Lock a tested revision and draw its secret, once (3.1).

    The lists are made and sealed here unless a contribution is to come (3.4).

    Raises:
        LifeCycleRefused: its acceptance test is not signed, not two approvers, or one who randomises people.
        ImportRefused: the imported list breaks a rule of 4.6.
        SealError: E_SEAL_KEY, no key to seal with.
    """
    scheme = Scheme.objects.select_for_update().get(pk=revision.scheme_id)
    revision = scheme.revisions.get(pk=revision.pk)
    if revision.state != State.TESTED:
        raise LifeCycleRefused("Only a revision whose acceptance test is signed can be locked.")
    check_approvers(approvers)
    check_randomises_nobody(scheme, *approvers)
    parameters, list_file = draft_parameters(revision), _draft_file(revision)
    check_list_file(parameters, list_file, revision.rows_per_stratum, revision.reason)
    seal = _draw(revision, parameters, by=by, at=at)
    revision.import_sealed = seal.seal(list_file) if list_file is not None else ""
    revision.save()
    name_lists(revision, parameters, revision.rows_per_stratum, revision.backup_rows)
    if parameters.contribution_source == NO_CONTRIBUTION:
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


def _draft_file(revision: Revision) -> bytes | None:
    if not revision.import_sealed:
        return None
    return unwrap(revision.draft_key_wrapped).open(revision.import_sealed)


def _draw(revision: Revision, parameters: Parameters, *, by: AbstractBaseUser, at: datetime) -> Seal:
    seal, wrapped = draw_data_key()
    secret = secrets.token_bytes(SECRET_BYTES)
    canonical = parameters.canonical()
    revision.state = State.LOCKED
    revision.params_sealed = seal.seal(canonical)
    revision.secret_sealed = seal.seal(secret)
    revision.data_key_wrapped = wrapped
    revision.commitment = commitment(secret, canonical)
    revision.locked_at, revision.locked_by_id = at, by.pk
    return seal


@sensitive_variables()
@transaction.atomic
def record_contribution(*, revision: Revision, contribution: str, by: AbstractBaseUser, at: datetime) -> Revision:
    """Record the contribution that became known after the commitment was published, and make the lists (3.2).

    Raises:
        LifeCycleRefused: the revision is not locked or has its contribution already, or the text is empty.
        ParametersRefused: more than 512 UTF-8 bytes.
    """
    scheme = Scheme.objects.select_for_update().get(pk=revision.scheme_id)
    revision = scheme.revisions.get(pk=revision.pk)
    if revision.state != State.LOCKED or revision.contribution_sealed or not contribution:
        raise LifeCycleRefused("The contribution is recorded once, after the lock, and cannot be empty.")
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


@sensitive_variables()
@transaction.atomic
def add_contribution_part(
    *, revision: Revision, part: int, text: str, by: AbstractBaseUser, at: datetime
) -> ContributionPart:
    """Keep one of the two texts; with the second the contribution is joined, recorded and the lists are made (3.2).

    Args:
        part: 1 the sponsor's representative, 2 the independent statistician.

    Raises:
        LifeCycleRefused: no such part is awaited, by the same person, or the text is empty.
        ParametersRefused: the two texts together have more than 512 UTF-8 bytes.
    """
    revision = Revision.objects.select_for_update().get(pk=revision.pk)
    if revision.params_public.get("contribution_source") != TWO_TEXTS or revision.state != State.LOCKED:
        raise LifeCycleRefused("No text is awaited for this revision.")
    if not text or part not in (1, 2):
        raise LifeCycleRefused("The text cannot be empty.")
    there = {kept.part: kept for kept in revision.contribution_parts.all()}
    if part in there or any(kept.by_id == by.pk for kept in there.values()):
        raise LifeCycleRefused("Each text is given once, and by two different people.")
    seal = unwrap(revision.data_key_wrapped)
    there[part] = ContributionPart.objects.create(
        revision=revision, part=part, text_sealed=seal.seal(text.encode("utf-8")), by_id=by.pk, at=at
    )
    if len(there) == 2:
        texts = [seal.open(there[number].text_sealed).decode("utf-8") for number in (1, 2)]
        record_contribution(revision=revision, contribution="\n".join(texts), by=by, at=at)
    return there[part]
