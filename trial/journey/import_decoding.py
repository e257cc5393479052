"""The letters of a CSV file, whatever program saved it: told by its bytes, never guessed where two readings fit.

UTF-8 and UTF-16 say what they are. Windows-1252, the usual answer of a spreadsheet to "CSV", says nothing: it is read
only where no line could also be UTF-8, and every line with such a letter is marked for a person to look at.
"""

import codecs
import re
from dataclasses import dataclass

from trial.base.errors import TrialError

LOOK = "Check its letters with accents: the file does not say how they are stored, and was read as Windows-1252"
DAMAGED = "Letters look damaged ({shown}). Save the list as “CSV UTF-8” from the program that made it"
LOST = "A letter was lost before the file came here (“\ufffd”). Type it again"

_BOMS = (
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_ABOVE_ASCII = re.compile(r"[^\x00-\x7f]")


class UnreadableFile(TrialError):
    """The file cannot be read as a list; the text says what to do."""


@dataclass(frozen=True)
class Decoded:
    """The text of a file; `is_guessed` where its bytes did not say how letters are stored."""

    text: str
    is_guessed: bool = False


def decoded(data: bytes) -> Decoded:
    """The text of a CSV file.

    Raises:
        UnreadableFile: another encoding, or more than one in the same file; names the line.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _said(data, encoding, len(mark) if encoding == "utf-8" else 0)
    if b"\x00" in data[:4000]:
        raise UnreadableFile(
            "The file is saved as “Unicode text” and its beginning is missing. Save it as “CSV UTF-8” or as .xlsx."
        )
    try:
        return Decoded(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return _windows(data, error.start)


def _said(data: bytes, encoding: str | None, skip: int) -> Decoded:
    """A file that says in its first bytes how it is stored; `skip` of them are no letters."""
    if encoding is None:
        raise UnreadableFile("The file is saved in a way that is not read here (UTF-32). Save it as “CSV UTF-8”.")
    try:
        return Decoded(data[skip:].decode(encoding))
    except UnicodeDecodeError as error:
        line = _line_of(data, skip + error.start)
        raise UnreadableFile(
            f"Line {line} holds letters that cannot be read. In the spreadsheet choose “CSV UTF-8”, or save as .xlsx."
        ) from error


def _windows(data: bytes, first: int) -> Decoded:
    """Windows-1252, unless some line is UTF-8: then the file was put together from two, and nobody can tell."""
    line = _line_of(data, first)
    if found := _SEQUENCE.search(data):
        raise UnreadableFile(
            f"Letters are stored in two ways: line {_line_of(data, found.start())} as UTF-8, line {line} another way."
            " Open both lists in the spreadsheet, put them together there, and save as “CSV UTF-8” or as .xlsx."
        )
    try:
        return Decoded(data.decode("cp1252"), is_guessed=True)
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"Line {_line_of(data, error.start)} holds letters that cannot be read."
            " In the spreadsheet choose “CSV UTF-8”, or save as .xlsx."
        ) from error


def _line_of(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1


def damage(text: str) -> str:
    """What is wrong with letters that were read the wrong way before: "ZoÃ«" for "Zoë"; empty where nothing is."""
    if "\ufffd" in text:
        return LOST
    if not _ABOVE_ASCII.search(text):
        return ""
    for word in text.split():
        try:
            mended = word.encode("cp1252").decode("utf-8")
        except UnicodeError:
            continue
        if mended != word:
            return DAMAGED.format(shown=f"“{word[:40]}” for “{mended[:40]}”?")
    return ""


def has_accents(text: str) -> bool:
    """Whether any letter lies outside ASCII."""
    return bool(_ABOVE_ASCII.search(text))
