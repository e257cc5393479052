"""Which version of the protocol holds: for the study, and at a site on a day."""

from datetime import date

from trial.access.models import Site
from trial.base.words import long_date
from trial.protocol import sealing
from trial.protocol.errors import NoProtocolInForce
from trial.protocol.models import ProtocolVersion, SiteApproval
from trial.protocol.spec import RestrictedParameters

Status = ProtocolVersion.Status
NO_STUDY_YET = "Hedgerow"


def active_version() -> ProtocolVersion | None:
    """The active version of the study, or None before the first one is activated."""
    return ProtocolVersion.objects.filter(status=Status.ACTIVE).first()


def current() -> ProtocolVersion:
    """The active version of the study.

    Raises:
        NoProtocolInForce: none has been activated yet.
    """
    version = active_version()
    if version is None:
        raise NoProtocolInForce("No protocol is active yet. A trial manager must load and activate one.")
    return version


def version_in_force(*, site: Site, on: date) -> ProtocolVersion:
    """The version that a site uses on a day: the one that became effective there last (R-28).

    A newer version does not count at a site before that site's own effective date.

    Raises:
        NoProtocolInForce: no version is effective there yet.
    """
    approval = (
        SiteApproval.objects.filter(site=site, effective_date__lte=on)
        .exclude(version__status=Status.DRAFT)
        .select_related("version")
        .order_by("-effective_date", "-version__activated_at", "-id")
        .first()
    )
    if approval is None:
        raise NoProtocolInForce(
            f"No version of the protocol is in force at {site.name} on {long_date(on)}."
            " Record the site's approval first."
        )
    return approval.version


def study_line() -> tuple[str, str]:
    """Short name of the study and number of its active version, for the frame of a page."""
    version = active_version()
    if version is None:
        return NO_STUDY_YET, ""
    return version.spec.study.short_name, version.version


def restricted_parameters(version: ProtocolVersion) -> RestrictedParameters | None:
    """What only the lock of a scheme may read (BR-22); None where the method has none.

    Raises:
        ParametersUnavailable: no sealing key opens them.
    """
    return sealing.unseal(sealing.Sealed(version.restricted_sealed, version.restricted_key))
