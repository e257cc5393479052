"""The sealed form as PDF: what was shown, every statement with its answer, both signatures, both times (R-18, R-31)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from trial.base.pdf import BOLD, FONT, NumberedCanvas, escaped, fonts, printable
from trial.base.words import date_and_time, long_date
from trial.consent.evidence_models import ConsentEvidence, SignatureKind
from trial.consent.models import Consent
from trial.consent.sealing import MEANING, Mark, opened
from trial.participants import identity

INK, GREY, RULE = HexColor("#212b32"), HexColor("#4c6272"), HexColor("#aeb7bd")
WIDTH = A4[0] - 40 * mm - 12  # the frame keeps 6 points free at each side
TEXT = ParagraphStyle("text", fontName=FONT, fontSize=9.5, leading=13, textColor=INK)
SMALL = ParagraphStyle("small", parent=TEXT, fontSize=7.5, leading=10, textColor=GREY, splitLongWords=True)
STRONG = ParagraphStyle("strong", parent=TEXT, fontName=BOLD)
HEAD = ParagraphStyle("head", parent=TEXT, fontName=BOLD, fontSize=16, leading=20, spaceAfter=2 * mm)
SECTION = ParagraphStyle("section", parent=TEXT, fontName=BOLD, fontSize=11, leading=15, spaceBefore=4 * mm)
SIGNATURE_WIDTH, SIGNATURE_HEIGHT = 60 * mm, 16 * mm


def draw(consent: Consent, *, verify_url: str) -> bytes:
    """The file of one consent with its evidence.

    Args:
        verify_url: the page that says whether a file is ours and unaltered.

    Raises:
        SealBroken: the person's key does not open names or signatures.
    """
    fonts()
    study = consent.participant.referral.protocol_version.spec.study
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=18 * mm,
        bottomMargin=22 * mm,
        title=printable(f"Consent form {consent.form.version}, {consent.participant.study_id}"),
        author=printable(study.short_name),
        subject=printable(study.public_name),
        lang=consent.language,
    )
    foot = partial(_foot, f"{consent.participant.study_id}. Check this file at {verify_url}")
    story = [Paragraph(escaped(study.public_name), SMALL), Paragraph(escaped(consent.form.title), HEAD)]
    story += _facts(consent) + _statements(consent) + _signatures(consent)
    story += [Spacer(1, 4 * mm), Paragraph(escaped(_keeping(verify_url)), SMALL)]
    document.build(story, canvasmaker=lambda *args, **kwargs: NumberedCanvas(*args, foot=foot, **kwargs))
    return file.getvalue()


def _keeping(verify_url: str) -> str:
    return (
        "Keep this file. Nobody can change it unseen: to check that it is ours and unaltered, give it to the page"
        f" {verify_url}. A print of it cannot be checked there. Anything that is to change needs a new consent."
    )


def _facts(consent: Consent) -> list[Any]:
    evidence, given = consent.evidence, consent.information
    sheet, study = given.document, consent.participant.referral.protocol_version.spec.study
    person = consent.participant.referral.person
    rows = [
        ("Study", f"{study.title}. IRAS {study.iras}, REC {study.rec}. Sponsor: {study.sponsor}"),
        ("Participant", f"{identity.open_text(person, evidence.name_sealed)}, {consent.participant.study_id}"),
        ("Site", str(consent.participant.number_site)),
        ("Information sheet", _version(f"{sheet.title} {sheet.version}", evidence.information_sha256)),
        ("Given on", _both(given.given_at)),
        ("Consent form", _version(f"{consent.form.title} {consent.form.version}", evidence.form_sha256)),
        ("How", f"{consent.get_method_display()}. Language {consent.language}. {_interpreter(consent)}"),
    ]
    if evidence.signature_kind == SignatureKind.SPOKEN:
        witness = identity.open_text(person, consent.witness_name_sealed)
        rows.append(("Witness", f"{witness}, heard it on {_both(evidence.witness_heard_at)}"))
    if evidence.identity_check and evidence.identity_checked_date:
        compared = ", ".join(evidence.identity_items)
        how = f"{evidence.get_identity_check_display()}, {long_date(evidence.identity_checked_date)}"
        rows.append(("Identity checked", f"{how}. Compared: {compared}"))
    if consent.comment:
        rows.append(("Comment", consent.comment))
    return [_table([(Paragraph(escaped(term), STRONG), Paragraph(text, TEXT)) for term, text in _marked(rows)], 34)]


def _marked(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Texts as paragraphs take them; a hash stands on a line of its own, small."""
    found = []
    for term, text in rows:
        words, _, digest = text.partition("\n")
        more = f'<br/><font size="7" color="#4c6272">{escaped(digest)}</font>' if digest else ""
        found.append((term, escaped(words) + more))
    return found


