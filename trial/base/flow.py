"""Where the boxes and arrows of a CONSORT flow diagram go (screens/README, 08b).

Text is 14.5 px; boxes are 280 wide and reasons 400. Everything is worked out here, so that the template only draws,
and the same drawing serves page and download.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

WIDTH = 1120
_BOX, _REASONS, _CENTRE, _REASONS_X = 280, 400, 390, 700
_LINE, _PAD, _GAP, _BAR = 20, 18, 60, 28
_BOX_CHARS, _REASONS_CHARS = 38, 56


@dataclass(frozen=True)
class FlowText:
    """A bold line ("Declined (n=45)") and what follows it; a new line in `text` starts a new line."""

    title: str
    text: str = ""


@dataclass(frozen=True)
class FlowStep:
    """A step of the main column; `out` are those who leave after it."""

    text: FlowText
    out: FlowText | None = None


@dataclass(frozen=True)
class DrawnBox:
    """A rectangle with its lines, the first in bold."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    centred: bool = True

    @property
    def text_x(self) -> float:
        """Where the text starts, or its middle."""
        return self.x + self.width / 2 if self.centred else self.x + 14

    @property
    def baselines(self) -> list[tuple[float, str]]:
        """(y, line)."""
        return [(self.y + 20 + _LINE * place, line) for place, line in enumerate(self.lines)]

    @property
    def middle(self) -> float:
        """x of the middle."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """y of the lower edge."""
        return self.y + self.height


def _wrapped(text: str, chars: int) -> list[str]:
    return [line for part in text.splitlines() for line in textwrap.wrap(part, chars)]


def _box(text: FlowText, x: float, y: float, width: float, chars: int, *, centred: bool, n_lines: int = 0) -> DrawnBox:
    lines = (text.title, *_wrapped(text.text, chars))
    return DrawnBox(x, y, width, _PAD + _LINE * max(len(lines), n_lines), lines, centred)


@dataclass(frozen=True)
class Flow:
    """Enrolment down the middle, reasons at the right, then a column for each arm.

    Args:
        steps: the main column from the first referral to randomisation.
        arms: for each arm its boxes, top down; every arm has as many.
        stages: for each of those rows the name of its stage ("Allocation", "Follow-up", …).
        description: the whole in words, for those who do not see it.
    """

    steps: Sequence[FlowStep]
    arms: Sequence[Sequence[FlowText]] = ()
    stages: Sequence[str] = ()
    first_stage: str = "Enrolment"
    description: str = ""

    @cached_property
    def _main(self) -> list[tuple[DrawnBox, DrawnBox | None]]:
        drawn: list[tuple[DrawnBox, DrawnBox | None]] = []
        y = 20.0
        for step in self.steps:
            box = _box(step.text, _CENTRE - _BOX / 2, y, _BOX, _BOX_CHARS, centred=True)
            out = None
            gap = float(_GAP)
            if step.out:
                out = _box(step.out, _REASONS_X, 0, _REASONS, _REASONS_CHARS, centred=False)
                gap = max(gap, out.height + 16)
                out = DrawnBox(out.x, box.bottom + (gap - out.height) / 2, out.width, out.height, out.lines, False)
            drawn.append((box, out))
            y = box.bottom + gap
        return drawn

    @cached_property
    def _rows(self) -> list[list[DrawnBox]]:
        if not self.arms:
            return []
        n_arms = len(self.arms)
        pitch = min(360.0, (WIDTH - 60) / n_arms)
        width = min(float(_BOX), pitch - 24)
        left = max(60.0, _CENTRE - pitch * n_arms / 2) + (pitch - width) / 2
        y = self._main[-1][0].bottom + _GAP
        rows: list[list[DrawnBox]] = []
        for texts in zip(*self.arms, strict=True):
            chars = int(width / _BOX * _BOX_CHARS)
            n_lines = max(1 + len(_wrapped(text.text, chars)) for text in texts)
            row = [
                _box(text, left + pitch * place, y, width, chars, centred=True, n_lines=n_lines)
                for place, text in enumerate(texts)
            ]
            rows.append(row)
            y = row[0].bottom + 28
        return rows

    @property
    def boxes(self) -> list[DrawnBox]:
        """Every box."""
        main = [box for pair in self._main for box in pair if box]
        return main + [box for row in self._rows for box in row]

    @property
    def arrows(self) -> list[str]:
        """Path data of every arrow."""
        paths = []
        for (box, out), (below, _out) in zip(self._main, self._main[1:], strict=False):
            paths.append(f"M{box.middle} {box.bottom}V{below.y - 1}")
            if out:
                paths.append(f"M{box.middle} {out.y + out.height / 2}H{out.x - 1}")
        if self._rows:
            last = self._main[-1][0]
            paths += [f"M{last.middle} {last.bottom + _GAP / 2}H{box.middle}V{box.y - 1}" for box in self._rows[0]]
        for above, below_row in zip(self._rows, self._rows[1:], strict=False):
            paths += [f"M{a.middle} {a.bottom}V{b.y - 1}" for a, b in zip(above, below_row, strict=True)]
        return paths

    @property
    def trunk(self) -> str:
        """Path data of the line from the last step to where the arms part; "" without arms."""
        last = self._main[-1][0]
        return f"M{last.middle} {last.bottom}v{_GAP / 2}" if self._rows else ""

    @property
    def bars(self) -> list[tuple[float, float, float, float, str]]:
        """(y, height, x and y of the middle, name) of each stage at the left."""
        spans = [(self.first_stage, 20.0, self._main[-1][0].bottom)]
        for name, row in zip(self.stages, self._rows, strict=False):
            if spans[-1][0] == name:
                spans[-1] = (name, spans[-1][1], row[0].bottom)
            else:
                spans.append((name, row[0].y, row[0].bottom))
        return [(top, bottom - top, _BAR / 2, (top + bottom) / 2, name) for name, top, bottom in spans]

    @property
    def height(self) -> float:
        """Height of the drawing."""
        return max(box.bottom for box in self.boxes) + 8
