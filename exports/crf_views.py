"""The annotated case report form: the paper forms with the names and codes of the dataset, from the same columns."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from exports.datasets.definition import Definition, current_definition
from exports.datasets.questionnaire_columns import Columns
from exports.missing_codes import MISSING
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.paper import packs
from trial.paper.drawing import draw
from trial.paper.packs import Annotation
from trial.paper.views import as_pdf, visit_asked_for
from trial.protocol.versions import current


@requires(Action.VIEW_PROTOCOL)
@require_safe
def annotated(request: StaffRequest) -> HttpResponse:
    """Every questionnaire, or those of one visit (`?visit=`), with variables and codes."""
    spec = current().spec
    visit = visit_asked_for(request, spec)
    pack = packs.pack(spec, visit, annotations=annotations(current_definition()))
    return as_pdf(draw(pack), f"{spec.study.code}-{visit.code if visit else 'all'}-annotated.pdf")


def annotations(definition: Definition) -> dict[str, Annotation]:
    """Names of each questionnaire's variables as the codebook has them, by code of the questionnaire."""
    missing = {one.at_entry: one.code for one in MISSING if one.at_entry}
    found = {}
    for code, versions in definition.instruments.items():
        columns = Columns(definition, code, versions)
        items = {one.fhir_linkid: one.name for one in columns.variables() if one.fhir_linkid}
        found[code] = Annotation(items, columns.names.date, columns.names.of("mode"), missing)
    return found
