"""Pages that anyone may open: health for machines; help, accessibility and privacy for people."""

from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trial.access.models import User
from trial.access.permissions import public
from trial.access.policy import POLICY, Role
from trial.operations import health
from trial.operations.help_texts import PAGES, ROLES
from trial.protocol.spec import Study
from trial.protocol.versions import active_version


@public
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@public
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Database, migrations, triggers and keys are in order; 503 otherwise. What is wrong stays inside."""
    try:
        is_ready = health.is_ready()
    except DatabaseError:
        is_ready = False
    return JsonResponse({"ready": is_ready}, status=200 if is_ready else 503)


@dataclass(frozen=True)
class RoleHelp:
    """What one role does here. `is_mine` is true of the roles that the reader holds."""

    code: str
    name: str
    home: str
    lines: tuple[str, ...]
    is_mine: bool


@public
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Help: with the page the reader came from, then by role, their own first."""
    user = request.user if isinstance(request.user, User) else None
    mine = {a.role for a in user.access.assignments} if user else set()
    sections = [RoleHelp(r, r.label, POLICY[r].home, ROLES[r], r in mine) for r in Role]
    context = {
        "title": "Help",
        "about": PAGES.get(request.GET.get("page", "")),
        "roles": sorted(sections, key=lambda section: not section.is_mine),
        "study": _study(),
        "idle_minutes": settings.SESSION_COOKIE_AGE // 60,
    }
    return render(request, "operations/help.html", context)


@public
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The accessibility statement."""
    context = {"title": "Accessibility statement", "study": _study()}
    return render(request, "operations/accessibility.html", context)


@public
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept about participants and staff, why, and whom to ask."""
    version = active_version()
    context = {
        "title": "Privacy",
        "study": _study(),
        "identity_fields": [(FIELD_WORDS[one.field], one.purpose) for one in version.spec.identity_fields]
        if version
        else [],
    }
    return render(request, "operations/privacy.html", context)


FIELD_WORDS = {
    "name": "Name",
    "birth_date": "Date of birth",
    "nhs_number": "NHS number",
    "address": "Address",
    "phone": "Telephone",
    "email": "E-mail address",
    "preferred_contact": "How you like to be contacted",
    "gp_practice": "GP practice",
    "emergency_contact": "Emergency contact",
}


def _study() -> Study | None:
    """Names and office of the study, once a protocol is active."""
    version = active_version()
    return version.spec.study if version else None
