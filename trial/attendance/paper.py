"""The printable register of one session, for when there is no signal or no telephone (R-30)."""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from trial.access.models import AccessEvent
from trial.access.permissions import StaffRequest, requires
from trial.access.policy import Action
from trial.activities.models import Session
from trial.attendance import reads
from trial.base.pdf import BOLD, FONT, NumberedCanvas, escaped, fonts, printable
from trial.base.words import clock_time, local_day, long_date

COLUMNS = ("First name", "Study number", "Here", "Minutes if not all", "Absent, told us", "Absent", "Reason or note")
WIDTHS = tuple(width * mm for width in (32, 32, 14, 22, 20, 18, 42))
VISITOR_ROWS = 3


@requires(Action.TAKE_REGISTER)
@require_safe
def sheet(request: StaffRequest, session: int) -> HttpResponse:
    """One session's register as an A4 sheet: first names and study numbers, nothing that names an arm."""
    found = reads.register_for(request.user, session)
    shown = reads.register(found, request.user)
    now = timezone.now()
    AccessEvent(
        user=request.user,
        role=request.user.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record=f"Paper register of session {found.pk}",
        at=now,
    ).save()
    people = [(card.name, card.study_id) for card in shown.cards]
    response = HttpResponse(draw(found, people, str(request.user), now), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="register-{found.pk}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response


def draw(session: Session, people: Sequence[tuple[str, str]], printed_by: str, at: datetime) -> bytes:
    """The sheet as PDF. `people` are first names and study numbers; `session` comes from `with_frame`."""
    fonts()
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=15 * mm,
        rightMargin=15 * mm,
        topMargin=15 * mm,
        bottomMargin=18 * mm,
        title=f"Register, {long_date(session.starts_at)}",
        author=printable(printed_by),
        lang="en-GB",
    )
    note = printable(f"Printed {long_date(at)} by {printed_by}")

    def foot(canvas: Canvas, page: int, n_pages: int) -> None:
        canvas.setFont(FONT, 8)
        canvas.drawString(15 * mm, 10 * mm, note)
        canvas.drawRightString(A4[0] - 15 * mm, 10 * mm, f"Page {page} of {n_pages}")

    document.build(
        _story(session, people), canvasmaker=lambda *args, **kwargs: NumberedCanvas(*args, foot=foot, **kwargs)
    )
    return file.getvalue()


def _story(session: Session, people: Sequence[tuple[str, str]]) -> list[Any]:
    title = ParagraphStyle("title", fontName=BOLD, fontSize=16, leading=20)
    text = ParagraphStyle("text", fontName=FONT, fontSize=10, leading=15)
    group = session.group
    hours = f"{clock_time(session.starts_at)} to {clock_time(session.ends_at)}"
    lines = (
        f"{local_day(session.starts_at):%A} {long_date(session.starts_at)}, {hours}, {group.venue}",
        f"Session {session.number} of {session.n_planned}. Leader: {group.leader}",  # type: ignore[attr-defined]
        "Risk check before the start: safe to go ahead   Yes [  ]   No [  ]   Time ______   Signed ________________",
    )
    after = (
        "Session cancelled [  ]   Reason ______________________________________________",
        "Recorded by ____________________________   Date and time ____________________",
    )
    heading = [Paragraph(escaped(f"Register: {group}"), title), *[Paragraph(escaped(line), text) for line in lines]]
    ending = [Paragraph(escaped(line), text) for line in after]
    return [*heading, Spacer(1, 4 * mm), _table(people), Spacer(1, 4 * mm), *ending]


def _table(people: Sequence[tuple[str, str]]) -> Table:
    cell = ParagraphStyle("cell", fontName=FONT, fontSize=9, leading=11)
    head = ParagraphStyle("head", fontName=BOLD, fontSize=8, leading=10)
    rows = [[Paragraph(escaped(label), head) for label in COLUMNS]]
    filled = [(name, number) for name, number in people] + [("Visitor", "")] * VISITOR_ROWS
    for name, number in filled:
        rows.append([Paragraph(escaped(name), cell), Paragraph(escaped(number), cell), *[""] * 5])
    table = Table(rows, colWidths=WIDTHS, rowHeights=[11 * mm] + [10 * mm] * len(filled), repeatRows=1)
    table.setStyle(
        TableStyle([("GRID", (0, 0), (-1, -1), 0.5, HexColor("#212b32")), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
    )
    return table
