"""The package of a revealed scheme, read from JSON with every place named where it is malformed (3.4)."""

import json
from dataclasses import dataclass
from typing import Any

from randomisation.engine.canonical import canonical_json
from randomisation.engine.parameters import Parameters, read_parameters
from randomisation.engine.source import SECRET_BYTES, VERSION, contribution_bytes
from randomisation.errors import PackageError, ParametersRefused

FORMAT = "trial-randomisation package"
MAX_ROWS = 1_000_000
"""Of all lists together: far beyond any trial, and a bound on what a broken package can ask for."""

_HEXADECIMAL = frozenset("0123456789abcdef")
_TYPE_NAMES = {str: "text", int: "a whole number", list: "a list", dict: "an object"}


class Fields:
    """An object of the package; each value is asked for by name and kind, or refused by its place."""

    def __init__(self, value: object, place: str) -> None:
        self.place = place
        if not isinstance(value, dict):
            raise PackageError(place, "must be an object")
        self._fields: dict[str, Any] = value

    def text(self, name: str) -> str:
        return str(self._get(name, str))

    def whole(self, name: str) -> int:
        return int(self._get(name, int))

    def items(self, name: str) -> list[Any]:
        return list(self._get(name, list))

    def object(self, name: str) -> dict[str, Any]:
        return dict(self._get(name, dict))

    def optional_text(self, name: str) -> str | None:
        return None if self._fields.get(name) is None else self.text(name)

    def optional_whole(self, name: str) -> int | None:
        return None if self._fields.get(name) is None else self.whole(name)

    def hexadecimal(self, name: str) -> str:
        text = self.text(name)
        if len(text) != 2 * SECRET_BYTES or not set(text) <= _HEXADECIMAL:
            raise self.error(name, "must be 64 lower-case hexadecimal digits")
        return text

    def texts(self, name: str) -> dict[str, str]:
        """An object whose values are all text; empty when it is left out."""
        return {} if self._fields.get(name) is None else _texts(self._fields[name], f"{self.place}.{name}")

    def error(self, name: str, text: str) -> PackageError:
        return PackageError(f"{self.place}.{name}", text)

    def _get(self, name: str, kind: type) -> Any:
        if name not in self._fields:
            raise self.error(name, "is missing")
        if type(self._fields[name]) is not kind:
            raise self.error(name, f"must be {_TYPE_NAMES[kind]}")
        return self._fields[name]


@dataclass(frozen=True, slots=True)
class RevealedList:
    """One list of a revision as the package states it."""

    purpose: str
    key: str
    n_rows: int
    fingerprint: str

    @property
    def fingerprint_key(self) -> str:
        """The key of its fingerprint (2.1)."""
        return f"backup:{self.key}" if self.purpose == "backup" else self.key


@dataclass(frozen=True, slots=True)
class RevealedRevision:
    """One revision with its secret."""

    parameters: Parameters
    stated: bytes
    """Canonical JSON of the parameters exactly as the package states them."""
    number: int
    secret: bytes
    contribution: str
    commitment: str
    import_file: str | None
    lists: tuple[RevealedList, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log, and the text that its digest covers."""

    place: str
    n: int
    event: str
    seq: int | None
    facts: Fields
    entry: str
    digest: str

    def members(self) -> list[dict[str, str]]:
        """Each person's levels, one or more people."""
        place = f"{self.facts.place}.members"
        people = [_texts(levels, f"{place}[{i}]") for i, levels in enumerate(self.facts.items("members"))]
        if not people:
            raise PackageError(place, "must hold at least one person")
        return people


@dataclass(frozen=True, slots=True)
class Package:
    """A revealed scheme."""

    scheme: str
    revisions: dict[int, RevealedRevision]
    events: tuple[Event, ...]
    allocations: tuple[tuple[int, str], ...]
    """Sequence number and arm code, as the package states them."""


def read_package(document: object) -> Package:
    """The package in a document already read from JSON.

    Raises:
        PackageError: names the place that is malformed.
    """
    fields = Fields(document, "package")
    if fields.text("format") != FORMAT:
        raise fields.error("format", f'must be "{FORMAT}"')
    if fields.text("version") != VERSION:
        raise fields.error("version", f'must be "{VERSION}"')
    revisions = [_revision(Fields(r, f"revisions[{i}]")) for i, r in enumerate(fields.items("revisions"))]
    by_number = {revision.number: revision for revision in revisions}
    if len(by_number) != len(revisions) or 1 not in by_number:
        raise fields.error("revisions", "must hold revision 1, and each revision once")
    if sum(one.n_rows for revision in revisions for one in revision.lists) > MAX_ROWS:
        raise fields.error("revisions", f"must have lists of {MAX_ROWS} rows or fewer together")
    return Package(
        scheme=fields.text("scheme"),
        revisions=by_number,
        events=tuple(_event(Fields(e, f"events[{i}]")) for i, e in enumerate(fields.items("events"))),
        allocations=tuple(
            _allocation(Fields(a, f"allocations[{i}]")) for i, a in enumerate(fields.items("allocations"))
        ),
    )


def _revision(fields: Fields) -> RevealedRevision:
    given = fields.object("params")
    contribution = fields.optional_text("contribution") or ""
    import_file = fields.optional_text("import_file")
    try:
        stated = canonical_json(given)
        parameters = read_parameters(given)
        contribution_bytes(contribution)
        (import_file or "").encode("utf-8")
    except ParametersRefused as refusal:
        raise PackageError(fields.place, str(refusal)) from None
    except (ValueError, RecursionError) as error:
        raise PackageError(fields.place, str(error)) from None
    if parameters.method == "import" and import_file is None:
        raise fields.error("import_file", "must be the text of the imported list")
    return RevealedRevision(
        parameters=parameters,
        stated=stated,
        number=fields.whole("number"),
        secret=bytes.fromhex(fields.hexadecimal("secret")),
        contribution=contribution,
        commitment=fields.hexadecimal("commitment"),
        import_file=import_file,
        lists=tuple(_list(Fields(one, f"{fields.place}.lists[{i}]")) for i, one in enumerate(fields.items("lists"))),
    )


def _list(fields: Fields) -> RevealedList:
    purpose, key, n_rows = fields.text("purpose"), fields.text("key"), fields.whole("n_rows")
    if purpose not in ("list", "backup"):
        raise fields.error("purpose", "must be list or backup")
    if not key.isascii() or "|" in key:
        raise fields.error("key", "must be a stratum key")
    if n_rows < 0:
        raise fields.error("n_rows", "must be 0 or more")
    return RevealedList(purpose, key, n_rows, fields.hexadecimal("fingerprint"))


def _event(fields: Fields) -> Event:
    entry = fields.text("entry")
    try:
        content = json.loads(entry)
        is_canonical = canonical_json(content) == entry.encode("utf-8")
    except (ValueError, RecursionError):
        raise fields.error("entry", "must be JSON") from None
    if not is_canonical:
        raise fields.error("entry", "must be JSON in canonical form")
    inside = Fields(content, f"{fields.place}.entry")
    return Event(
        place=fields.place,
        n=inside.whole("n"),
        event=inside.text("event"),
        seq=inside.optional_whole("seq"),
        facts=Fields(inside.object("facts"), f"{fields.place}.entry.facts"),
        entry=entry,
        digest=fields.hexadecimal("digest"),
    )


def _allocation(fields: Fields) -> tuple[int, str]:
    return fields.whole("seq"), fields.text("arm")


def _texts(value: object, place: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise PackageError(place, "must be an object of texts")
    return value
