"""Approved files of the demonstration: they say in so many words what they are. The same bytes each time."""

from datetime import datetime
from io import BytesIO

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from trial.base.pdf import BOLD, FONT, escaped, fonts
from trial.base.words import long_date
from trial.consent import documents
from trial.consent.models import DocumentVersion
from trial.demo.stage import Stage
from trial.protocol.spec import ProtocolSpec

TEXT = ParagraphStyle("text", fontName=FONT, fontSize=11, leading=16, spaceAfter=3 * mm)
HEAD = ParagraphStyle("head", parent=TEXT, fontName=BOLD, fontSize=18, leading=24)
WARNING = "DEMONSTRATION. This document belongs to no real study, and no ethics committee has seen it."
SHEET = (
    "You are invited to take part in a study. Before you decide, read this sheet and ask what you like.",
    "People who feel low are offered a weekly group for ten weeks, outdoors or indoors. Chance decides which. You go"
    " on with your usual care in either case.",
    "You need not take part. You may stop at any time, without giving a reason and without any effect on your care.",
    "We ask you to answer questions four times within half a year. They take about 20 minutes.",
    "Your name and address are kept apart from your answers, and sealed. We do not read answers straight away: if you"
    " need help now, call 999, NHS 111 (choose option 2) or Samaritans on 116 123.",
    "If you lose the ability to decide for yourself, you take part no longer. What was collected until then is kept.",
)
LETTER = ("This person has agreed that we tell you that they take part in our study. Ring us with any worry.",)


def upload_all(stage: Stage, at: datetime) -> None:
    """Every document's file, by the page's own action."""
    for document in DocumentVersion.objects.order_by("pk"):
        documents.upload(document=document, data=drawn(document, stage.spec), by=stage.staff("manager"), at=at)


def drawn(document: DocumentVersion, spec: ProtocolSpec) -> bytes:
    """The file of one document."""
    fonts()
    file = BytesIO()
    title = f"{document.title} {document.version}"
    template = SimpleDocTemplate(file, pagesize=A4, title=title, author=spec.study.short_name, invariant=1)
    lines = [
        WARNING,
        f"Version {document.version} of {long_date(document.document_date)}",
        spec.study.title,
        *_body(document),
    ]
    story = [Paragraph(escaped(title), HEAD), *[Paragraph(escaped(line), TEXT) for line in lines], Spacer(1, 4 * mm)]
    story.append(Paragraph(escaped(f"Ring us on {spec.study.office_phone}, {spec.study.office_hours}."), TEXT))
    template.build(story)
    return file.getvalue()


def _body(document: DocumentVersion) -> list[str]:
    if document.kind == DocumentVersion.Kind.PIS:
        return list(SHEET)
    if document.kind == DocumentVersion.Kind.CONSENT:
        ends = {True: "", False: " (optional)"}
        return [
            f"{n}. {one['text']}{ends[bool(one['mandatory'])]} Yes [ ] No [ ]"
            for n, one in enumerate(document.statements, start=1)
        ]
    return list(LETTER)
