"""Paper forms to print: blank, and labelled with a person's number and visit (R-10)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from trial.access.models import AccessEvent
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.assessments.reads import visit_states
from trial.base.parts import Link
from trial.base.words import local_day
from trial.paper import packs
from trial.paper.drawing import draw
from trial.participants.reads import participant_for
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec, VisitSpec
from trial.protocol.versions import current


@requires(Action.VIEW_PROTOCOL)
@require_safe
def index(request: StaffRequest) -> HttpResponse:
    """What can be printed without a person."""
    spec = current().spec
    visits = [
        (
            visit.name,
            Link("Blank", f"blank.pdf?visit={visit.code}"),
            Link("Annotated", f"annotated.pdf?visit={visit.code}"),
        )
        for visit in packs.visits_on_paper(spec)
    ]
    everything = ("All questionnaires", Link("Blank", "blank.pdf"), Link("Annotated", "annotated.pdf"))
    whole = packs.pack(spec)
    context = {
        "title": "Paper forms",
        "rows": [*visits, everything],
        "unlicensed": [one.label for one in whole.sections if one.wording is None],
        "withheld": [one.label for one in whole.sections if one.wording is not None and one.wording.is_withheld],
    }
    return render(request, "paper/index.html", context)


@requires(Action.VIEW_PROTOCOL)
@require_safe
def blank(request: StaffRequest) -> HttpResponse:
    """A pack without a number: of one visit (`?visit=`), or every questionnaire once."""
    spec = current().spec
    visit = visit_asked_for(request, spec)
    return as_pdf(draw(packs.pack(spec, visit)), f"{spec.study.code}-{visit.code if visit else 'all'}-blank.pdf")


def visit_asked_for(request: HttpRequest, spec: ProtocolSpec) -> VisitSpec | None:
    """The visit that `?visit=` names; None without one.

    Raises:
        Http404: there is no such visit, or nothing of it is answered on paper.
    """
    code = request.GET.get("visit", "")
    if not code:
        return None
    found = next((visit for visit in packs.visits_on_paper(spec) if visit.code == code), None)
    if found is None:
        raise Http404
    return found


def as_pdf(content: bytes, name: str) -> HttpResponse:
    """A PDF that opens in the browser under this name."""
    response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


@requires(Action.ENTER_FORM)
@never_cache
@require_safe
def labelled(request: StaffRequest, number: str, visit: str) -> HttpResponse:
    """The pack of one visit of one person: what they are asked on paper, under their number. It is logged."""
    participant = participant_for(request.user, number, Action.ENTER_FORM)
    row = participant.visits.select_related("protocol_version").filter(code=visit).first()
    if row is None:
        raise Http404
    spec = row.protocol_version.spec
    now = timezone.now()
    states = visit_states(participant, spec, local_day(now))
    asked = next((set(one.forms) for one in states if one.spec.code == visit), set())
    found = packs.pack(spec, protocol_rules.visit(spec, visit), study_id=participant.study_id, only=asked)
    if not found.sections:
        raise Http404
    AccessEvent(
        user=request.user,
        role=request.user.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record=f"Paper pack of {participant.study_id} {visit}",
        at=now,
    ).save()
    return as_pdf(draw(found), f"{participant.study_id}-{visit}.pdf")
