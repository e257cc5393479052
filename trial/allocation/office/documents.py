"""Paper of the office: a title, terms with values, tables, and at the foot who printed it when (ux.md section 7)."""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

from django.http import HttpResponse
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from trial import __version__
from trial.base.pdf import BOLD, FONT, NumberedCanvas, escaped, fonts, printable
from trial.base.words import long_date

TITLE = ParagraphStyle("title", fontName=BOLD, fontSize=15, leading=20, spaceAfter=3 * mm)
HEADING = ParagraphStyle("heading", fontName=BOLD, fontSize=11, leading=15, spaceBefore=5 * mm, spaceAfter=2 * mm)
TEXT = ParagraphStyle("text", fontName=FONT, fontSize=9, leading=13)
HEAD = ParagraphStyle("head", fontName=BOLD, fontSize=8, leading=11)
CELL = ParagraphStyle("cell", fontName=FONT, fontSize=8, leading=11, wordWrap="CJK")
"""Breaks anywhere, so that a hash of 64 digits stays on the page."""
WIDTH = 175 * mm
_LINES = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#768692")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ]
)


def title(words: str) -> Paragraph:
    """The head of the document."""
    return Paragraph(escaped(words), TITLE)


def heading(words: str) -> Paragraph:
    """The head of a part."""
    return Paragraph(escaped(words), HEADING)


def text(words: str) -> Paragraph:
    """A paragraph."""
    return Paragraph(escaped(words), TEXT)


def terms(rows: Sequence[tuple[str, str]]) -> Table:
    """Terms at the left, values at the right."""
    cells = [[Paragraph(escaped(term), HEAD), Paragraph(escaped(value), CELL)] for term, value in rows]
    return Table(cells or [["", ""]], colWidths=(45 * mm, WIDTH - 45 * mm), style=_LINES, hAlign="LEFT")


def grid(heads: Sequence[str], rows: Sequence[Sequence[object]], *, first: float = 60) -> Table:
    """A table whose head is repeated on each page; the first column is `first` mm wide, the others share the rest."""
    others = (WIDTH - first * mm) / max(len(heads) - 1, 1)
    body = [[Paragraph(escaped(str(cell)), CELL) for cell in row] for row in rows]
    head = [Paragraph(escaped(word), HEAD) for word in heads]
    return Table(
        [head, *body], colWidths=(first * mm, *[others] * (len(heads) - 1)), repeatRows=1, style=_LINES, hAlign="LEFT"
    )


def space() -> Spacer:
    """A little room."""
    return Spacer(1, 3 * mm)


def pdf(story: list[Any], *, name: str, printed_by: str, at: datetime) -> bytes:
    """The document as A4 with page n of m, who printed it, and the software's version."""
    fonts()
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=15 * mm,
        bottomMargin=18 * mm,
        title=printable(name),
        author=printable(printed_by),
        lang="en-GB",
    )
    note = printable(f"Printed {long_date(at)} by {printed_by}. Hedgerow {__version__}")

    def foot(canvas: Canvas, page: int, n_pages: int) -> None:
        canvas.setFont(FONT, 8)
        canvas.drawString(15 * mm, 10 * mm, note)
        canvas.drawRightString(A4[0] - 15 * mm, 10 * mm, f"Page {page} of {n_pages}")

    document.build(story, canvasmaker=lambda *args, **kwargs: NumberedCanvas(*args, foot=foot, **kwargs))
    return file.getvalue()


def response(content: bytes, file_name: str) -> HttpResponse:
    """A PDF to look at or keep; no cache keeps it."""
    answer = HttpResponse(content, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{file_name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
