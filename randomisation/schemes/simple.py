"""Simple randomisation: each row is drawn by the ratio, whatever came before (randomisation.md 4.1)."""

from randomisation.engine.methods import Row
from randomisation.engine.source import Stream


class Simple:
    """Has no parameters of its own."""

    keys: tuple[str, ...] = ()

    def settings(self, given: dict[str, object], *, ratio: tuple[int, ...]) -> dict[str, list[int]]:
        return {}

    def warnings(self, settings: dict[str, list[int]], *, ratio: tuple[int, ...], masked: bool) -> list[str]:
        return ["Simple randomisation can leave arms of unequal size: use it for large trials only."]

    def rows(self, stream: Stream, n_rows: int, *, ratio: tuple[int, ...], settings: dict[str, list[int]]) -> list[Row]:
        return [Row(stream.weighted(ratio)) for _ in range(n_rows)]
