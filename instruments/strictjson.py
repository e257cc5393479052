"""JSON as it should be written: no key twice, no NaN, decimals kept as they are."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

# Python refuses to read longer whole numbers; an answer that long is out of range, not unreadable.
MOST_DIGITS = 4000
MOST_PLACES = 12
DEEPEST = 20


class JSONError(ValueError):
    """The text is not JSON, or says a key twice. The message says where."""


def read_json(text: str, number: Callable[[str], Any] = Decimal) -> Any:
    """Read one JSON value. `number` reads what has a point, an exponent or thousands of digits.

    Raises:
        JSONError: the text is not JSON, repeats a key or is nested too deeply.
    """
    try:
        return _decoder(number).decode(text)
    except JSONError:
        raise
    except InvalidOperation as error:
        raise JSONError("not usable JSON: a number with an exponent beyond reach") from error
    except ValueError as error:
        raise JSONError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise JSONError("not usable JSON: nested too deeply") from error


def any_number(text: str) -> Decimal:
    """A number of an answer, however far its exponent: beyond what can be held it stays whole, or stays none."""
    try:
        return Decimal(text)
    except InvalidOperation:
        mantissa, _, exponent = text.lower().partition("e")
        if not mantissa.strip("-0."):
            return Decimal(0)
        return Decimal("1E-999999" if exponent.startswith("-") else "1E+999999")


def is_too_deep(value: object) -> bool:
    """Whether lists and objects are nested beyond what any definition needs."""
    layer: list[object] = [value]
    for _ in range(DEEPEST):
        layer = [inner for outer in layer for inner in _inside(outer)]
    return bool(layer)


def unusable(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Name what no database or file can hold, or no sum can use: its key and the reason."""
    if isinstance(value, str):
        if "\x00" in value:
            yield key, "holds a NUL character"
        elif any("\ud800" <= character <= "\udfff" for character in value):
            yield key, "holds half a character (a lone surrogate)"
    elif isinstance(value, Decimal):
        if value.as_tuple().exponent < -MOST_PLACES:  # type: ignore[operator]  # JSON has no infinity
            yield key, f"has more than {MOST_PLACES} decimal places"
    elif isinstance(value, dict):
        for name, inner in value.items():
            path = f"{key}.{name}" if key else name
            yield from unusable(name, ascii(path))
            yield from unusable(inner, path)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from unusable(inner, f"{key}[{index}]")


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


@cache
def _decoder(number: Callable[[str], Any]) -> json.JSONDecoder:
    def whole(text: str) -> Any:
        return int(text) if len(text) < MOST_DIGITS else number(text)

    return json.JSONDecoder(object_pairs_hook=_object, parse_float=number, parse_int=whole, parse_constant=_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JSONError(f"the key {twice!a} is there twice")
    return found


def _constant(text: str) -> None:
    raise JSONError(f"{text} is not a JSON number")
