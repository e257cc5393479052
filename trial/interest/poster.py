"""A poster of one source: what the study is called, the address as QR and in letters, whom to ring. One page A4."""

from io import BytesIO

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from trial.base.pdf import BOLD, FONT, escaped, fonts, printable
from trial.interest.models import InterestSource
from trial.protocol.spec import ProtocolSpec

INK, BRAND = HexColor("#212b32"), HexColor("#1b4d3e")
QR = 85 * mm
WIDTH = A4[0] - 44 * mm


def draw(source: InterestSource, spec: ProtocolSpec) -> bytes:
    """The file; the same source gives the same bytes. Its words need the REC's approval before it hangs anywhere."""
    fonts()
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=1, lang="en-GB")
    canvas.setTitle(printable(f"{spec.study.public_name}: poster"))
    canvas.setAuthor(printable(spec.study.code))
    canvas.setFillColor(BRAND)
    canvas.rect(0, A4[1] - 18 * mm, A4[0], 18 * mm, stroke=0, fill=1)
    y = A4[1] - 34 * mm
    y = _words(canvas, spec.study.public_name, 30, y, bold=True)
    y = _words(canvas, "Would you like to hear more about this research study?", 18, y - 6 * mm)
    y = _words(canvas, "Leave your name and we will call you. We ask nothing about your health here.", 14, y - 5 * mm)
    y -= QR + 8 * mm
    _qr(canvas, source.url, (A4[0] - QR) / 2, y)
    y = _words(canvas, source.url, 13, y - 6 * mm, bold=True)
    y = _words(canvas, f"Or ring {spec.study.office_phone}, {spec.study.office_hours}", 14, y - 6 * mm)
    y = _words(
        canvas, "Asking to hear more does not mean that you take part. You can change your mind.", 12, y - 5 * mm
    )
    canvas.setFont(FONT, 8.5)
    canvas.setFillColor(INK)
    foot = f"{spec.study.code}  REC {spec.study.rec}  IRAS {spec.study.iras}  {source.site.code}-{source.code}"
    canvas.drawCentredString(A4[0] / 2, 12 * mm, printable(foot))
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _words(canvas: Canvas, text: str, size: float, top: float, *, bold: bool = False) -> float:
    """Centred words below `top`; returns where they end."""
    style = ParagraphStyle(
        "words", fontName=BOLD if bold else FONT, fontSize=size, leading=size * 1.3, alignment=TA_CENTER, textColor=INK
    )
    paragraph = Paragraph(escaped(text), style)
    _, height = paragraph.wrap(WIDTH, A4[1])
    paragraph.drawOn(canvas, (A4[0] - WIDTH) / 2, top - height)
    return float(top - height)


def _qr(canvas: Canvas, text: str, x: float, y: float) -> None:
    code = QrCodeWidget(text, barLevel="M")
    left, bottom, right, top = code.getBounds()
    scale = (QR / (right - left), QR / (top - bottom))
    drawing = Drawing(QR, QR, transform=[scale[0], 0, 0, scale[1], -left * scale[0], -bottom * scale[1]])
    drawing.add(code)
    renderPDF.draw(drawing, canvas, x, y)
