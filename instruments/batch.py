"""Read a file of answers, one form a line, and write a line of results for each."""

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from instruments.model import Instrument
from instruments.scoring import Finding, Result, ScoreResult
from instruments.strictjson import JSONError, any_number, read_json

Answers = dict[str, Any]
Write = Callable[[int, Result], None]

WHOLE = re.compile(r"-?[0-9]{1,4000}", re.ASCII)
DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
JSON_SUFFIXES = {".jsonl", ".ndjson", ".json"}

# A spreadsheet would take a cell that begins with one of these for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class UnreadableFile(ValueError):
    """A file of answers that holds no form at all. Its text says why."""


class Form(NamedTuple):
    """One line of a file of answers; `unreadable` says why there are none."""

    line: int
    answers: Answers
    unreadable: str = ""


def read_forms(name: str, instrument: Instrument) -> Iterator[Form]:
    """Read CSV (a header of item codes) or JSON lines; `-` is standard input. Blank lines are passed over.

    A name that ends in .csv or .jsonl says which it is; else a first line that opens an object is JSON.

    Raises:
        UnreadableFile: the file cannot be opened, or its header names no item of the instrument.
    """
    path = Path(name)
    try:
        source = sys.stdin.buffer if name == "-" else path.open("rb")
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read: {error.strerror}") from error
    with source:
        lines = io.TextIOWrapper(source, encoding="utf-8-sig", errors="surrogateescape", newline="")
        head = list(_up_to_first(lines))
        is_json = path.suffix.lower() in JSON_SUFFIXES or (head and head[-1].lstrip().startswith("{"))
        every = chain(head, lines)
        if is_json and path.suffix.lower() != ".csv":
            yield from _json_forms(every)
        else:
            yield from _csv_forms(every, instrument)


def _up_to_first(lines: Iterable[str]) -> Iterator[str]:
    """The blank lines at the start, and the first that is not."""
    for line in lines:
        yield line
        if line.strip():
            return


def _json_forms(lines: Iterable[str]) -> Iterator[Form]:
    for number, line in enumerate(lines, 1):
        if text := line.strip():
            yield _json_form(number, text)


def _json_form(number: int, text: str) -> Form:
    if not _is_text(text):
        return Form(number, {}, "is not UTF-8 text")
    try:
        answers = read_json(text, number=any_number)
    except JSONError as error:
        return Form(number, {}, str(error))
    if not isinstance(answers, dict):
        return Form(number, {}, "is not an object of item codes and answers")
    return Form(number, answers)


def _csv_forms(lines: Iterable[str], instrument: Instrument) -> Iterator[Form]:
    rows = _csv_rows(csv.reader(lines, strict=True))
    _, header, unreadable = next(rows, (1, [], ""))
    if not header and not unreadable:
        return
    codes = [name.strip() for name in header]
    if unreadable or not instrument.items_by_code.keys() & set(codes):
        raise UnreadableFile(f"The first line names no item of {instrument.code}. {unreadable}".rstrip())
    if len(set(codes)) < len(codes) or not _is_text("".join(codes)):
        raise UnreadableFile("The first line names a column twice, or is not UTF-8 text.")
    for number, cells, why in rows:
        reason = why or _wrong_row(cells, codes)
        yield Form(number, {} if reason else dict(zip(codes, map(_cell, cells), strict=True)), reason)


def _csv_rows(reader: Any) -> Iterator[tuple[int, list[str], str]]:
    """Each row with the line it starts on; a row that cannot be read is empty and says why.

    A blank line is passed over. A row of empty cells is none: it is a form on which nothing is answered.
    """
    while True:
        start = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, [], f"{error} (up to line {reader.line_num})"
        else:
            if len(row) > 1 or any(cell.strip() for cell in row):
                yield start, row, ""


def _wrong_row(cells: list[str], codes: list[str]) -> str:
    if len(cells) != len(codes):
        return f"has {len(cells)} cells, and the first line has {len(codes)}"
    return "" if _is_text("".join(cells)) else "is not UTF-8 text"


@lru_cache(maxsize=4096)
def _cell(text: str) -> int | Decimal | str | None:
    """An answer as JSON would give it: a number, null for an empty cell, or else text."""
    stripped = text.strip()
    if WHOLE.fullmatch(stripped):
        return int(stripped)
    if DECIMAL.fullmatch(stripped):
        return any_number(stripped)
    return stripped or None


def _is_text(text: str) -> bool:
    """False when bytes that are not UTF-8 came along as half characters."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)


# -- results


def json_lines(instrument: Instrument, out: TextIO) -> Write:
    """Write each result as one line of JSON, as `json.dumps(result.as_dict())` would.

    Few scores and findings differ from form to form, so the text of each is made once.
    """

    @lru_cache(maxsize=4096)
    def scored(code: str, result: ScoreResult) -> str:
        return f"{json.dumps(code)}: {json.dumps(result.as_dict())}"

    @lru_cache(maxsize=4096)
    def found(finding: Finding) -> str:
        return json.dumps(finding._asdict())

    def write(line: int, result: Result) -> None:
        scores = ", ".join([scored(code, each) for code, each in result.scores.items()])
        errors, warnings = ", ".join(map(found, result.errors)), ", ".join(map(found, result.warnings))
        out.write(
            f'{{"scores": {{{scores}}}, "alerts": {json.dumps(result.alerts)},'
            f' "errors": [{errors}], "warnings": [{warnings}]}}\n'
        )

    return write


def table(instrument: Instrument, out: TextIO) -> Write:
    """Write a CSV table: the line of the form, each score with its status and band, alerts and findings."""
    rows = csv.writer(out, lineterminator="\n")
    columns = [name for each in instrument.scores for name in (each.code, f"{each.code}_status", f"{each.code}_band")]
    rows.writerow(["line", *columns, "alerts", "errors", "warnings"])

    def write(line: int, result: Result) -> None:
        scores = [cell for each in result.scores.values() for cell in (each.value, each.status.value, each.band)]
        rows.writerow([line, *scores, " ".join(result.alerts), _findings(result.errors), _findings(result.warnings)])

    return write


def _findings(findings: Iterable[Finding]) -> str:
    text = " ".join(f"{finding.item}:{finding.code}" for finding in findings)
    text = text.encode("utf-8", "backslashreplace").decode()
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
