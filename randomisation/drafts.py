"""Preparing a revision: configure, simulate, test (randomisation.md sections 1 and 10)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation.engine.imported import read_list
from randomisation.engine.parameters import NO_CONTRIBUTION, Parameters, needs_reason, read_parameters
from randomisation.engine.source import VERSION, check_scheme_code
from randomisation.errors import LifeCycleRefused
from randomisation.models import (
    BEFORE_LOCK,
    AcceptanceSignature,
    Allocation,
    DraftDocument,
    Revision,
    Scheme,
    State,
)
from randomisation.sealing import draw_data_key, unwrap

MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True, repr=False)
class Draft:
    """What is configured.

    Attributes:
        parameters: as for parameters_for().
        rows_per_stratum: least length of each stratum's list, in allocations.
        backup_rows: least length of each emergency list; needs backup_block_sizes.
        reason: why a draw without chance, or a list shorter than its ceiling, is taken.
        list_file: for the method `import`, the statistician's file, whose SHA-256 the parameters name.
    """

    parameters: Mapping[str, Any]
    rows_per_stratum: int
    backup_rows: int = 0
    reason: str = ""
    list_file: bytes | None = None

    def __repr__(self) -> str:
        return "<Draft>"


def create_scheme(
    *,
    code: str,
    name: str,
    opens_date: date | None = None,
    closes_date: date | None = None,
    ceiling: int | None = None,
    households: bool = False,
    corrections_count: bool = True,
) -> Scheme:
    """A scheme with nothing configured yet.

    Raises:
        ParametersRefused: the code is not `[a-z0-9-]{1,32}`.
    """
    check_scheme_code(code)
    return Scheme.objects.create(
        code=code,
        name=name,
        opens_date=opens_date,
        closes_date=closes_date,
        ceiling=ceiling,
        households=households,
        corrections_count=corrections_count,
    )


def parameters_for(scheme: Scheme, given: Mapping[str, Any], number: int | None = None) -> Parameters:
    """Check the parameters a scheme's next revision would have, before anybody approves them.

    Args:
        given: arms, ratio, method, factors, the method's own keys; optionally contribution_source and
            backup_block_sizes (randomisation.md 3.3).
        number: of the revision; the next one unless given.

    Raises:
        ParametersRefused: names the parameter and the rule of section 1.
    """
    common = {"algorithm": VERSION, "scheme": scheme.code, "revision": number or _next_number(scheme)}
    return read_parameters({"contribution_source": NO_CONTRIBUTION, **given, **common})


@sensitive_variables()
@transaction.atomic
def configure(*, scheme: Scheme, draft: Draft, by: AbstractBaseUser, at: datetime) -> Revision:
    """Start the scheme's next revision, or change the one in preparation, which goes back to draft.

    Raises:
        ParametersRefused: a rule of section 1 is broken.
        LifeCycleRefused: a length is out of range, a reason is missing, the list file is not the one named, or by
            somebody who randomises people.
        SealError: E_SEAL_KEY, no key to seal with.
    """
    scheme = Scheme.objects.select_for_update().get(pk=scheme.pk)
    check_randomises_nobody(scheme, by)
    current = scheme.draft
    checked = parameters_for(scheme, draft.parameters, current.number if current else None)
    _check(checked, draft)
    seal, wrapped = draw_data_key()
    revision = current or Revision(scheme=scheme, number=checked.revision)
    revision.state = State.DRAFT
    revision.params_public = checked.public()
    revision.params_sealed = seal.seal(padded(checked.canonical()))
    revision.rows_per_stratum, revision.backup_rows = draft.rows_per_stratum, draft.backup_rows
    revision.import_sealed = seal.seal(draft.list_file) if draft.list_file is not None else ""
    revision.draft_key_wrapped, revision.reason = wrapped, draft.reason
    revision.configured_by_id, revision.configured_at = by.pk, at
    revision.save()
    return revision


def check_randomises_nobody(scheme: Scheme, *people: AbstractBaseUser) -> None:
    """Refuse people who have randomised in this scheme: they may not know or settle its parameters (6.1).

    Raises:
        LifeCycleRefused: one of them did.
    """
    made = scheme.allocations.filter(by_id__in=[person.pk for person in people], source=Allocation.Source.ONLINE)
    if made.exists():
        raise LifeCycleRefused("Whoever randomises people may neither configure the scheme nor approve its lock.")


def _next_number(scheme: Scheme) -> int:
    newest = scheme.revisions.order_by("-number").first()
    return newest.number + 1 if newest else 1


def _check(parameters: Parameters, draft: Draft) -> None:
    if needs_reason(parameters) and not draft.reason.strip():
        raise LifeCycleRefused("A draw without chance (p = 1) needs the reason of a named statistician.")
    check_length(draft.rows_per_stratum)
    check_length(draft.backup_rows or 1)
    if (parameters.backup_block_sizes is not None) != (draft.backup_rows > 0):
        raise LifeCycleRefused("Emergency lists need block sizes of their own and a length.")
    check_list_file(parameters, draft.list_file, draft.rows_per_stratum, draft.reason)


def check_list_file(parameters: Parameters, data: bytes | None, rows_needed: int, reason: str) -> None:
    """Refuse a list file that is not the one the parameters name, or that breaks a rule of 4.6.

    Raises:
        LifeCycleRefused: no file, a file too many, or a short list without a reason.
        ImportRefused: every defect of the file by its line; another file than the one named.
    """
    if (parameters.method == "import") != (data is not None):
        raise LifeCycleRefused("A list file belongs to the method “import”, and only to it.")
    if data is None:
        return
    listed = read_list(data, parameters, rows_needed=rows_needed)
    if listed.needs_reason and not reason.strip():
        raise LifeCycleRefused(f"{' '.join(listed.warnings)} Say why it is taken nevertheless.")


def check_length(n_rows: int) -> None:
    """Refuse a list of an impossible length."""
    if not 1 <= n_rows <= MAX_ROWS:
        raise LifeCycleRefused(f"A list must have 1 to {MAX_ROWS:,} rows.")


@sensitive_variables()
def draft_parameters(revision: Revision) -> Parameters:
    """The full parameters of a revision in preparation, for whoever may see restricted ones.

    Raises:
        SealError: no usable key, or the parameters were altered.
    """
    seal = unwrap(revision.draft_key_wrapped)
    return read_parameters(json.loads(seal.open(revision.params_sealed)))


@sensitive_variables()
@transaction.atomic
def keep_document(
    *,
    revision: Revision,
    kind: DraftDocument.Kind,
    document: Any,
    by: AbstractBaseUser,
    at: datetime,
    software_version: str,
    n_passed: int = 0,
    n_failed: int = 0,
) -> DraftDocument:
    """Keep what a simulation or an acceptance test found; a simulation moves the draft on.

    Raises:
        LifeCycleRefused: the revision is locked, or a test comes before a simulation.
    """
    revision = Revision.objects.select_for_update().get(pk=revision.pk)
    if revision.state not in BEFORE_LOCK:
        raise LifeCycleRefused("This revision is locked: what is tried out belongs to the next one.")
    if kind == DraftDocument.Kind.ACCEPTANCE and revision.state == State.DRAFT:
        raise LifeCycleRefused("Simulate the design before it is tested.")
    seal = unwrap(revision.draft_key_wrapped)
    kept = DraftDocument.objects.create(
        revision=revision,
        kind=kind,
        document_sealed=seal.seal(padded(json.dumps(document, sort_keys=True).encode("utf-8"))),
        by_id=by.pk,
        at=at,
        software_version=software_version,
        n_passed=n_passed,
        n_failed=n_failed,
    )
    if kind == DraftDocument.Kind.SIMULATION and revision.state == State.DRAFT:
        revision.state = State.SIMULATED
        revision.save(update_fields=["state"])
    return kept


@sensitive_variables()
def open_document(document: DraftDocument) -> Any:
    """What a simulation or an acceptance test found.

    Raises:
        SealError: no usable key; the draft was configured again since, or the document was altered.
    """
    seal = unwrap(document.revision.draft_key_wrapped)
    return json.loads(seal.open(document.document_sealed))


@transaction.atomic
def sign_test(
    *, document: DraftDocument, by: AbstractBaseUser, at: datetime, deviations: str = ""
) -> AcceptanceSignature:
    """The statistician accepts a test that somebody else ran; the revision may then be locked (section 10).

    Raises:
        LifeCycleRefused: by the person who ran it, of an older draft, or with failed cases that nobody explains.
    """
    revision = Revision.objects.select_for_update().get(pk=document.revision_id)
    latest = revision.documents.filter(kind=DraftDocument.Kind.ACCEPTANCE).first()
    if revision.state != State.SIMULATED or latest is None or latest.pk != document.pk:
        raise LifeCycleRefused("Only the newest acceptance test of a simulated design can be signed.")
    if document.at < revision.configured_at:
        raise LifeCycleRefused("The design has changed since this test: test it again.")
    if document.by_id == by.pk:
        raise LifeCycleRefused("An acceptance test is signed by somebody who did not run it.")
    if document.n_failed and not deviations.strip():
        raise LifeCycleRefused("Say what was decided about each case that failed.")
    signature = AcceptanceSignature.objects.create(document=document, by_id=by.pk, at=at, deviations=deviations)
    revision.state = State.TESTED
    revision.save(update_fields=["state"])
    return signature


def padded(value: bytes) -> bytes:
    """JSON text filled up with spaces to a multiple of 512 bytes: the length of a token follows what it holds."""
    return value.ljust(-(-len(value) // 512) * 512)
