"""The codebook as a page: every table and variable that the person's releases hold."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from exports.canonical import opened
from exports.datasets import datasets_of
from exports.datasets.definition import current_definition
from exports.missing_codes import MISSING
from exports.model import Code, Model, Table, Variable
from exports.models import CanonicalFile, JobState
from exports.variants import VARIANTS
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.base.lists import PAGE_SIZE
from trial.base.parts import Pages


@dataclass(frozen=True)
class Line:
    """One variable with the codes that it may hold."""

    variable: Variable
    codes: tuple[Code, ...]


@requires(Action.VIEW_RELEASES)
@require_http_methods(["GET"])
def index(request: StaffRequest) -> HttpResponse:
    """The tables, and the variables of the one that is asked for."""
    model, source = _model()
    if not request.user.access.may(Action.DOWNLOAD_UNBLINDED):
        may_see_letters = request.user.access.may(Action.DOWNLOAD_MASKED)
        model = VARIANTS["dmc" if may_see_letters else "blinded"].view(model)
    names = [table.name for table in model.tables]
    asked = request.GET.get("table", "")
    if asked and asked not in names:
        raise Http404
    table = model.table(asked or names[0]) if names else None
    context = {
        "title": "Codebook",
        "detail": source,
        "tabs": [(name, f"?table={name}", table is not None and name == table.name) for name in names],
        "table": table,
        "missing": MISSING,
        **(_page(request, model, table) if table else {}),
    }
    return render(request, "exports/codebook.html", context)


def _model() -> tuple[Model, str]:
    """The model of the newest stored file, else what the protocol in force would give."""
    row = CanonicalFile.objects.filter(state=JobState.DONE).select_related("lock").order_by("-lock_id").first()
    if row is not None and row.path.is_file():
        with opened(row.path) as canonical:
            return canonical.model, f"As of {row.lock.code}"
    definition = current_definition()
    if not definition.specs:
        return Model((), ()), "No protocol is active yet"
    return datasets_of(definition).model, "As the protocol in force gives it; nothing is locked yet"


def _page(request: StaffRequest, model: Model, table: Table) -> dict[str, object]:
    page = Paginator(table.variables, PAGE_SIZE).get_page(request.GET.get("page"))

    def url(number: int) -> str:
        return f"?table={table.name}&page={number}"

    lines = [Line(one, model.codelist(one.codelist).codes if one.codelist else ()) for one in page]
    pages = Pages(
        page.start_index(),
        page.end_index(),
        page.paginator.count,
        url(page.previous_page_number()) if page.has_previous() else "",
        url(page.next_page_number()) if page.has_next() else "",
    )
    return {"lines": lines, "pages": pages}
