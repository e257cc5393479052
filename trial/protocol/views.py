"""The protocol in force, to read: what it says about everybody's work, and nothing that would tell an allocation."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.protocol import rules
from trial.protocol.models import ProtocolVersion, SiteApproval
from trial.protocol.spec import Document, ProtocolSpec, SiteSpec, VisitSpec
from trial.protocol.versions import active_version


@dataclass(frozen=True)
class SiteRow:
    """One site, with the day from which it uses this version; None before its own approval."""

    site: SiteSpec
    approval: SiteApproval | None


@dataclass(frozen=True)
class VisitRow:
    """One visit, its days counted from randomisation, and the names of its forms."""

    visit: VisitSpec
    window: str
    forms: tuple[str, ...]


def visit_rows(spec: ProtocolSpec) -> list[VisitRow]:
    """The visits in order."""
    return [VisitRow(visit, _window(visit), _forms(spec, visit)) for visit in spec.visits]


def _window(visit: VisitSpec) -> str:
    """ "Day -14 to 0" or "Day 77 to 98"."""
    return f"Day {visit.opens_day} to {visit.closes_day}"


def _forms(spec: ProtocolSpec, visit: VisitSpec) -> tuple[str, ...]:
    labels = ((rules.form_label(spec, form.form), form.required) for form in visit.forms)
    return tuple(label if required else f"{label} (if needed)" for label, required in labels)


def _site_rows(version: ProtocolVersion) -> list[SiteRow]:
    approvals = {one.site.code: one for one in version.approvals.select_related("site")}
    return [SiteRow(site, approvals.get(site.code)) for site in version.spec.sites]


def _documents(spec: ProtocolSpec) -> list[tuple[Document, str]]:
    """Documents with the sites that use them."""
    names = {site.code: site.name for site in spec.sites}
    return [(one, ", ".join(names.get(at.site, at.site) for at in one.sites)) for one in spec.documents]


@requires(Action.VIEW_PROTOCOL)
@require_safe
def protocol(request: StaffRequest) -> HttpResponse:
    """The active version as a page. Block sizes and seeds are not in what it reads (BR-22)."""
    version = active_version()
    if version is None:
        return render(request, "protocol/none.html", {"title": "Protocol"})
    spec = version.spec
    context = {
        "title": spec.study.public_name,
        "version": version,
        "spec": spec,
        "sites": _site_rows(version),
        "visits": visit_rows(spec),
        "documents": _documents(spec),
        "checks": [(one, rules.form_label(spec, one.form)) for one in spec.edit_checks],
        "factors": [factor.label for factor in spec.randomisation.factors],
        "today": timezone.localdate(),
        "earlier": ProtocolVersion.objects.exclude(pk=version.pk).exclude(status=ProtocolVersion.Status.DRAFT),
    }
    return render(request, "protocol/protocol.html", context)
