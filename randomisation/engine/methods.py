"""What a method of randomisation must offer. One module of `randomisation.schemes` each."""

from dataclasses import dataclass
from typing import Protocol

from randomisation.engine.source import Stream


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One row of a list: arm index from 0, block number from 1 and block size where there are blocks.

    All three are secret, so its repr is constant.
    """

    arm: int
    block: int | None = None
    block_size: int | None = None

    def __repr__(self) -> str:
        return "<Row>"


class ListMethod(Protocol):
    """A method whose whole list is known once the seed is."""

    keys: tuple[str, ...]
    """The keys of its own in the parameters (3.3)."""

    def settings(self, given: dict[str, object], *, ratio: tuple[int, ...]) -> dict[str, list[int]]:
        """Its own parameters in canonical form.

        Raises:
            ParametersRefused: a rule of section 1 is broken.
        """
        ...

    def warnings(self, settings: dict[str, list[int]], *, ratio: tuple[int, ...], masked: bool) -> list[str]:
        """What a statistician should think about before lock."""
        ...

    def rows(self, stream: Stream, n_rows: int, *, ratio: tuple[int, ...], settings: dict[str, list[int]]) -> list[Row]:
        """At least `n_rows` rows from the start of `stream`; a longer list begins with a shorter one."""
        ...
