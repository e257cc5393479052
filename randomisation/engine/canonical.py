"""Canonical JSON: the same value gives the same bytes in every language (randomisation.md 3.3)."""

import json


def canonical_json(value: object) -> bytes:
    """Keys sorted, no spaces, ASCII only, no floats.

    Raises:
        ValueError: a floating-point number, a key that is not text, or a value JSON does not have.
    """
    _refuse_other_types(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _refuse_other_types(value: object) -> None:
    if value is None or isinstance(value, str | int):
        return
    if isinstance(value, list):
        for item in value:
            _refuse_other_types(item)
        return
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError("Only text, integers, true, false, null, lists and objects have a canonical form.")
    for item in value.values():
        _refuse_other_types(item)
