"""Big stick, any ratio: a free draw until the imbalance reaches its limit (randomisation.md 4.3)."""

from randomisation.engine.methods import Block, Row, Setting, Start
from randomisation.engine.reading import read_whole_within
from randomisation.engine.source import Stream

MAX_MTI = 10


class BigStick:
    """`mti`: the largest tolerated difference between pseudo-arm counts, 1 to 10."""

    keys: tuple[str, ...] = ("mti",)
    max_weight = 1
    has_strata = True

    def settings(self, given: dict[str, object], *, ratio: tuple[int, ...]) -> dict[str, object]:
        return {"mti": read_whole_within("mti", given["mti"], least=1, most=MAX_MTI)}

    def warnings(self, settings: dict[str, object], *, ratio: tuple[int, ...], trial: Setting) -> list[str]:
        if settings["mti"] == 1 and not trial.masked:
            return ["A limit of 1 gives the smallest possible blocks, which staff who see arms easily foresee."]
        return []

    def blocks(
        self, stream: Stream, n_rows: int, *, ratio: tuple[int, ...], settings: dict[str, object], start: Start
    ) -> list[Block]:
        mti = read_whole_within("mti", settings["mti"], least=1, most=MAX_MTI)
        arm_of = [arm for arm, share in enumerate(ratio) for _ in range(share)]
        counts = list(start.ahead) or [0] * len(arm_of)
        blocks = []
        for _ in range(n_rows):
            # Counts never differ by more than mti so far, so only the pseudo-arm that gains one can overstep it.
            fewest = min(counts)
            start = Start(stream.words_used, tuple(count - fewest for count in counts))
            allowed = [pseudo_arm for pseudo_arm, count in enumerate(counts) if count + 1 - fewest <= mti]
            pseudo_arm = allowed[stream.below(len(allowed))]
            counts[pseudo_arm] += 1
            blocks.append(Block(start, [Row(arm_of[pseudo_arm])]))
        return blocks
