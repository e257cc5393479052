"""Paper with fixed bytes: the same report gives the same file, so that two copies can be compared by their hash."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

from trial.base.pdf import BOLD, FONT, NumberedCanvas, escaped, fonts, printable

PORTRAIT_MM = 180
HEAD = ParagraphStyle("head", fontName=BOLD, fontSize=7.5, leading=10)
CELL = ParagraphStyle("cell", fontName=FONT, fontSize=7.5, leading=10, splitLongWords=True)
_LINES = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, HexColor("#768692")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
)


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]], widths_mm: Sequence[float]) -> Table:
    """A table with these widths, its head repeated on each page; no head where there are no heads."""
    body = [[Paragraph(escaped(cell), CELL) for cell in row] for row in rows]
    head = [[Paragraph(escaped(word), HEAD) for word in heads]] if heads else []
    widths = [width * mm for width in widths_mm]
    lines = [*head, *body] or [[""] * len(widths)]
    return Table(lines, colWidths=widths, repeatRows=len(head), style=_LINES, hAlign="LEFT")


def pdf(story: list[Any], *, name: str, foot: str) -> bytes:
    """The document as A4. Nothing in it depends on when or by whom it is printed."""
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
        author="Hedgerow",
        lang="en-GB",
        invariant=1,
    )

    def draw_foot(canvas: Canvas, page: int, n_pages: int) -> None:
        canvas.setFont(FONT, 8)
        canvas.drawString(15 * mm, 10 * mm, printable(foot))
        canvas.drawRightString(A4[0] - 15 * mm, 10 * mm, f"Page {page} of {n_pages}")

    document.build(story, canvasmaker=lambda *args, **given: NumberedCanvas(*args, foot=draw_foot, **given))
    return file.getvalue()
