"""Approved files, signatures and somebody at the consent pages, for tests of consent on a screen."""

import base64
import io
import re

from django.core import mail
from PIL import Image, ImageDraw
from reportlab.pdfgen.canvas import Canvas

from tests.factories import NOW, PASSWORD, Trial, make_user
from tests.trial.selfcompletion.builders import AtHome
from trial.consent import documents
from trial.consent.models import DocumentVersion


def a_pdf(text: str = "Demonstration") -> bytes:
    """A small PDF, the same bytes each time."""
    file = io.BytesIO()
    canvas = Canvas(file, invariant=1)
    canvas.drawString(72, 720, text)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def a_signature(width: int = 600, height: int = 200, *, strokes: bool = True) -> str:
    """What the box sends: a PNG with a line across it."""
    picture = Image.new("RGBA", (width, height), "white")
    if strokes:
        ImageDraw.Draw(picture).line([(40, 150), (200, 40), (320, 160), (560, 60)], fill="#212b32", width=5)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def keep_files(trial: Trial) -> Trial:
    """Upload a file for every document of the protocol."""
    by = make_user("Mary Trial-Manager")
    for document in DocumentVersion.objects.order_by("pk"):
        documents.upload(document=document, data=a_pdf(f"Demonstration {document.code}"), by=by, at=NOW)
    return trial


def yes_to_all(number: int = 10, **changes: str) -> dict[str, str]:
    """Every statement answered with yes, but for changes."""
    return {f"statement_{n}": "yes" for n in range(1, number + 1)} | changes


SIGNED = {"name": "Carol Tester", "way": "drawn", "drawn": a_signature(), "typed": ""}
TYPED = {"name": "Carol Tester", "way": "typed", "drawn": "", "typed": "Carol Tester"}
COUNTERSIGNED = {
    "capacity_confirmed": "yes",
    "copy_how": "print",
    "comment": "",
    "way": "drawn",
    "drawn": a_signature(),
    "typed": "",
    "secret": PASSWORD,
}


def consent_link() -> str:
    """The path of the link in the last e-mail."""
    return re.search(r"(/c/[A-Za-z0-9_-]{32}/)", mail.outbox[-1].body)[1]


class AtConsent(AtHome):
    """A participant at the consent pages, without JavaScript."""

    def through(self, *, statements: dict[str, str] | None = None, sign: dict[str, str] | None = None) -> "AtConsent":
        """From the sheet to the end."""
        self.post("/consent/sheet/")
        self.post("/consent/statements/", **(statements or yes_to_all()))
        self.post("/consent/signature/", **(sign or SIGNED))
        return self.post("/consent/certify/", certify="yes")
