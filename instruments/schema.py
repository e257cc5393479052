"""Read a definition file, or say which file and which key is wrong.

The published schema beside this file says what each key may hold; `checks` holds what a schema
cannot check: references, ranges and bands that fit together.
"""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
from jsonschema.protocols import Validator

from instruments.build import build
from instruments.checks import inconsistencies
from instruments.model import (
    Alert,
    Band,
    Condition,
    Instrument,
    Item,
    ItemRule,
    Licence,
    MissingRule,
    Option,
    Score,
)
from instruments.strictjson import JSONError, is_too_deep, read_json, unusable

__all__ = [
    "SCHEMA_PATH",
    "Alert",
    "Band",
    "Condition",
    "DefinitionError",
    "Instrument",
    "Item",
    "ItemRule",
    "Licence",
    "MissingRule",
    "Option",
    "Problem",
    "Score",
    "load",
]

SCHEMA_PATH = Path(__file__).with_name("instrument.schema.json")
LONGEST_MESSAGE = 300


class Problem(NamedTuple):
    """One thing wrong with a definition: the key, such as `scores[0].bands[2].min`, and why."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


class DefinitionError(ValueError):
    """A definition file cannot be used. Its text names the file and every key that is wrong."""

    def __init__(self, path: Path, problems: Iterable[tuple[str, str]]) -> None:
        self.path = path
        self.problems = tuple(Problem(key, message) for key, message in problems)
        super().__init__("\n".join(f"{path.name}: {problem}" for problem in self.problems))

    @property
    def key(self) -> str:
        """The first key that is wrong; empty when the whole file is."""
        return self.problems[0].key


def load(path: Path) -> Instrument:
    """Read and check one definition file.

    Raises:
        DefinitionError: the file cannot be read, or says something that a definition may not say.
    """
    text = _text(path)
    raw = _parse(path, text)
    _refuse(path, unusable(raw))
    _refuse(path, _schema_problems(read_json(text, number=float)))
    instrument = build(raw)
    _refuse(path, inconsistencies(instrument))
    return instrument


def _refuse(path: Path, problems: Iterable[tuple[str, str]]) -> None:
    if found := list(problems):
        raise DefinitionError(path, found)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DefinitionError(path, [("", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise DefinitionError(path, [("", f"is not UTF-8 text (byte {error.start + 1})")]) from error


def _parse(path: Path, text: str) -> Any:
    try:
        raw = read_json(text)
    except JSONError as error:
        raise DefinitionError(path, [("", str(error))]) from error
    if is_too_deep(raw):
        raise DefinitionError(path, [("", "not usable JSON: nested too deeply")])
    return raw


@cache
def _validator() -> Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA_PATH.read_text("utf-8")))


def _schema_problems(plain: Any) -> list[Problem]:
    errors = _validator().iter_errors(plain)
    problems = {problem for error in errors for problem in _problems_of(error)}
    return sorted(problems)


def _problems_of(error: jsonschema.ValidationError) -> list[Problem]:
    key = _key(error.absolute_path)
    # The library leaves these untyped until they are set; on an error they are.
    said: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "required":
        return [Problem(_join(key, name), "is missing") for name in rule if name not in said]
    if error.validator == "additionalProperties":
        return [Problem(_join(key, name), "is not a known key") for name in said if name not in schema["properties"]]
    return [Problem(key, _shorten(error.message))]


def _key(path: Iterable[str | int]) -> str:
    key = ""
    for part in path:
        key = f"{key}[{part}]" if isinstance(part, int) else _join(key, part)
    return key


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _shorten(message: str) -> str:
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]} ..."
