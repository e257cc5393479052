"""A pack as PDF: large type, one questionnaire a section, number and visit in words and QR on every page."""

from functools import partial
from io import BytesIO
from typing import Any

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, NextPageTemplate, PageBreak, PageTemplate, Paragraph

from trial.base.pdf import BOLD, FONT, NumberedCanvas, escaped, fonts, printable
from trial.paper import sheets
from trial.paper.packs import Pack, Section

MARGIN, HEAD, FOOT = 16 * mm, 36 * mm, 26 * mm
QR = 22 * mm
INK, RULE = HexColor("#212b32"), HexColor("#4c6272")
FRONT = "front"


def draw(pack: Pack) -> bytes:
    """The file. The same pack gives the same bytes: nothing in it says when or by whom it was printed."""
    fonts()
    file = BytesIO()
    document = BaseDocTemplate(
        file,
        pagesize=A4,
        title=printable(pack.title),
        author=printable(pack.spec.study.code),
        subject=printable(pack.spec.study.public_name),
        lang=pack.language,
        invariant=1,
        pageTemplates=_templates(pack),
    )
    foot = partial(_page_number, pack)
    document.build(_story(pack), canvasmaker=lambda *args, **kwargs: NumberedCanvas(*args, foot=foot, **kwargs))
    return file.getvalue()


def _templates(pack: Pack) -> list[PageTemplate]:
    """One for the front page, and one for each section, whose head and foot name its questionnaire."""

    def template(name: str, section: Section | None) -> PageTemplate:
        frame = Frame(MARGIN, FOOT, A4[0] - 2 * MARGIN, A4[1] - HEAD - FOOT, id=name, leftPadding=0, rightPadding=0)
        return PageTemplate(id=name, frames=[frame], onPage=partial(_head_and_foot, pack, section))

    return [template(FRONT, None), *(template(one.instrument.code, one) for one in pack.sections)]


def _story(pack: Pack) -> list[Any]:
    story: list[Any] = [*sheets.front(pack)]
    for section in pack.sections:
        story += [NextPageTemplate(section.instrument.code), PageBreak(), *sheets.questionnaire(pack, section)]
        if section.has_support and not pack.is_annotated:
            story += [NextPageTemplate(FRONT), PageBreak(), *sheets.support(pack)]
    return story


def _head_and_foot(pack: Pack, section: Section | None, canvas: Canvas, _document: Any) -> None:
    canvas.saveState()
    top = A4[1] - 12 * mm
    canvas.setFillColor(INK)
    canvas.setFont(BOLD, 13)
    canvas.drawString(MARGIN, top - 6 * mm, _number_words(pack))
    canvas.setFont(FONT, 10.5)
    canvas.drawString(MARGIN, top - 12 * mm, printable(_place_words(pack, section)))
    _draw_qr(canvas, qr_text(pack, section), A4[0] - MARGIN - QR, A4[1] - 8 * mm - QR)
    canvas.setStrokeColor(RULE)
    canvas.line(MARGIN, A4[1] - HEAD + 3 * mm, A4[0] - MARGIN - QR - 3 * mm, A4[1] - HEAD + 3 * mm)
    if section:
        one = section.instrument
        canvas.setFont(FONT, 8)
        canvas.drawCentredString(A4[0] / 2, 10 * mm, f"{one.short_title} {one.language} {one.version}")
        _copyright(canvas, section)
    canvas.restoreState()


def _number_words(pack: Pack) -> str:
    if pack.is_annotated:
        return "Annotated case report form"
    return f"Participant number {pack.study_id or '____________________'}"


def _place_words(pack: Pack, section: Section | None) -> str:
    visit = pack.visit.name if pack.visit else "Visit ____________"
    return f"{visit}.  {section.label}" if section else visit


def qr_text(pack: Pack, section: Section | None) -> str:
    """What the code on each page says: number, visit, questionnaire and version; never more than the page itself."""
    parts = [pack.study_id or "-", pack.visit.code if pack.visit else "-"]
    if section:
        parts += [section.instrument.code, section.instrument.version]
    return " ".join(parts)


def _draw_qr(canvas: Canvas, text: str, x: float, y: float) -> None:
    code = QrCodeWidget(text, barLevel="M")
    left, low, right, high = code.getBounds()
    scale = QR / max(right - left, high - low)
    drawing = Drawing(QR, QR, transform=[scale, 0, 0, scale, 0, 0])
    drawing.add(code)
    renderPDF.draw(drawing, canvas, x, y)


def _copyright(canvas: Canvas, section: Section) -> None:
    """Stands on every page that shows the wording (instruments/README.md, rule 1)."""
    text = section.wording.copyright if section.wording else section.instrument.copyright
    paragraph = Paragraph(escaped(text), sheets.SMALL)
    _, height = paragraph.wrap(A4[0] - 2 * MARGIN, FOOT)
    paragraph.drawOn(canvas, MARGIN, 15 * mm + max(0, 8 * mm - height))


def _page_number(pack: Pack, canvas: Canvas, page: int, n_pages: int) -> None:
    study = pack.spec.study
    canvas.setFillColor(INK)
    canvas.setFont(FONT, 8)
    named = f"{study.code}, protocol {pack.spec.protocol.version}, IRAS {study.iras}"
    canvas.drawString(MARGIN, 10 * mm, printable(named))
    canvas.drawRightString(A4[0] - MARGIN, 10 * mm, f"Page {page} of {n_pages}")
