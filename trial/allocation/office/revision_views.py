"""A locked revision: its certificate on a page and on paper, and the two texts (randomisation.md 3, 15)."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.access.signing import reauthenticate
from trial.allocation.office import contributing, documents
from trial.allocation.office.certificates import LockCertificate, certificate_of
from trial.allocation.office.pages import (
    GET_POST,
    Step,
    posted,
    revision_or_404,
    scheme_or_404,
    take,
    trail_of,
)
from trial.allocation.office.step_forms import ContributionForm
from trial.base.parts import Link


@requires(Action.VIEW_SCHEME)
@require_safe
def detail(request: StaffRequest, scheme: str, revision: int) -> HttpResponse:
    """What the certificate says, as a page."""
    found = scheme_or_404(scheme)
    locked = revision_or_404(found, revision)
    args = [found.code, locked.number]
    links = [Link("Lock certificate (PDF)", reverse("allocation:certificate", args=args))]
    if contributing.awaited_part(locked, request.user):
        links.append(Link("Give your text", reverse("allocation:contribution", args=args)))
    context = {
        "title": f"Revision {locked.number}",
        "detail": f"{found.name}. {locked.get_state_display()}",
        "certificate": certificate_of(locked),
        "links": links,
        "breadcrumbs": trail_of(found),
        "here": f"Revision {locked.number}",
    }
    return render(request, "allocation/office/revision.html", context)


@requires(Action.VIEW_SCHEME)
@require_safe
def certificate(request: StaffRequest, scheme: str, revision: int) -> HttpResponse:
    """The lock certificate as PDF."""
    found = scheme_or_404(scheme)
    locked = revision_or_404(found, revision)
    said = certificate_of(locked)
    content = documents.pdf(story_of(said), name=said.title, printed_by=str(request.user), at=timezone.now())
    return documents.response(content, f"lock-certificate-{found.code}-{locked.number}.pdf")


def story_of(said: LockCertificate) -> list[Any]:
    """The certificate, piece by piece."""
    lists = (
        documents.grid(("List", "Fingerprint"), said.fingerprints, first=120)
        if said.fingerprints
        else documents.text("No lists: this method draws each allocation, or the contribution is awaited.")
    )
    return [
        documents.title(said.title),
        documents.terms(said.rows),
        documents.heading("Commitment"),
        documents.terms([("SHA-256", said.commitment)]),
        documents.text("It opens with the secret at the reveal only, and tells nothing before."),
        documents.heading("Fingerprints of the lists"),
        lists,
        documents.heading("Event log"),
        documents.terms([("Digest", said.log_digest)]),
        documents.heading("Public parameters"),
        documents.terms([("Canonical JSON", said.parameters)]),
    ]


@requires(Action.APPROVE_LOCK)
@never_cache
@sensitive_post_parameters("text", "secret")
@GET_POST
def contribution(request: StaffRequest, scheme: str, revision: int) -> HttpResponse:
    """Give one's own text, after the commitment was published (3.2)."""
    found = scheme_or_404(scheme)
    locked = revision_or_404(found, revision)
    part = contributing.awaited_part(locked, request.user)
    if part is None:
        raise Http404

    def act(values: dict[str, Any], now: datetime) -> str:
        proof = reauthenticate(user=request.user, secret=values["secret"], at=now)
        contributing.give(revision=locked, part=part, text=values["text"], proof=proof, by=request.user, at=now)
        return "Your text is sealed. With both texts the lists are made"

    back = reverse("allocation:revision", args=[found.code, locked.number])
    step = Step(
        title="Give your text",
        detail="The lists depend on it, so that nobody who holds the server could have chosen them.",
        button="Sign and seal the text",
        act=act,
        back=Link("Back to the revision", back),
        trail=[*trail_of(found), (f"Revision {locked.number}", back)],
        here="Text",
        facts=[
            ("Your part", contributing.PART_WORDS[part]),
            ("Commitment that must be public first", locked.commitment),
        ],
        keeps_draft=False,
    )
    return take(request, ContributionForm(posted(request)), step)
