"""The canonical file: the typed model and its rows, stored once for each cut or lock (dataset_release.md section 2).

A zip of `provenance.json`, `model.json` and, for each table, `open/<table>.jsonl`: the rows that blinded variants may
hold, one JSON array a line. A table with anything that reveals allocation has its whole rows in
`sealed/<table>.tokens` besides, sealed with a data key of the file's own. Building a blinded variant opens no sealed
part, and a copy of the disk shows no arm while the allocation itself lies sealed in the database. The table of masked
letters has a key of its own, sealed beside it, so that the masked variant is built without the key of the rest.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from exports.dataset import PROVENANCE_JSON, Provenance
from exports.model import MASKED_TABLE, MODEL_JSON, Model, Row, Table
from exports.validation import checked
from trial.base import keys

MODEL_FILE, PROVENANCE_FILE = "model.json", "provenance.json"
MASKED_KEY_FILE = f"sealed/{MASKED_TABLE}.key"
SEALED_CHUNK = 1 << 18
"""Characters of rows in one sealed token."""

BUFFER = 1 << 20

encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

OpenFile = Callable[[str], IO[bytes]]


@dataclass(frozen=True)
class Canonical:
    """A canonical file, open for reading. Without its wrapped key the sealed part stays shut.

    Attributes:
        masked_key: opens the table of masked letters, which the wrapped key does not, and no other.
    """

    model: Model
    provenance: Provenance
    open_file: OpenFile
    wrapped_key: str = ""
    masked_key: str = ""

    def open_lines(self, table: str) -> Iterator[bytes]:
        """Rows of a table as blinded variants may hold them: one JSON array a line, with its new line."""
        with self.open_file(_open_name(table)) as file:
            yield from file

    def all_lines(self, table: str) -> Iterator[bytes]:
        """Whole rows of a table, unsealed where they lie sealed.

        Raises:
            SealBroken: the file was opened without its key.
        """
        if not self.model.table(table).reveals_allocation:
            yield from self.open_lines(table)
            return
        with self.open_file(_sealed_name(table)) as file:
            for token in file:
                text = self._unsealed(table, token.decode("ascii").strip())
                yield from (f"{line}\n".encode() for line in text.split("\n"))

    def _unsealed(self, table: str, token: str) -> str:
        if table == MASKED_TABLE:
            return keys.unseal_with(self.masked_key, token)
        return keys.unseal(self.wrapped_key, token)

    def open_rows(self, table: str) -> Iterator[Row]:
        """As open_lines, read."""
        return map(json.loads, self.open_lines(table))

    def all_rows(self, table: str) -> Iterator[Row]:
        """As all_lines, read."""
        return map(json.loads, self.all_lines(table))


@contextmanager
def opened(path: Path, wrapped_key: str = "", masked_key: str = "") -> Iterator[Canonical]:
    """Open a canonical file; without a key only its open part can be read."""
    with zipfile.ZipFile(path) as archive:

        def open_file(name: str) -> IO[bytes]:
            return cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, archive.open(name)), BUFFER))

        yield Canonical(
            MODEL_JSON.validate_json(archive.read(MODEL_FILE)),
            PROVENANCE_JSON.validate_json(archive.read(PROVENANCE_FILE)),
            open_file,
            wrapped_key,
            masked_key,
        )


def masked_key_of(path: Path, wrapped_key: str) -> str:
    """The key of the table of masked letters alone.

    Raises:
        SealBroken: the wrapped key does not fit.
    """
    with zipfile.ZipFile(path) as archive:
        return keys.unseal(wrapped_key, archive.read(MASKED_KEY_FILE).decode("ascii"))


class Drafting:
    """A canonical file that is being written, table by table, in a folder of its own."""

    def __init__(self, folder: Path, model: Model, provenance: Provenance, wrapped_key: str) -> None:
        self.folder, self.model, self.provenance, self.wrapped_key = folder, model, provenance, wrapped_key
        (folder / "open").mkdir(parents=True)
        (folder / "sealed").mkdir()
        (folder / MODEL_FILE).write_bytes(MODEL_JSON.dump_json(model))
        (folder / PROVENANCE_FILE).write_bytes(PROVENANCE_JSON.dump_json(provenance))
        self._masked_key, sealed_key = keys.new_text_key(wrapped_key)
        if any(table.name == MASKED_TABLE for table in model.tables):
            (folder / MASKED_KEY_FILE).write_text(sealed_key, encoding="ascii")

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        """Write the rows of one table, each tested against the model.

        Raises:
            ModelBroken: a row does not fit.
        """
        tested = checked(self.model, table, rows)
        with (self.folder / _open_name(table.name)).open("w", encoding="utf-8", newline="\n") as file:
            if not table.reveals_allocation:
                file.writelines(f"{encode(row)}\n" for row in tested)
                return
            with (self.folder / _sealed_name(table.name)).open("w", encoding="ascii", newline="\n") as sealed:
                self._write_both(table, tested, file, sealed)

    def _write_both(self, table: Table, rows: Iterable[Row], file: IO[str], sealed: IO[str]) -> None:
        positions = table.open_positions
        is_open = table.blinded() is not None
        lines: list[str] = []
        size = 0
        for row in rows:
            lines.append(encode(row))
            size += len(lines[-1])
            if is_open and not table.hides(row):
                file.write(f"{encode([row[n] for n in positions])}\n")
            if size >= SEALED_CHUNK:
                sealed.write(self._sealed(table, lines))
                lines, size = [], 0
        if lines:
            sealed.write(self._sealed(table, lines))

    def _sealed(self, table: Table, lines: list[str]) -> str:
        text = "\n".join(lines)
        is_masked = table.name == MASKED_TABLE
        return f"{keys.seal_with(self._masked_key, text) if is_masked else keys.seal(self.wrapped_key, text)}\n"

    def reading(self) -> Canonical:
        """What was written so far, for tables that are made from other tables."""
        return Canonical(self.model, self.provenance, lambda name: (self.folder / name).open("rb"), self.wrapped_key)

    def files(self) -> dict[str, Path]:
        """Every file written, under its name inside the zip."""
        return {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}


def _open_name(table: str) -> str:
    return f"open/{table}.jsonl"


def _sealed_name(table: str) -> str:
    return f"sealed/{table}.tokens"
