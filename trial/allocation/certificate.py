"""The printable certificate of one allocation, with the arm or without it (randomisation.md 8.7 and 9.15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from randomisation.codes import certificate_code
from randomisation.models import Allocation, AllocationMember
from trial.access.models import AccessEvent, User
from trial.access.policy import Action
from trial.allocation.reads import digest_of, show_arm
from trial.allocation.schemes import told
from trial.base.pdf import BOLD, FONT, fonts, printable
from trial.base.words import in_groups, local_day, long_date
from trial.participants.models import Participant
from trial.protocol import rules as protocol_rules
from trial.protocol.spec import ProtocolSpec

MARGIN, LABEL_WIDTH = 20 * mm, 48 * mm
WIDTH = A4[0] - 2 * MARGIN
INK, QUIET, BRAND = HexColor("#212b32"), HexColor("#4c6272"), HexColor("#1b4d3e")
LINE_MM = 5.2
WITHOUT_ARM = "Allocated"


@dataclass(frozen=True)
class Certificate:
    """What is printed. `result` is an arm only for a reader who may see it.

    Attributes:
        number: of the participant.
        code: proves the certificate when records must be recovered.
        rows: facts as (term, text).
    """

    study: str
    number: str
    result: str
    rows: tuple[tuple[str, str], ...]
    code: str
    digest: str
    next_step: str
    shows_arm: bool

    def __repr__(self) -> str:
        return "<Certificate>"


@sensitive_variables()
def certificate_for(*, participant: Participant, allocation: Allocation, by: User, at: datetime) -> Certificate:
    """The certificate as one person may see it; printing it is logged, and the showing of an arm besides.

    Raises:
        AllocationRefused: no usable sealing key, or a sealed value was altered.
    """
    spec = participant.referral.protocol_version.spec
    shows_arm = by.access.may(Action.VIEW_ARM, participant.site)
    with told():
        code = certificate_code(allocation)
        arm = show_arm(participant=participant, by=by, at=at, reason="Allocation certificate") if shows_arm else None
    AccessEvent(
        user=by,
        role=by.role_code,
        kind=AccessEvent.Kind.EXPORTED,
        record=f"Allocation certificate of {participant.study_id}",
        at=at,
    ).save()
    return Certificate(
        study=f"{spec.study.short_name}, protocol {spec.protocol.version}",
        number=participant.study_id,
        result=arm.label if arm else WITHOUT_ARM,
        rows=_rows(participant, allocation, spec),
        code=code,
        digest=digest_of(allocation),
        next_step=_next_step(allocation, spec),
        shows_arm=arm is not None,
    )


def _rows(participant: Participant, allocation: Allocation, spec: ProtocolSpec) -> tuple[tuple[str, str], ...]:
    site = participant.number_site
    verb = "Randomised by" if allocation.source == Allocation.Source.ONLINE else "Entered by"
    return (
        ("Time", f"{timezone.localtime(allocation.at):%d %B %Y, %H:%M:%S, UTC%z}"),
        ("Number of the allocation", str(allocation.seq)),
        ("Site", f"{site.code} {site.name}"),
        (verb, str(allocation.by)),
        ("How", allocation.get_source_display()),
        *_members(allocation, spec),
        ("Engine", allocation.engine_version),
        ("Software", f"Hedgerow {allocation.software_version}"),
    )


def _members(allocation: Allocation, spec: ProtocolSpec) -> list[tuple[str, str]]:
    """Factors as they were confirmed; of a household each person with their own."""
    members = list(allocation.members.select_related("participant"))
    if len(members) == 1:
        return _factors(members[0], spec)
    listed = [(one.participant.study_id, "; ".join(value for _, value in _factors(one, spec))) for one in members]
    return [("Household", f"{len(members)} people, allocated together"), *listed]


def _factors(member: AllocationMember, spec: ProtocolSpec) -> list[tuple[str, str]]:
    found = []
    for factor in spec.randomisation.factors:
        code = member.factors[factor.code]
        labels = {level.code: level.label for level in factor.levels}
        found.append((f"{factor.label}, confirmed", labels.get(code, code)))
    return found


def _next_step(allocation: Allocation, spec: ProtocolSpec) -> str:
    deadline = protocol_rules.first_session_deadline(spec, local_day(allocation.at))
    days = spec.session_plan.welcome_call_working_days
    return f"First session by {long_date(deadline)}. Welcome call within {days} working days."


CODE_EXPLAINED = (
    "This code proves the certificate. If records are lost and must be recovered, whoever enters the allocation again"
    " types it, and the system compares it with the sealed list. Nobody ever types what a person was allocated to."
)
DIGEST_EXPLAINED = "Digest of the randomisation log after this allocation: an entry changed later would change it."
KEEP_FROM = "This page shows what the person was allocated to. Keep it from everybody who is blinded."
BLINDED = "This page does not show what the person was allocated to."


def draw(certificate: Certificate) -> bytes:
    """One A4 page as PDF. It is not compressed, and every line has its place: its length tells nothing of an arm."""
    fonts()
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, pageCompression=0, invariant=1, lang="en-GB")
    canvas.setTitle(f"Allocation certificate {certificate.number}")
    canvas.setAuthor(printable(certificate.study))
    pen = _Pen(canvas)
    pen.text(certificate.study, 10, QUIET)
    pen.text("Allocation certificate", 20, BRAND, bold=True, gap=10)
    pen.text(certificate.number, 26, INK, bold=True, gap=8)
    pen.text("Allocated to" if certificate.shows_arm else "Result", 10, QUIET, gap=6)
    pen.text(certificate.result, 16, INK, bold=True, gap=1)
    pen.rows(certificate.rows)
    pen.text("Certificate code", 10, QUIET, gap=8)
    pen.text(in_groups(certificate.code), 18, INK, bold=True, gap=2)
    pen.text(CODE_EXPLAINED, 9, QUIET, gap=2)
    pen.text("Log", 10, QUIET, gap=6)
    for half in (certificate.digest[:32], certificate.digest[32:]):
        pen.text(in_groups(half), 10, INK)
    pen.text(DIGEST_EXPLAINED, 9, QUIET, gap=2)
    pen.text("Next step", 10, QUIET, gap=6)
    pen.text(certificate.next_step, 11, INK)
    pen.text(KEEP_FROM if certificate.shows_arm else BLINDED, 10, INK, bold=True, gap=8)
    canvas.save()
    return file.getvalue()


class _Pen:
    """Writes down the page, line under line."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.y = A4[1] - MARGIN

    def text(self, text: str, size: float, colour: HexColor, *, bold: bool = False, gap: float = 0) -> None:
        """A paragraph, `gap` millimetres below what is there."""
        font = BOLD if bold else FONT
        self.canvas.setFillColor(colour)
        self.y -= gap * mm
        for line in simpleSplit(printable(text), font, size, WIDTH):
            self.y -= size * 1.25
            self.canvas.setFont(font, size)
            self.canvas.drawString(MARGIN, self.y, line)

    def rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Terms on the left, their texts on the right."""
        self.y -= 4 * mm
        for term, text in rows:
            self._row(term, text)

    def _row(self, term: str, text: str) -> None:
        lines = simpleSplit(printable(text), FONT, 10.5, WIDTH - LABEL_WIDTH) or [""]
        terms = simpleSplit(printable(term), FONT, 10, LABEL_WIDTH - 3 * mm) or [""]
        for place in range(max(len(lines), len(terms))):
            self.y -= LINE_MM * mm
            self.canvas.setFont(FONT, 10)
            self.canvas.setFillColor(QUIET)
            self.canvas.drawString(MARGIN, self.y, terms[place] if place < len(terms) else "")
            self.canvas.setFont(FONT, 10.5)
            self.canvas.setFillColor(INK)
            self.canvas.drawString(MARGIN + LABEL_WIDTH, self.y, lines[place] if place < len(lines) else "")
        self.y -= 1.2 * mm
