"""Simple randomisation: each row is drawn by the ratio, whatever came before (randomisation.md 4.1)."""

from randomisation.engine.methods import Block, Row, Setting, Start
from randomisation.engine.source import Stream

ENOUGH_PEOPLE = 200
"""From here on chance rarely leaves arms of very unequal size (Schulz and Grimes, section 17)."""


class Simple:
    """Has no parameters of its own."""

    keys: tuple[str, ...] = ()
    max_weight = 1
    has_strata = True

    def settings(self, given: dict[str, object], *, ratio: tuple[int, ...]) -> dict[str, object]:
        return {}

    def warnings(self, settings: dict[str, object], *, ratio: tuple[int, ...], trial: Setting) -> list[str]:
        if trial.target >= ENOUGH_PEOPLE:
            return []
        return ["Simple randomisation can leave arms of unequal size: use it for large trials only."]

    def blocks(
        self, stream: Stream, n_rows: int, *, ratio: tuple[int, ...], settings: dict[str, object], start: Start
    ) -> list[Block]:
        return [Block(Start(stream.words_used), [Row(stream.weighted(ratio))]) for _ in range(n_rows)]
