"""Loading, activating and approving versions of the protocol."""

import hashlib
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from trial.access.models import Site
from trial.base.words import long_date
from trial.protocol import reading, sealing
from trial.protocol.errors import (
    AnotherStudy,
    ApprovalRefused,
    NotADraft,
    Problem,
    ProtocolRefused,
    VersionFrozen,
)
from trial.protocol.models import ProtocolVersion, SiteApproval
from trial.protocol.spec import ProtocolSpec, SiteSpec
from trial.protocol.versions import active_version, restricted_parameters

if TYPE_CHECKING:
    from trial.access.models import User

Status = ProtocolVersion.Status


@sensitive_variables()
@transaction.atomic
def load(*, source: Path | str | bytes, by: "User | None", at: datetime) -> ProtocolVersion:
    """Store a protocol file as a draft. The same content again changes nothing.

    Args:
        source: a path, or the text of the file itself.
        by: who loads it; None for the system.
        at: when.

    Raises:
        ProtocolRefused: with a line for every key that is wrong.
        VersionFrozen: this version is active, or was, with another content.
        AnotherStudy: the installation holds another study.
    """
    data, spec = reading.read(_bytes(source))
    _check_study(spec)
    _check_documents(spec)
    content = reading.canonical(_without_restricted(data))
    number = spec.protocol.version
    version = ProtocolVersion.objects.select_for_update().filter(study_code=spec.study.code, version=number).first()
    if version is None:
        version = ProtocolVersion(study_code=spec.study.code, version=number)
    elif version.content == content and restricted_parameters(version) == spec.randomisation.restricted:
        return version
    elif version.status != Status.DRAFT:
        raise VersionFrozen(
            f"Version {number} is {version.get_status_display().lower()} and never changes."
            " Give the changed file a new version number."
        )
    version.protocol_date = spec.protocol.date
    version.content = content
    version.content_sha256 = hashlib.sha256(content.encode("utf-8")).hexdigest()
    version.restricted_sealed, version.restricted_key = sealing.seal(spec.randomisation.restricted)
    version.loaded_at = at
    return version.save_by(by, reason="Loaded from a file")


@transaction.atomic
def activate(*, version: ProtocolVersion, by: "User | None", at: datetime) -> ProtocolVersion:
    """Make a draft the active version, with its sites and the approvals that the file names.

    The version before stays in force at each site until the site's own effective date for this one (R-28).

    Raises:
        NotADraft: the version is active already, or was.
        AnotherStudy: the study's code or the prefix of its participant IDs would change.
    """
    version = ProtocolVersion.objects.select_for_update().get(pk=version.pk)
    if version.status != Status.DRAFT:
        raise NotADraft(f"Version {version} is {version.get_status_display().lower()}. Only a draft can be activated.")
    spec, earlier = version.spec, active_version()
    _check_study(spec)
    if earlier is not None:
        earlier.status = Status.SUPERSEDED
        earlier.save_by(by, reason=f"Version {version} became active")
    version.status, version.activated_at, version.activated_by = Status.ACTIVE, at, by
    version.save_by(by, reason="Activated")
    for one in spec.sites:
        site = _site(one, by=by, reason=f"Version {version} of the protocol")
        if one.protocol_approved and one.protocol_effective:
            approve_at_site(
                version=version,
                site=site,
                approved_date=one.protocol_approved,
                effective_date=one.protocol_effective,
                by=by,
            )
    return version


@transaction.atomic
def approve_at_site(
    *, version: ProtocolVersion, site: Site, approved_date: date, effective_date: date, by: "User | None"
) -> SiteApproval:
    """Record that a site may use a version from a day on (R-28).

    Raises:
        NotADraft: the version is still a draft.
        ApprovalRefused: the site is not in the protocol or has approved this version already, or the dates
            are not in the order protocol, approval, effect.
    """
    if version.status == Status.DRAFT:
        raise NotADraft(f"Version {version} is a draft. Activate it before a site approves it.")
    if site.code not in {one.code for one in version.spec.sites}:
        raise ApprovalRefused(f"{site.name} is not a site of version {version}.")
    if SiteApproval.objects.filter(version=version, site=site).exists():
        raise ApprovalRefused(f"{site.name} has approved version {version} already.")
    if approved_date < version.protocol_date:
        raise ApprovalRefused(
            f"The approval must not be before {long_date(version.protocol_date)}, the protocol's date."
        )
    if effective_date < approved_date:
        raise ApprovalRefused(f"The version cannot be used before its approval on {long_date(approved_date)}.")
    return SiteApproval(version=version, site=site, approved_date=approved_date, effective_date=effective_date).save_by(
        by
    )


def _bytes(source: Path | str | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, str):
        return source.encode("utf-8", "surrogatepass")
    try:
        return source.read_bytes()
    except OSError as error:
        raise ProtocolRefused([Problem("", f"{source.name} cannot be read: {error.strerror}.")]) from None


def _without_restricted(data: dict[str, Any]) -> dict[str, Any]:
    randomisation = {key: value for key, value in data["randomisation"].items() if key != "restricted"}
    return {**data, "randomisation": randomisation}


def _check_study(spec: ProtocolSpec) -> None:
    """One installation serves one study, and a participant ID never changes its prefix."""
    first = ProtocolVersion.objects.exclude(status=Status.DRAFT).order_by("id").first()
    if first is None:
        return
    known = first.spec.study
    if spec.study.code != known.code:
        raise AnotherStudy(f"This installation holds the study {known.code}, not {spec.study.code}.")
    if spec.study.id_prefix != known.id_prefix:
        raise AnotherStudy(f"Participant IDs start with {known.id_prefix}; an amendment cannot change that.")


def _check_documents(spec: ProtocolSpec) -> None:
    """The words of an approved document never change; only the days on which a site uses it may."""
    approved = {
        document.code: document
        for version in ProtocolVersion.objects.exclude(status=Status.DRAFT).order_by("id")
        for document in version.spec.documents
    }
    problems = [
        Problem(f"documents.{index}.code", f'"{document.code}" is approved as it was; a changed document needs its own')
        for index, document in enumerate(spec.documents)
        if document.code in approved
        and document.model_copy(update={"sites": ()}) != approved[document.code].model_copy(update={"sites": ()})
    ]
    if problems:
        raise ProtocolRefused(problems)


def _site(one: SiteSpec, *, by: "User | None", reason: str) -> Site:
    """The site as the protocol describes it. Pausing and closing recruitment stay as they are."""
    site = Site.objects.select_for_update().filter(code=one.code).first() or Site(code=one.code)
    described = {
        "name": one.name,
        "abbreviation": one.abbreviation,
        "opened_date": one.opens,
        "target": one.target,
    }
    if any(getattr(site, field) != value for field, value in described.items()):
        for field, value in described.items():
            setattr(site, field, value)
        site.save_by(by, reason=reason)
    return site
