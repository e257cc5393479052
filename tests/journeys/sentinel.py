"""A trial whose arms have words that occur nowhere else, and a search for them in whatever leaves the system."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from urllib.parse import quote, quote_plus

from django.contrib.sessions.models import Session
from django.db import connection
from pypdf import PdfReader

from tests.factories import LIBRARY, staff
from trial.access.policy import POLICY, Role

WORDS = {
    "nature": "zq7xharrier",
    "indoor": "kv4wfieldfare",
    "Nature group": "Zq7xharrier hours",
    "Indoor group": "Kv4wfieldfare hours",
}
SECRETS = ("zq7xharrier", "kv4wfieldfare")
"""Codes of the arms; their labels begin with the same letters."""


def changes():
    """GREENRX-F with these arms, as `tests.factories.Trial` takes it."""
    text = (LIBRARY / "greenrx_f.json").read_text()
    for word, sentinel in WORDS.items():
        text = text.replace(f'"{word}"', f'"{sentinel}"')
    return json.loads(text)


# -- searching


def _encoded(word: str) -> Iterator[str]:
    """The word as it would stand in something encoded: base64 at each of its three alignments, hexadecimal, a URL."""
    for text in {word, word.capitalize(), WORDS_BY_START[word]}:
        for shift in range(3):
            whole = base64.b64encode(b"\0" * shift + text.encode()).decode().rstrip("=")
            yield whole[(0, 2, 3)[shift] : -2]
        yield text.encode().hex()
        yield from (quote(text), quote_plus(text))


WORDS_BY_START = {sentinel.split()[0].lower(): sentinel for sentinel in WORDS.values() if " " in sentinel}
EXACT = tuple({form for word in SECRETS for form in _encoded(word)})


def hits(text: str) -> list[str]:
    """The arms' words in a text, whatever their case and in each encoding."""
    plain = text.lower()
    return [word for word in SECRETS if word in plain] + [form for form in EXACT if form in text]


def texts_of(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    """What a file says: its bytes, the members of a zip, the words of a PDF."""
    yield name, data.decode("latin-1")
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield f"{name}/{member}", member
                yield from texts_of(f"{name}/{member}", archive.read(member))
    if data.startswith(b"%PDF"):
        yield f"{name} as text", _words_of_pdf(data)


@cache
def _words_of_pdf(data: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def response_texts(name: str, response) -> Iterator[tuple[str, str]]:
    """Headers and body of a response, downloads opened."""
    yield f"{name} headers", "\n".join(f"{key}: {value}" for key, value in response.items())
    body = b"".join(response.streaming_content) if response.streaming else response.content
    yield from texts_of(name, body)


def columns_with_an_arm() -> set[str]:
    """Every column of the database, as `table.column`, in which a cell holds an arm's word. Sessions are opened."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                found |= {f"{table}.{name}" for name, cell in zip(names, row, strict=True) if hits(_as_text(cell))}
    if any(hits(str(session.get_decoded())) for session in Session.objects.all()):
        found.add("django_session.session_data")
    return found


def _as_text(cell) -> str:
    return bytes(cell).decode("latin-1") if isinstance(cell, (bytes, memoryview)) else str(cell)


# -- readers


def blinded_readers(site, *, name: str = "Reader") -> list:
    """One person of each role that is blinded, or that the study may blind."""
    roles = [role for role, spec in POLICY.items() if spec.blinded is not False]
    return [staff(role, site, name=f"{name} {Role(role).label}", blinded=True) for role in roles]
