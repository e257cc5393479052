"""The life of the protocol's scheme, each step by the person who may take it (randomisation.md section 10)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from randomisation import drafts, locks, proposals, states
from randomisation.drafts import Draft
from randomisation.errors import RandomisationError
from randomisation.models import DraftDocument, Proposal, Revision, Scheme
from randomisation.requests import HOUSEHOLD, SINGLE, UNIT_FACTOR
from trial import __version__
from trial.access.models import User
from trial.allocation.errors import AllocationRefused
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec, RestrictedParameters


@contextmanager
def told() -> Iterator[None]:
    """A refusal of the randomisation as one that a page can show."""
    try:
        yield
    except RandomisationError as error:
        raise AllocationRefused(error.text, getattr(error, "refusals", ())) from error


def scheme_parameters(spec: ProtocolSpec, restricted: RestrictedParameters | None) -> dict[str, Any]:
    """The parameters of the protocol's scheme, as randomisation.md 3.3 names them."""
    randomisation = spec.randomisation
    return {
        "arms": [arm.code for arm in spec.arms],
        "ratio": list(protocol_rules.reduced_ratio(spec)),
        "method": randomisation.method,
        "factors": [
            *(
                {"code": factor.code, "levels": [level.code for level in factor.levels], "weight": factor.weight}
                for factor in randomisation.factors
            ),
            *_unit_factor(spec),
        ],
        "contribution_source": locks.TWO_TEXTS if randomisation.contribution == "two_texts" else "none",
        **(restricted.given() if restricted else {}),
    }


def _unit_factor(spec: ProtocolSpec) -> list[dict[str, Any]]:
    """Lists tell households from people who come alone, so that people and not only units stay balanced (section 5)."""
    randomisation = spec.randomisation
    if not randomisation.households or randomisation.method == "minimisation":
        return []
    return [{"code": UNIT_FACTOR, "levels": [SINGLE, HOUSEHOLD], "weight": 1}]


@sensitive_variables()
@transaction.atomic
def configure(
    *,
    spec: ProtocolSpec,
    restricted: RestrictedParameters | None,
    by: User,
    at: datetime,
    reason: str = "",
    list_file: bytes | None = None,
    file_sha256: str = "",
) -> Revision:
    """Configure the protocol's scheme, or its next revision, as a draft (CONFIGURE_SCHEME).

    Args:
        reason: why a draw without chance, or a list shorter than its ceiling, is taken.
        list_file: the independent statistician's list for the method `import`.
        file_sha256: its SHA-256 as the statistician sent it by another route.

    Raises:
        AllocationRefused: a parameter or the list breaks a rule.
    """
    target = spec.recruitment.target
    imported = {"file_sha256": file_sha256} if list_file is not None else {}
    draft = Draft(
        parameters={**scheme_parameters(spec, restricted), **imported},
        rows_per_stratum=target,
        backup_rows=spec.randomisation.backup_rows,
        reason=reason,
        list_file=list_file,
    )
    with told():
        return drafts.configure(scheme=protocol_scheme(spec), draft=draft, by=by, at=at)


def protocol_scheme(spec: ProtocolSpec) -> Scheme:
    """The protocol's own scheme, made where there is none yet."""
    code = spec.randomisation.scheme
    return Scheme.objects.filter(code=code).first() or drafts.create_scheme(
        code=code,
        name=f"{spec.study.short_name} {code}",
        opens_date=spec.recruitment.starts,
        ceiling=spec.recruitment.target,
        households=spec.randomisation.households,
    )


def keep_simulation(*, revision: Revision, document: Any, by: User, at: datetime) -> DraftDocument:
    """Keep what a simulation of the draft found.

    Raises:
        AllocationRefused: the revision is locked.
    """
    with told():
        return drafts.keep_document(
            revision=revision,
            kind=DraftDocument.Kind.SIMULATION,
            document=document,
            by=by,
            at=at,
            software_version=__version__,
        )


def keep_acceptance_test(
    *, revision: Revision, document: Any, n_passed: int, n_failed: int, by: User, at: datetime
) -> DraftDocument:
    """Keep the executed cases of an acceptance test (TEST_SCHEME).

    Raises:
        AllocationRefused: the revision is locked, or was not simulated.
    """
    with told():
        return drafts.keep_document(
            revision=revision,
            kind=DraftDocument.Kind.ACCEPTANCE,
            document=document,
            by=by,
            at=at,
            software_version=__version__,
            n_passed=n_passed,
            n_failed=n_failed,
        )


def sign_acceptance_test(*, document: DraftDocument, by: User, at: datetime, deviations: str = "") -> None:
    """The statistician signs the test that somebody else ran (CONFIGURE_SCHEME).

    Raises:
        AllocationRefused: by who ran it, of an older design, or with failed cases that nobody explains.
    """
    with told():
        drafts.sign_test(document=document, by=by, at=at, deviations=deviations)


def ask_lock(*, revision: Revision, reason: str, by: User, at: datetime) -> Proposal:
    """Ask two people to approve the lock.

    Raises:
        AllocationRefused: it is asked for already.
    """
    with told():
        return proposals.ask(
            scheme=revision.scheme,
            kind=proposals.LOCK,
            facts={"revision": revision.number},
            reason=reason,
            by=by,
            at=at,
        )


def open_scheme(*, code: str, by: User, at: datetime) -> None:
    """Open the newest locked revision of a scheme to allocations, or go on after a pause (OPERATE_SCHEME).

    Raises:
        AllocationRefused: there is nothing to open.
    """
    scheme = Scheme.objects.filter(code=code).first()
    if scheme is None:
        raise AllocationRefused("There is no locked scheme to open.")
    with told():
        states.open_scheme(scheme=scheme, by=by, at=at)


@dataclass(frozen=True, slots=True)
class Office:
    """Who takes which step before a scheme opens: nobody two that must be apart (section 10)."""

    statistician: User
    tester: User
    sponsor: User
    second_statistician: User
    manager: User


@sensitive_variables()
@transaction.atomic
def lock_at_once(
    *,
    spec: ProtocolSpec,
    restricted: RestrictedParameters | None,
    office: Office,
    simulation: Any,
    acceptance: Any,
    at: datetime,
) -> Revision:
    """Every step from draft to lock in one go, for a made-up study: who did what is as it would be.

    Raises:
        AllocationRefused: a parameter breaks a rule, or two people are the same.
    """
    revision = configure(spec=spec, restricted=restricted, by=office.statistician, at=at)
    keep_simulation(revision=revision, document=simulation, by=office.statistician, at=at)
    n_passed = len(acceptance.get("cases", ()))
    test = keep_acceptance_test(
        revision=revision, document=acceptance, n_passed=n_passed, n_failed=0, by=office.tester, at=at
    )
    sign_acceptance_test(document=test, by=office.statistician, at=at)
    asked = ask_lock(revision=revision, reason="Ready for recruitment", by=office.manager, at=at)
    with told():
        for person in (office.second_statistician, office.sponsor):
            proposals.approve(proposal=asked, by=person, at=at)
    return Revision.objects.get(pk=revision.pk)
