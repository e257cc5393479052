"""The public randomisation statement as page, text and PDF (randomisation.md section 15)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.allocation.office.documents import heading, response, text, title
from trial.allocation.office.pages import scheme_or_404, trail_of
from trial.allocation.reports.printed import pdf
from trial.allocation.reports.statement import as_text, statement
from trial.base.parts import Link

HERE = "Randomisation statement"


@requires(Action.VIEW_SCHEME)
@require_safe
def page(request: StaffRequest, scheme: str) -> HttpResponse:
    """What protocol and paper can say now."""
    found = scheme_or_404(scheme)
    context = {
        "title": HERE,
        "detail": "For protocol and paper: CONSORT 2025 items 17a, 17b, 18 and 19, from what is recorded",
        "items": statement(found, reader=request.user),
        "links": [
            Link("Text", reverse("allocation:statement_text", args=[scheme])),
            Link("PDF", reverse("allocation:statement_pdf", args=[scheme])),
        ],
        "breadcrumbs": trail_of(found),
        "here": HERE,
    }
    return render(request, "allocation/reports/statement.html", context)


@requires(Action.VIEW_SCHEME)
@require_safe
def plain(request: StaffRequest, scheme: str) -> HttpResponse:
    """The same as text, to paste."""
    found = scheme_or_404(scheme)
    answer = HttpResponse(as_text(found, statement(found, reader=request.user)), "text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="randomisation-statement-{scheme}.txt"'
    return answer


@requires(Action.VIEW_SCHEME)
@require_safe
def printed(request: StaffRequest, scheme: str) -> HttpResponse:
    """The same as PDF."""
    found = scheme_or_404(scheme)
    story = [title(f"Randomisation statement: {found.name}")]
    for item in statement(found, reader=request.user):
        story += [heading(f"{item.number} {item.title}"), text(" ".join(item.sentences))]
    return response(pdf(story, name=HERE, foot=f"{HERE}, {found.code}"), f"randomisation-statement-{scheme}.pdf")
