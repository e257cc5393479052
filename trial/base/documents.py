"""A letter, a certificate or a copy of records as PDF: headings, paragraphs, facts and tables, page n of m."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from trial.base.pdf import BOLD, FONT, NumberedCanvas, escaped, fonts, printable

INK, QUIET, BRAND = HexColor("#212b32"), HexColor("#4c6272"), HexColor("#1b4d3e")
MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN - 12  # the frame keeps 6 points at either side


@dataclass(frozen=True)
class Heading:
    """A heading inside the document."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph; line breaks are kept. `quiet` is smaller and grey."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Facts:
    """Terms with what is known, side by side."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Rows:
    """A table with its heads; `widths` are shares of the line."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]


Block = Heading | Text | Facts | Rows


def _style(size: float, *, bold: bool = False, quiet: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        f"s{size}{bold}{quiet}",
        fontName=BOLD if bold else FONT,
        fontSize=size,
        leading=size * 1.4,
        textColor=QUIET if quiet else INK,
        alignment=TA_LEFT,
        splitLongWords=1,
    )


def _paragraph(text: str, size: float = 10, *, bold: bool = False, quiet: bool = False) -> Paragraph:
    lines = "<br/>".join(escaped(line) for line in text.split("\n"))  # the font has no letter for a line break
    return Paragraph(lines, _style(size, bold=bold, quiet=quiet))


def _facts(facts: Facts) -> list[Flowable]:
    cells = [[_paragraph(term, 9, quiet=True), _paragraph(value or "–", 10)] for term, value in facts.rows]
    table = Table(cells, colWidths=[WIDTH * 0.32, WIDTH * 0.68], hAlign="LEFT")
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return [table, Spacer(1, 2 * mm)]


def _rows(rows: Rows) -> list[Flowable]:
    heads = [_paragraph(head, 9, bold=True) for head in rows.heads]
    cells = [heads, *([_paragraph(cell, 9) for cell in row] for row in rows.rows)]
    table = Table(cells, colWidths=[WIDTH * share for share in rows.widths], repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, QUIET),
            ]
        )
    )
    return [table, Spacer(1, 3 * mm)]


def _flowables(block: Block) -> list[Flowable]:
    if isinstance(block, Heading):
        return [Spacer(1, 3 * mm), _paragraph(block.text, 12, bold=True), Spacer(1, 1.5 * mm)]
    if isinstance(block, Text):
        return [_paragraph(block.text, 9 if block.quiet else 10, quiet=block.quiet), Spacer(1, 2.5 * mm)]
    if not block.rows:
        return []
    return _facts(block) if isinstance(block, Facts) else _rows(block)


def _foot(canvas: Canvas, page: int, pages: int, *, text: str) -> None:
    canvas.setFont(FONT, 8)
    canvas.setFillColor(QUIET)
    canvas.drawString(MARGIN, 12 * mm, printable(text))
    canvas.drawRightString(A4[0] - MARGIN, 12 * mm, f"Page {page} of {pages}")


def document(*, title: str, head: str, blocks: Sequence[Block], foot: str) -> bytes:
    """The PDF. The same blocks give the same bytes.

    Args:
        title: in the file and as its first heading.
        head: the study's name, above the title.
        foot: at the left of every page, with "Page n of m" at the right.
    """
    fonts()
    story: list[Flowable] = [_paragraph(head, 9, quiet=True), _paragraph(title, 16, bold=True), Spacer(1, 4 * mm)]
    for block in blocks:
        story += _flowables(block)
    buffer = BytesIO()
    template = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        title=printable(title),
        author=printable(head),
        lang="en-GB",
        invariant=1,
    )
    template.build(story, canvasmaker=partial(NumberedCanvas, foot=partial(_foot, text=foot)))
    return buffer.getvalue()
