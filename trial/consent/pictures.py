"""A drawn signature is a picture with ink on it: bytes in, a clean picture or a refusal out (BR-14)."""

import base64
import binascii
import io
import warnings

from PIL import Image

from trial.consent.errors import SignatureRefused

START = "data:image/png;base64,"
MOST_BYTES = 200_000
WIDEST, TALLEST = 2400, 1200
NARROWEST, FLATTEST = 100, 40
LEAST_INK = 120
"""Dark pixels. A dot of the pad's pen has about 30, the shortest real initials several hundred."""
LEAST_WIDE = 20
"""Pixels that the ink must span in one direction: a blot is no signature."""
AGAIN = "Draw your signature again, or type your name instead"


def signature_png(data_url: str) -> bytes:
    """The picture as PNG, drawn anew from its pixels, so that nothing else in the file is kept.

    Raises:
        SignatureRefused: it is no PNG picture, of a size no pad has, or blank.
    """
    if not data_url.startswith(START) or len(data_url) > MOST_BYTES * 4 // 3 + 100:
        raise SignatureRefused(f"That was not a signature from the box. {AGAIN}")
    try:
        data = base64.b64decode(data_url[len(START) :], validate=True)
    except (binascii.Error, ValueError):
        raise SignatureRefused(f"That was not a signature from the box. {AGAIN}") from None
    picture = _opened(data)
    _require_ink(picture)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _opened(data: bytes) -> Image.Image:
    """The picture in shades of grey on white; its size is looked at before anything is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = Image.open(io.BytesIO(data), formats=["PNG"])
            if not (NARROWEST <= found.width <= WIDEST and FLATTEST <= found.height <= TALLEST):
                raise SignatureRefused(f"The signature has an unusual size. {AGAIN}")
            found.load()
            layered = found.convert("RGBA")
    except SignatureRefused:
        raise
    except Exception:  # whatever a broken file makes the reader say
        raise SignatureRefused(f"The signature could not be read. {AGAIN}") from None
    paper = Image.new("RGBA", layered.size, "white")
    paper.alpha_composite(layered)
    return paper.convert("L")


def _require_ink(picture: Image.Image) -> None:
    ink = picture.point(lambda shade: 255 if shade < 128 else 0)
    n_dark = ink.histogram()[255]
    box = ink.getbbox()
    if box is None or n_dark < LEAST_INK or max(box[2] - box[0], box[3] - box[1]) < LEAST_WIDE:
        raise SignatureRefused(f"The box is empty, or nearly so. {AGAIN}")
    if n_dark > picture.width * picture.height // 2:
        raise SignatureRefused(f"The box is filled in. {AGAIN}")


def as_data_url(png: bytes) -> str:
    """The picture as a page shows it."""
    return START + base64.b64encode(png).decode("ascii")
