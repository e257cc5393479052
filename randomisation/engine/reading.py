"""Values of parameters read from JSON, each refused by name when it is of the wrong kind."""

from typing import Any

from randomisation.errors import ParametersRefused


def read_list(field: str, value: object) -> list[Any]:
    """The value, if it is a list."""
    if not isinstance(value, list):
        raise ParametersRefused(field, "must be a list")
    return value


def read_text(field: str, value: object) -> str:
    """The value, if it is text."""
    if not isinstance(value, str):
        raise ParametersRefused(field, "must be text")
    return value


def read_whole(field: str, value: object) -> int:
    """The value, if it is a whole number; true and false are none."""
    if type(value) is not int:
        raise ParametersRefused(field, "must be a whole number")
    return value


def read_whole_within(field: str, value: object, *, least: int, most: int) -> int:
    """The value, if it is a whole number from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise ParametersRefused(field, f"must be a whole number from {least} to {most}")
    return value


def read_choice(field: str, value: object, choices: tuple[str, ...]) -> str:
    """The value, if it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ParametersRefused(field, f"must be one of {', '.join(choices)}")
    return value
