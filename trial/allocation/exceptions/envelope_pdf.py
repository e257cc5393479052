"""The envelopes of one site on paper: for each an outer page without the arm, and the page that goes inside (9.7).

Made in memory. Every envelope has two pages of the same length, whatever is inside and however many factors there are;
each has a sheet of its own, so that no inner page comes to lie on the back of an outer one.
"""

import io
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepInFrame,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from trial.base.pdf import BOLD, FONT, NumberedCanvas, escaped, fonts, printable
from trial.base.words import date_and_time

_MARGIN = 20 * mm
_PADDING = 6
"""Points that reportlab leaves inside the edges of a page's frame: text, tables and foot stand on one line without."""
_WIDTH, _HEIGHT = A4[0] - 2 * _MARGIN, A4[1] - 2 * _MARGIN
_LINE = 13 * mm
"""Least height of a line to be filled in by hand."""
_INK, _GREY = HexColor("#212b32"), HexColor("#768692")
_TITLE = ParagraphStyle("title", fontName=BOLD, fontSize=20, leading=26, textColor=_INK, spaceAfter=3 * mm)
_HEADING = ParagraphStyle(
    "heading", fontName=BOLD, fontSize=11.5, leading=16, textColor=_INK, spaceBefore=4 * mm, spaceAfter=2 * mm
)
_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=11, leading=16, textColor=_INK, spaceAfter=2 * mm)
_LABEL = ParagraphStyle("label", fontName=FONT, fontSize=10, leading=13, textColor=_INK)
_ARM = ParagraphStyle("arm", fontName=BOLD, fontSize=26, leading=34, textColor=_INK, spaceAfter=6 * mm)
_STEPS = (
    "Take the lowest number that is unopened. Never open one to look, and never skip one.",
    "Fill in every line below before you open the envelope. Sign it.",
    "Only a person who does not recruit opens it, and tells the caller what is inside.",
    "Keep both pages. Enter the envelope in the system within 1 working day, with the code that is inside.",
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One envelope: its number, and what is inside. Its repr is constant: it holds the arm."""

    number: int
    arm: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stack:
    """All envelopes of one site.

    Attributes:
        factors: label and levels of each stratification factor, to be marked before opening.
    """

    study: str
    scheme: str
    site: str
    office: str
    factors: tuple[tuple[str, tuple[str, ...]], ...]
    printed_at: datetime
    envelopes: tuple[Envelope, ...] = field(repr=False)


def draw(stack: Stack) -> bytes:
    """The PDF: for each envelope its outer page, then its inner page."""
    fonts()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN - _PADDING,
        rightMargin=_MARGIN - _PADDING,
        topMargin=_MARGIN - _PADDING,
        bottomMargin=_MARGIN - _PADDING,
        title=f"Emergency envelopes, {stack.site}",
        author=stack.study,
        lang="en-GB",
    )
    story: list[Flowable] = []
    for envelope in stack.envelopes:
        for page in (_outer(stack, envelope), _inner(stack, envelope)):
            story += [KeepInFrame(_WIDTH, _HEIGHT, page, mode="shrink"), PageBreak()]
    document.build(
        story[:-1],
        onFirstPage=_on_one_side,
        canvasmaker=partial(NumberedCanvas, foot=partial(_foot, stack)),
    )
    return out.getvalue()


def _on_one_side(canvas: Canvas, document: SimpleDocTemplate) -> None:
    """Ask the printer not to print on both sides of a sheet."""
    canvas.setViewerPreference("Duplex", "Simplex")


def _words(text: str, style: ParagraphStyle = _TEXT) -> Paragraph:
    return Paragraph(escaped(text), style)


def _head(stack: Stack, envelope: Envelope) -> list[Flowable]:
    return [
        _words(f"{stack.study}: emergency envelope {envelope.number}", _TITLE),
        _words(f"Scheme {stack.scheme}. Site {stack.site}. Envelope {envelope.number} of {len(stack.envelopes)}."),
    ]


def _outer(stack: Stack, envelope: Envelope) -> list[Flowable]:
    """Everything that is written before it is opened. No arm."""
    steps = [_words(f"{number}. {text}") for number, text in enumerate(_STEPS, start=1)]
    return [
        *_head(stack, envelope),
        _words("Use it only when the system cannot be reached and waiting would harm", _HEADING),
        *steps,
        _words("Before you open it", _HEADING),
        _lines(
            [
                ("Caller: name, role, telephone", ""),
                ("Participant number", ""),
                *[(label, _boxes(levels)) for label, levels in stack.factors],
                ("Reason why the system is not used", ""),
                ("Opened by (does not recruit)", ""),
                ("Date and time of opening", ""),
                ("Signature", ""),
            ]
        ),
        Spacer(1, 4 * mm),
        _words(f"Trial office: {stack.office}"),
    ]


def _boxes(levels: tuple[str, ...]) -> str:
    """A box before each level, which stays on the line of its level's first word."""
    return " \u00a0 ".join(f"[\u00a0\u00a0\u00a0]\u00a0{level}" for level in levels)


def _lines(rows: list[tuple[str, str]]) -> Table:
    cells = [[_words(label, _LABEL), _words(value, _LABEL)] for label, value in rows]
    style = [
        ("GRID", (0, 0), (-1, -1), 0.6, _GREY),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 2 * mm),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2 * mm),
    ]
    # A line to be written on has room for a hand; one with boxes to be ticked grows with its levels.
    heights = [None if value else _LINE for _, value in rows]
    return Table(
        cells, colWidths=[58 * mm, _WIDTH - 58 * mm], rowHeights=heights, style=TableStyle(style), hAlign="LEFT"
    )


def _inner(stack: Stack, envelope: Envelope) -> list[Flowable]:
    """What is inside."""
    return [
        *_head(stack, envelope),
        Spacer(1, 30 * mm),
        _words("Allocated to", _HEADING),
        _words(envelope.arm, _ARM),
        _words("Code of this envelope, to be entered in the system", _HEADING),
        _words(envelope.code, _ARM),
        _words("Do not tell it to anybody who must not know. Keep this page with the outer page."),
        Spacer(1, 10 * mm),
        _words("When it is made: fold this page with the print inside, and seal it in the opaque envelope."),
    ]


def _foot(stack: Stack, canvas: Canvas, page: int, n_pages: int) -> None:
    """Which of the two pages it is, so that none goes into another's envelope."""
    number, is_inner = divmod(page - 1, 2)
    which = "inner page" if is_inner else "outer page"
    canvas.setFont(FONT, 8)
    canvas.setFillColor(_INK)
    canvas.drawString(_MARGIN, 10 * mm, printable(f"{stack.study}. Printed {date_and_time(stack.printed_at)}"))
    words = f"Envelope {stack.envelopes[number].number}, {which}. Page {page} of {n_pages}"
    canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, words)
