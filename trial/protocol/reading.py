"""From bytes to a checked `ProtocolSpec`, or a line for every key that is wrong."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trial.protocol.checks import disagreements
from trial.protocol.errors import Problem, ProtocolRefused
from trial.protocol.spec import ProtocolSpec
from trial.protocol.spec.fields import PATTERN_WORDS

MOST_BYTES = 2 * 1024 * 1024
FIRST_PRINTABLE = 32

WORDS = {
    "missing": "this key is missing",
    "extra_forbidden": "this key is not known here",
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number without quotes",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list in square brackets",
    "model_type": "must be an object in curly brackets",
    "model_attributes_type": "must be an object in curly brackets",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "this key is missing",
    "value_error": "{error}",
}
"""What to do about each kind of error that pydantic finds."""


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys were there twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.repeated = sorted({name for name in names if names.count(name) > 1}) if len(self) < len(names) else []


def read(raw: bytes) -> tuple[dict[str, Any], ProtocolSpec]:
    """The file's data as it stands, and the same as a checked spec.

    Raises:
        ProtocolRefused: with a line for every key that is wrong.
    """
    data = _data(raw)
    spec = structured(data)
    _refuse(disagreements(spec))
    return data, spec


def structured(data: dict[str, Any]) -> ProtocolSpec:
    """Data of a file as a spec: keys, types and ranges, but not what two parts must agree on.

    Raises:
        ProtocolRefused: with a line for every key that is wrong.
    """
    try:
        return ProtocolSpec.model_validate_json(json.dumps(data))
    except ValidationError as error:
        found = [one for one in error.errors(include_url=False) if not _is_echo(data, one)]
        raise ProtocolRefused(dict.fromkeys(_problem(data, one) for one in found)) from None


def canonical(data: dict[str, Any]) -> str:
    """One way of writing the data: keys sorted, no spaces."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _refuse(problems: Iterator[Problem]) -> None:
    if found := list(problems):
        raise ProtocolRefused(found)


def _data(raw: bytes) -> dict[str, Any]:
    if len(raw) > MOST_BYTES:
        raise ProtocolRefused([Problem("", f"The file is larger than {MOST_BYTES // 1024 // 1024} MiB.")])
    try:
        data = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_Object, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise ProtocolRefused([Problem("", f"The file is not UTF-8 text (byte {error.start + 1}).")]) from None
    except ValueError as error:
        raise ProtocolRefused([Problem("", f"The file is not JSON: {error}.")]) from None
    except RecursionError:
        raise ProtocolRefused([Problem("", "The file is nested too deeply.")]) from None
    if not isinstance(data, _Object):
        raise ProtocolRefused([Problem("", "The file must hold one object in curly brackets.")])
    _refuse(_unusable(data, ()))
    return data


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a JSON number")


def _unusable(value: Any, path: tuple[str | int, ...]) -> Iterator[Problem]:
    """Keys written twice, and texts that no database, page or file can hold."""
    if isinstance(value, str) and not _storable(value):
        yield Problem(_key(path), "holds a control character or half a character")
    elif isinstance(value, _Object):
        for name in value.repeated:
            yield Problem(_key((*path, name)), "this key is there twice")
        for name, inner in value.items():
            if not _storable(name):
                yield Problem(_key((*path, ascii(name))), "this name holds a control character or half a character")
            else:
                yield from _unusable(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unusable(inner, (*path, index))


def _storable(text: str) -> bool:
    return not any((ord(c) < FIRST_PRINTABLE and c != "\n") or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in text)


def _is_echo(data: Any, error: ErrorDetails) -> bool:
    """Whether a list counts as too short only because entries of it were refused, each with its own line."""
    if error["type"] != "too_short":
        return False
    for step in _path(data, error["loc"]):
        data = data[step]
    return len(data) >= int(error["ctx"]["min_length"])


def _problem(data: dict[str, Any], error: ErrorDetails) -> Problem:
    context = error.get("ctx", {})
    path = _path(data, error["loc"])
    if error["type"].startswith("union_tag"):
        path = (*path, str(context["discriminator"]).strip("'"))
    if error["type"] == "string_pattern_mismatch":
        return Problem(_key(path), f"must be {PATTERN_WORDS[context['pattern']]}")
    words = WORDS.get(error["type"])
    return Problem(_key(path), words.format(**context) if words else error["msg"])


def _path(data: Any, location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The location without the tags that pydantic adds where a part may have several shapes."""
    path: list[str | int] = []
    for index, step in enumerate(location):
        if isinstance(data, list) and isinstance(step, int):
            data = data[step] if step < len(data) else None
        elif isinstance(data, dict) and step in data:
            data = data[str(step)]
        elif index < len(location) - 1:
            continue
        path.append(step)
    return tuple(path)


def _key(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path)
