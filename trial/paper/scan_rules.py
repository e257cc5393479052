"""What a file is, by what it holds and never by its name: bytes in, facts or a refusal out."""

import io
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image
from pypdf import PageObject, PdfReader

from trial.base.errors import TrialError

MOST_PIXELS = 40_000_000
"""A page of A4 at 600 dots an inch has 35 million."""
MOST_PAGES = 30
WIDEST_SHOWN = 1600
STARTS = ((b"%PDF-", "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"))
ACTIVE = ("/JavaScript", "/JS", "/Launch", "/EmbeddedFiles", "/RichMedia", "/XFA")
"""What a scan never holds, and what could do harm on somebody's machine."""


class ScanRefused(TrialError):
    """The file is no scan that can be kept; the text says what to do."""


@dataclass(frozen=True)
class Facts:
    """What a file turned out to be."""

    kind: str
    n_pages: int
    has_pictures: bool


def facts_of(data: bytes) -> Facts:
    """What the bytes are, once they were read to the end.

    Raises:
        ScanRefused: not a PDF, PNG or JPEG file; broken, encrypted, too large when unpacked, or with active content.
    """
    if not data:
        raise ScanRefused("This file is empty. Scan the form again.")
    kind = next((name for start, name in STARTS if data.startswith(start)), None)
    if kind is None:
        raise ScanRefused("This is not a PDF, PNG or JPEG file. Save the scan as one of these.")
    return _pdf(data) if kind == "pdf" else _picture(data, kind)


def _picture(data: bytes, kind: str) -> Facts:
    _opened(data, kind)
    return Facts(kind, 1, True)


def _opened(data: bytes, kind: str) -> Image.Image:
    """The picture, decoded to its last line; its size is looked at before anything is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=[kind.upper()])
            if picture.width * picture.height > MOST_PIXELS:
                raise ScanRefused("This picture is too large. Scan the form at 300 dots per inch.")
            picture.load()
    except ScanRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ScanRefused("This picture is too large. Scan the form at 300 dots per inch.") from None
    except Exception:  # whatever a broken file makes the reader say
        raise ScanRefused("This picture is damaged. Scan the form again.") from None
    return picture


def _pdf(data: bytes) -> Facts:
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise ScanRefused("This PDF file is protected with a password. Save it without one.")
        n_pages = len(reader.pages)
        if n_pages and _holds_active(reader):
            raise ScanRefused("This PDF file holds scripts or attachments. Print it, and scan the print.")
    except ScanRefused:
        raise
    except Exception:  # whatever a broken file makes the reader say
        raise ScanRefused("This PDF file is damaged. Scan the form again.") from None
    if not 0 < n_pages <= MOST_PAGES:
        raise ScanRefused(f"A scan has 1 to {MOST_PAGES} pages, this file has {n_pages}.")
    return Facts("pdf", n_pages, _are_pictures(reader) and bool(picture_of(data, 1)))


def _are_pictures(reader: PdfReader) -> bool:
    """Whether each page is one picture without text. Only the first is decoded: thirty would take too long."""
    try:
        return all(_is_picture(page) for page in reader.pages)
    except Exception:  # a page that cannot be read is downloaded instead
        return False


def _is_picture(page: PageObject) -> bool:
    return len(page.images) == 1 and not (page.extract_text() or "").strip()


def _holds_active(reader: PdfReader) -> bool:
    """Whether the catalogue, its names or a page says something that runs or carries files."""
    root: Any = reader.root_object
    places = [root, root.get("/Names"), root.get("/AcroForm"), root.get("/OpenAction"), root.get("/AA")]
    for page in reader.pages:
        places += [page, page.get("/AA")]
        places += [one.get_object() for one in (page.get("/Annots") or [])]
    return any(_names_active(one) for one in places if one is not None)


def _names_active(place: Any) -> bool:
    found = place.get_object()
    if not hasattr(found, "keys"):
        return False
    inner = found.get("/A")
    action = [inner.get_object()] if inner is not None else []
    return any(name in one or one.get("/S") in ACTIVE for one in (found, *action) for name in ACTIVE)


def picture_of(data: bytes, number: int) -> bytes:
    """One page of a scanned PDF as JPEG: the one picture that such a page consists of. Empty where it does not.

    Args:
        number: of the page, from 1.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            page = PdfReader(io.BytesIO(data)).pages[number - 1]
            if not _is_picture(page):
                return b""
            picture = page.images[0].image
            if picture is None or picture.width * picture.height > MOST_PIXELS:
                return b""
            return _as_jpeg(picture.rotate(-page.rotation, expand=True) if page.rotation else picture)
    except Exception:  # a page that cannot be shown is downloaded instead
        return b""


def _as_jpeg(picture: Image.Image) -> bytes:
    shown = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    shown.thumbnail((WIDEST_SHOWN, WIDEST_SHOWN * 3))
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=80)
    return file.getvalue()
