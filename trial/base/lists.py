"""Long lists: 50 rows a page with the total, and the same rows as CSV that no spreadsheet runs as formulas."""

import csv
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from trial.base.parts import Pages

PAGE_SIZE = 50
_RUNS = ("=", "+", "-", "@", "\t", "\r")

M = TypeVar("M", bound=Model)
R = TypeVar("R")
Row = TypeVar("Row")


def page_of(request: HttpRequest, rows: QuerySet[M, Any]) -> tuple[list[M], Pages]:
    """The rows of the page that `?page=` names, and where it stands. A page that does not exist is the nearest."""
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))

    def url(number: int) -> str:
        query = request.GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    return list(page.object_list), Pages(
        first=page.start_index(),
        last=page.end_index(),
        total=page.paginator.count,
        previous_url=url(page.previous_page_number()) if page.has_previous() else "",
        next_url=url(page.next_page_number()) if page.has_next() else "",
    )


def csv_url(request: HttpRequest) -> str:
    """The address of the filtered list as CSV."""
    query = request.GET.copy()
    query.pop("page", None)
    query["format"] = "csv"
    return f"?{query.urlencode()}"


def wants_csv(request: HttpRequest) -> bool:
    """Whether the list is asked for as CSV."""
    return request.GET.get("format") == "csv"


def defused(value: Any) -> str:
    """A cell as text; what a spreadsheet would run as a formula starts with an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_RUNS) else text


def csv_response(
    filename: str, heads: Sequence[str], rows: Iterable[Row], cells: Callable[[Row], Sequence[Any]]
) -> HttpResponse:
    """Every row of a list as CSV, in UTF-8 with a mark that spreadsheets read."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    response.headers["Cache-Control"] = "no-store"
    writer = csv.writer(response)
    writer.writerow(heads)
    writer.writerows([defused(cell) for cell in cells(row)] for row in rows)
    return response
