"""Permuted blocks of fixed or random size, whole blocks only (randomisation.md 4.2)."""

from randomisation.engine.methods import Block, Row, Setting, Start
from randomisation.engine.source import Stream
from randomisation.errors import ParametersRefused

MAX_SIZE = 60
MAX_SIZES = 6


class PermutedBlocks:
    """`block_sizes`: 1 to 6 multiples of the sum of the ratio, each 60 or less."""

    keys: tuple[str, ...] = ("block_sizes",)
    max_weight = 1
    has_strata = True

    def settings(self, given: dict[str, object], *, ratio: tuple[int, ...]) -> dict[str, object]:
        return {"block_sizes": read_block_sizes("block_sizes", given["block_sizes"], ratio=ratio)}

    def warnings(self, settings: dict[str, object], *, ratio: tuple[int, ...], trial: Setting) -> list[str]:
        sizes = read_block_sizes("block_sizes", settings["block_sizes"], ratio=ratio)
        found = []
        if len(sizes) == 1:
            found.append("One fixed block size lets staff work out the end of each block: use two or three.")
        if sum(ratio) in sizes and not trial.masked:
            found.append("The smallest possible block in a trial whose staff see arms is easily foreseen.")
        if trial.target * len(sizes) < trial.n_strata * sum(sizes):
            found.append("There are so many strata that most blocks stay incomplete: stratify by fewer factors.")
        return found

    def blocks(
        self, stream: Stream, n_rows: int, *, ratio: tuple[int, ...], settings: dict[str, object], start: Start
    ) -> list[Block]:
        sizes = read_block_sizes("block_sizes", settings["block_sizes"], ratio=ratio)
        blocks: list[Block] = []
        n_drawn = 0
        while n_drawn < n_rows:
            start = Start(stream.words_used)
            arms = _draw_block(stream, ratio, sizes)
            blocks.append(Block(start, [Row(arm, len(blocks) + 1, len(arms)) for arm in arms]))
            n_drawn += len(arms)
        return blocks


def _draw_block(stream: Stream, ratio: tuple[int, ...], sizes: list[int]) -> list[int]:
    repeats = sizes[stream.below(len(sizes))] // sum(ratio)
    block = [arm for arm, share in enumerate(ratio) for _ in range(share * repeats)]
    stream.shuffle(block)
    return block


def read_block_sizes(field: str, given: object, *, ratio: tuple[int, ...]) -> list[int]:
    """Block sizes de-duplicated and ascending (section 1).

    Raises:
        ParametersRefused: not a list of 1 to 6 multiples of the sum of the ratio, each 60 or less.
    """
    if not isinstance(given, list) or not all(type(size) is int for size in given):
        raise ParametersRefused(field, "must be a list of whole numbers")
    sizes = sorted(set(given))
    if not 1 <= len(sizes) <= MAX_SIZES:
        raise ParametersRefused(field, "must hold 1 to 6 sizes")
    if any(size < 1 or size % sum(ratio) for size in sizes):
        raise ParametersRefused(field, "must be multiples of the sum of the ratio")
    if sizes[-1] > MAX_SIZE:
        raise ParametersRefused(field, "must each be 60 or less")
    return sizes