def _version(words: str, sha256: str) -> str:
    return f"{words}\nSHA-256 of the file shown: {sha256}" if sha256 else words


def _interpreter(consent: Consent) -> str:
    if not consent.interpreter:
        return "No interpreter."
    name = identity.open_text(consent.participant.referral.person, consent.evidence.interpreter_sealed)
    return f"Interpreter: {name}." if name else "An interpreter helped."


def _both(moment: datetime | None) -> str:
    """A moment in the study's time and in UTC."""
    if moment is None:
        return ""
    return f"{date_and_time(moment)} (UTC {moment.astimezone(UTC):%Y-%m-%d %H:%M:%S})"


def _statements(consent: Consent) -> list[Any]:
    rows = []
    for number, one in enumerate(consent.form.statements, start=1):
        answer = {True: "Yes", False: "No"}.get(consent.statements.get(one["code"]), "–")
        optional = "" if one["mandatory"] else " (optional)"
        rows.append((Paragraph(escaped(f"{number}. {one['text']}{optional}"), TEXT), Paragraph(answer, STRONG)))
    return [Paragraph("What was agreed", SECTION), _table(rows, None)]


def _signatures(consent: Consent) -> list[Any]:
    evidence, person = consent.evidence, consent.participant.referral.person
    mine = opened(person, evidence.signature_kind, evidence.signature_sealed)
    theirs = opened(person, evidence.taker_kind, evidence.taker_sealed)
    name = identity.open_text(person, evidence.name_sealed)
    certified = "I certify that this is what I agreed to."
    signature = evidence.signature
    return [
        KeepTogether(
            [
                Paragraph("Participant", SECTION),
                *_mark(mine),
                Paragraph(escaped(f"{name}. {_kind_words(evidence)}. {_both(consent.signed_at)}"), TEXT),
                Paragraph(escaped(certified if mine.kind != SignatureKind.SPOKEN else ""), SMALL),
            ]
        ),
        KeepTogether(
            [
                Paragraph("Person who took consent", SECTION),
                *_mark(theirs),
                Paragraph(
                    escaped(f"{signature.printed_name}, {_role(signature.role)}. {_both(signature.signed_at)}"), TEXT
                ),
                Paragraph(escaped(f"{MEANING} Proved by {signature.evidence}, entered again."), SMALL),
                Paragraph(escaped(f"SHA-256 of what was signed: {evidence.content_sha256}"), SMALL),
            ]
        ),
    ]


def _role(codes: str) -> str:
    return codes.replace("_", " ").replace("+", " and ")


def _kind_words(evidence: ConsentEvidence) -> str:
    return {
        SignatureKind.DRAWN: "Signature drawn",
        SignatureKind.TYPED: "Signature typed instead of drawn",
        SignatureKind.SPOKEN: "Spoken by telephone before the witness named above",
    }[SignatureKind(evidence.signature_kind)]


def _mark(mark: Mark) -> list[Any]:
    if mark.kind == SignatureKind.DRAWN:
        picture = Image(BytesIO(mark.png))
        share = min(SIGNATURE_WIDTH / picture.imageWidth, SIGNATURE_HEIGHT / picture.imageHeight)
        picture.drawWidth, picture.drawHeight = picture.imageWidth * share, picture.imageHeight * share
        picture.hAlign = "LEFT"
        return [picture]
    return [Paragraph(escaped(f"[{mark.typed}]"), STRONG)] if mark.typed else []


def _table(rows: list[tuple[Paragraph, Paragraph]], first: float | None) -> Table:
    widths = [first * mm, WIDTH - first * mm] if first else [WIDTH - 16 * mm, 16 * mm]
    rules = [("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    return Table(rows, colWidths=widths, style=TableStyle([*rules, ("LEFTPADDING", (0, 0), (0, -1), 0)]))


def _foot(text: str, canvas: Canvas, page: int, pages: int) -> None:
    canvas.setFont(FONT, 7.5)
    canvas.setFillColor(GREY)
    canvas.drawString(20 * mm, 12 * mm, printable(text))
    canvas.drawRightString(A4[0] - 20 * mm, 12 * mm, f"Page {page} of {pages}")
