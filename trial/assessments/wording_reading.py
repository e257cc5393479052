"""Read the wording that a study received under its own licence, or say everything that is wrong with the file.

JSON: {"instructions": text, "items": {item code: {"text": text, "options": {value: label}}}}, or a bare text where an
item needs no labels. CSV: columns item, value, text; without a value the text is the question, with one the label of
that answer; a row without an item holds the instructions.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from instruments import Instrument, Item
from instruments.strictjson import JSONError, is_too_deep, read_json
from trial.base.errors import TrialError
from trial.base.middleware import has_control_characters

LARGEST_BYTES = 512 * 1024
LONGEST = {"instructions": 5000, "text": 2000, "label": 300}
COLUMNS = ["item", "value", "text"]

Content = dict[str, Any]
"""{"instructions": text or None, "items": {item: {"text": …, "options": {value: label}}}}"""


class WordingRefused(TrialError):
    """A file of wording cannot be used; nothing is stored. `problems` names each thing that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(". ".join(problems))


def read_wording(data: bytes, instrument: Instrument) -> Content:
    """The wording that a file holds, whole: every question, and every label of its answers.

    Raises:
        WordingRefused: with each thing that is wrong.
    """
    if len(data) > LARGEST_BYTES:
        raise WordingRefused([f"The file must be {LARGEST_BYTES // 1024} KB or smaller"])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WordingRefused([f"The file is not UTF-8 text (byte {error.start + 1})"]) from None
    raw = _from_json(text) if text.lstrip().startswith(("{", "[")) else _from_csv(text)
    if problems := list(_problems(raw, instrument)):
        raise WordingRefused(problems)
    return {
        "instructions": raw.get("instructions"),
        "items": {item.code: raw["items"][item.code] for item in instrument.items},
    }


def _from_json(text: str) -> Content:
    try:
        raw = read_json(text)
    except JSONError as error:
        raise WordingRefused([f"The file is {error}"]) from None
    if is_too_deep(raw) or not isinstance(raw, dict) or not isinstance(raw.get("items"), dict):
        raise WordingRefused(["The file must be an object with “items”, by item code"])
    if unknown := sorted(raw.keys() - {"instructions", "items", "instrument", "version"}):
        raise WordingRefused([f"“{name}” is not a known key" for name in unknown])
    return {**raw, "items": {code: _whole(each) for code, each in raw["items"].items()}}


def _whole(item: object) -> object:
    return {"text": item, "options": {}} if isinstance(item, str) else item


def _from_csv(text: str) -> Content:
    rows = csv.reader(io.StringIO(text), strict=True)
    found: Content = {"items": {}}
    problems: list[str] = []
    try:
        if [name.strip().lower() for name in next(rows, [])] != COLUMNS:
            raise WordingRefused(["The first line must name the columns item, value and text"])
        for row in rows:
            if any(cell.strip() for cell in row):
                problems += _add_row(found, row, rows.line_num)
    except csv.Error as error:
        raise WordingRefused([f"Line {rows.line_num} cannot be read: {error}"]) from None
    if problems:
        raise WordingRefused(problems)
    return found


def _add_row(found: Content, row: list[str], line: int) -> list[str]:
    """Put one row where it belongs; what is wrong with it instead."""
    if len(row) != len(COLUMNS):
        return [f"Line {line} has {len(row)} cells instead of 3"]
    code, value, text = (cell.strip() for cell in row)
    if not code:
        place, key = found, "instructions"
    else:
        item = found["items"].setdefault(code, {"options": {}})
        place, key = (item["options"], value) if value else (item, "text")
    if key in place:
        return [f"Line {line} says again what an earlier line said"]
    place[key] = text
    return []


# -- what it must hold


def _problems(raw: Mapping[str, Any], instrument: Instrument) -> Iterator[str]:
    for key, expected in (("instrument", instrument.code), ("version", instrument.version)):
        if raw.get(key, expected) != expected:
            yield f"The file is for {key} {raw[key]!s:.40}, not {expected}"
    if raw.get("instructions") is not None:
        yield from _text_problems("The instructions", raw["instructions"], LONGEST["instructions"])
    for code in sorted(raw["items"].keys() - instrument.items_by_code.keys()):
        yield f"There is no item {code!s:.60}"
    for item in instrument.items:
        yield from _item_problems(item, raw["items"].get(item.code))


def _item_problems(item: Item, given: object) -> Iterator[str]:
    if given is None:
        yield f"{item.code} is missing"
        return
    if not isinstance(given, dict) or given.keys() - {"text", "options"}:
        yield f"{item.code} must have “text” and “options” and nothing else"
        return
    yield from _text_problems(f"The text of {item.code}", given.get("text"), LONGEST["text"])
    options = given.get("options", {})
    if not isinstance(options, dict):
        yield f"The options of {item.code} must be labels by value"
        return
    yield from _option_problems(item, options)


def _option_problems(item: Item, options: Mapping[str, Any]) -> Iterator[str]:
    """A choice needs every label; a scale may have words at some of its points; a number has none."""
    values = [str(option.value) for option in item.options]
    allowed = set(values) or (
        {str(value) for value in range(item.min, item.max + 1)} if item.type == "scale" else set()
    )
    for value in sorted(options.keys() - allowed):
        yield f"{item.code} has no answer {value!s:.20}"
    for value in values:
        if value not in options:
            yield f"The label of answer {value} of {item.code} is missing"
    for value in sorted(allowed & options.keys()):
        yield from _text_problems(f"The label of answer {value} of {item.code}", options[value], LONGEST["label"])


def _text_problems(what: str, text: object, longest: int) -> Iterator[str]:
    if not isinstance(text, str) or not text.strip():
        yield f"{what} is missing"
    elif len(text) > longest:
        yield f"{what} must be {longest:,} characters or fewer"
    elif has_control_characters(text):
        yield f"{what} holds a character that cannot be printed"
