"""What printed pages share: fonts that come with reportlab, text that they can show, page n of m."""

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpResponse
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

FONT, BOLD = "Vera", "VeraBd"


@cache
def fonts() -> TTFont:
    """The fonts, embedded in every file that uses them."""
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    return pdfmetrics.getFont(FONT)


def printable(text: str) -> str:
    """The text in letters that the font has: others lose their accent, or become a question mark."""
    known = fonts().face.charToGlyph
    found = []
    for letter in text:
        plain = letter if ord(letter) in known else unicodedata.normalize("NFKD", letter)[0]
        found.append(plain if ord(plain) in known else "?")
    return "".join(found)


def escaped(text: str) -> str:
    """The same as reportlab's paragraphs take it."""
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def pdf_response(content: bytes, name: str) -> HttpResponse:
    """A file to keep, which no cache keeps and no browser takes for anything else."""
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    return response


class NumberedCanvas(Canvas):  # type: ignore[misc]
    """Draws the foot of each page once the number of pages is known.

    Args:
        foot: draws on the canvas; told the page and the number of pages, both from 1.
    """

    def __init__(self, *args: Any, foot: Callable[[Canvas, int, int], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._foot = foot
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802  # reportlab's name
        """Keep the page until the end."""
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write every page with its foot."""
        for number, page in enumerate(self._kept, start=1):
            self.__dict__.update(page)
            self._foot(self, number, len(self._kept))
            super().showPage()
        super().save()
