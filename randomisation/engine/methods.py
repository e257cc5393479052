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


@dataclass(frozen=True, slots=True, repr=False)
class Start:
    """Where in its stream a block begins: what it takes to draw the block without those before it.

    As secret as the rows, so its repr is constant.
    """

    word: int = 0
    ahead: tuple[int, ...] = ()
    """For the big stick: how many more than the last each pseudo-arm has; empty at the beginning and elsewhere."""

    def __repr__(self) -> str:
        return "<Start>"


@dataclass(frozen=True, slots=True, repr=False)
class Block:
    """Rows that are drawn together, one or more, and where their draw begins."""

    start: Start
    rows: list[Row]

    def __repr__(self) -> str:
        return "<Block>"


@dataclass(frozen=True, slots=True)
class Setting:
    """The trial a design is meant for, as far as a warning needs it."""

    target: int
    """How many people are to be randomised."""
    n_strata: int
    masked: bool
    """Those who recruit see no arms."""


class Method(Protocol):
    """A method by its parameters."""

    keys: tuple[str, ...]
    """The keys of its own in the parameters (3.3)."""

    max_weight: int
    """The largest weight a factor may have; 1 where weights mean nothing (3.3)."""

    has_strata: bool
    """Whether there is a list for each combination of levels, and so a limit to their number."""

    def settings(self, given: dict[str, object], *, ratio: tuple[int, ...]) -> dict[str, object]:
        """Its own parameters in canonical form; `ratio` is in lowest terms.

        Raises:
            ParametersRefused: a rule of section 1 is broken.
        """
        ...

    def warnings(self, settings: dict[str, object], *, ratio: tuple[int, ...], trial: Setting) -> list[str]:
        """What a statistician should think about before lock."""
        ...


class ListMethod(Method, Protocol):
    """A method whose whole list is known once the seed is."""

    def blocks(
        self, stream: Stream, n_rows: int, *, ratio: tuple[int, ...], settings: dict[str, object], start: Start
    ) -> list[Block]:
        """Whole blocks from `start`, where `stream` stands, with at least `n_rows` rows; numbered from 1 there.

        A longer list begins with a shorter one, and no word of the stream is read beyond the last block.
        """
        ...
