"""Free text about an exception must not tell an arm: whoever types one must leave it out (randomisation.md 6.6)."""

import re
from collections.abc import Iterable, Mapping

from trial.allocation.errors import AllocationRefused
from trial.protocol.spec import ProtocolSpec

ARM_NAMED = "Leave out which group it is: do not write a group's name or code here"
_SHORTEST_ALONE = 3
"""A code of one or two letters is looked for after “arm” or “group” only: alone it is a word of any sentence."""


def names_an_arm(text: str, spec: ProtocolSpec) -> bool:
    """Whether a text holds the code or the label of an arm of the protocol, as words of their own, in any case."""
    return any(re.search(_pattern(name), text, re.IGNORECASE) for arm in spec.arms for name in (arm.code, arm.label))


def _pattern(name: str) -> str:
    parts = [re.escape(part) for part in re.split(r"[\s_-]+", name) if part]
    words = r"[\s_-]*".join(parts)
    before = r"(?:arm|group)\s+" if len(name) < _SHORTEST_ALONE else ""
    return rf"(?<!\w){before}{words}(?!\w)"


def refuse_arms(texts: Iterable[str], spec: ProtocolSpec) -> None:
    """Stop before a text that tells an arm is stored.

    Raises:
        AllocationRefused: one of them does.
    """
    if any(names_an_arm(text, spec) for text in texts):
        raise AllocationRefused(f"{ARM_NAMED}.")


def problems(fields: Mapping[str, object], names: Iterable[str], spec: ProtocolSpec) -> list[str]:
    """The names of the fields whose text tells an arm, for a form to mark."""
    return [name for name in names if isinstance(text := fields.get(name), str) and names_an_arm(text, spec)]
