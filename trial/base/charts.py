"""Geometry of the charts that templates draw as inline SVG: where each line goes, in drawing units.

Drawn on the server with presentation attributes, so that the strict content security policy leaves the colours alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from trial.base.words import day_and_month


def _plain(number: float) -> str:
    return f"{number:,.10g}"


@dataclass(frozen=True)
class Interval:
    """An estimate and its interval against two limits fixed before the data (screens/README, 08a).

    All values share one unit; `limits` ascend. Where lower is better the zones run green, amber, red.
    """

    low: float
    estimate: float
    high: float
    limits: tuple[float, float]
    axis_max: float = 100
    unit: str = "%"
    lower_is_better: bool = False

    WIDTH = 300

    def x(self, value: float) -> float:
        """Where a value stands, in drawing units, kept on the drawing."""
        return round(min(max(value / self.axis_max, 0), 1) * self.WIDTH, 1)

    @property
    def zones(self) -> list[tuple[float, float, str]]:
        """(x, width, colour) of the three zones."""
        colours = ["#f7d4d1", "#ffe6b3", "#cce5d8"]
        if self.lower_is_better:
            colours.reverse()
        edges = [0.0, self.x(self.limits[0]), self.x(self.limits[1]), float(self.WIDTH)]
        return [
            (left, round(right - left, 1), colour)
            for left, right, colour in zip(edges, edges[1:], colours, strict=False)
        ]

    @property
    def marks(self) -> list[tuple[float, float, str, str]]:
        """(x, x of the label, its anchor, label) of each limit; labels that would meet step apart."""
        left, right = (self.x(limit) for limit in self.limits)
        close = right - left < 42
        texts = [f"{_plain(limit)}{self.unit}" for limit in self.limits]
        return [
            (left, left + 4 if close else left, "end" if close else "middle", texts[0]),
            (right, right - 4 if close else right, "start" if close else "middle", texts[1]),
        ]

    @property
    def points(self) -> tuple[float, float, float]:
        """x of the low end, the estimate and the high end."""
        return self.x(self.low), self.x(self.estimate), self.x(self.high)

    @property
    def description(self) -> str:
        """The same in words."""
        numbers = [f"{_plain(n)}{self.unit}" for n in (self.estimate, self.low, self.high, *self.limits)]
        return f"Estimate {numbers[0]}, interval {numbers[1]} to {numbers[2]}. Limits {numbers[3]} and {numbers[4]}."


@dataclass(frozen=True)
class ProgressBar:
    """One number against what was expected by today and a target (01, Recruitment)."""

    count: int
    expected: int
    target: int

    WIDTH = 296

    def _x(self, value: int) -> float:
        return round(min(value / max(self.target, 1), 1) * self.WIDTH, 1)

    @property
    def filled(self) -> float:
        """Width of the bar."""
        return self._x(self.count)

    @property
    def mark(self) -> float:
        """Where the expected number stands."""
        return self._x(self.expected)

    @property
    def mark_anchor(self) -> str:
        """Which way the words of the mark run, so that they stay on the drawing."""
        if self.mark < self.WIDTH * 0.25:
            return "start"
        return "end" if self.mark > self.WIDTH * 0.75 else "middle"


@dataclass(frozen=True)
class StepChart:
    """People over time as a step line against a dashed plan, with direct labels and openings marked (08a).

    Args:
        steps: (day, number by then), ascending, from the first day on.
        plan: (day, number planned), two points or more.
        openings: (day, label) of what opened.
        label: what is counted, in a word ("Randomised").
    """

    steps: Sequence[tuple[date, int]]
    plan: Sequence[tuple[date, int]]
    openings: Sequence[tuple[date, str]] = ()
    label: str = "Randomised"

    LEFT, RIGHT, TOP, BOTTOM = 44, 860, 20, 250

    @cached_property
    def _first(self) -> date:
        return min(day for day, _number in [*self.steps, *self.plan])

    @cached_property
    def _days(self) -> int:
        last = max(day for day, _number in [*self.steps, *self.plan])
        return max((last - self._first).days, 1)

    @cached_property
    def top_number(self) -> int:
        """The highest number drawn, a multiple of 4."""
        highest = max(number for _day, number in [*self.steps, *self.plan])
        return max(-(-highest // 4) * 4, 4)

    def x(self, day: date) -> float:
        """Where a day stands."""
        return round(self.LEFT + (day - self._first).days / self._days * (self.RIGHT - self.LEFT), 1)

    def y(self, number: float) -> float:
        """Where a number stands."""
        return round(self.BOTTOM - number / self.top_number * (self.BOTTOM - self.TOP), 1)

    @property
    def rows(self) -> list[tuple[float, int]]:
        """(y, number) of five rules."""
        numbers = [self.top_number * quarter // 4 for quarter in range(5)]
        return [(self.y(number), number) for number in numbers]

    @property
    def months(self) -> list[tuple[float, str]]:
        """(x, "1 Feb") of the first of each month, thinned so that labels never meet."""
        last = self._first + timedelta(days=self._days)
        firsts = [
            date(year, month, 1)
            for year in range(self._first.year, last.year + 1)
            for month in range(1, 13)
            if self._first < date(year, month, 1) <= last
        ]
        every = max(-(-len(firsts) // 10), 1)
        return [(self.x(day), day_and_month(day)) for day in firsts[::every]]

    @property
    def step_path(self) -> str:
        """The step line as SVG path data."""
        day, number = self.steps[0]
        path = [f"M{self.x(day)} {self.y(number)}"]
        path += [f"H{self.x(day)}V{self.y(number)}" for day, number in self.steps[1:]]
        return "".join(path)

    @property
    def plan_path(self) -> str:
        """The plan as SVG path data."""
        return "M" + "L".join(f"{self.x(day)} {self.y(number)}" for day, number in self.plan)

    @property
    def opened(self) -> list[tuple[float, int, str]]:
        """(x, y of the label, label) of each opening, on falling lines so that labels do not meet."""
        return [(self.x(day), self.TOP + 16 + 24 * place, label) for place, (day, label) in enumerate(self.openings)]

    @property
    def end(self) -> tuple[float, float, int, date]:
        """x and y of the last step, its number and day."""
        day, number = self.steps[-1]
        return self.x(day), self.y(number), number, day

    def _label_at(self, points: Sequence[tuple[date, int]], share: float) -> tuple[float, float]:
        day = self._first + timedelta(days=round(self._days * share))
        before = [number for on, number in points if on <= day] or [points[0][1]]
        return self.x(day), self.y(before[-1])

    @property
    def step_label(self) -> tuple[float, float]:
        """Where the name of the step line goes: under it."""
        x, y = self._label_at(self.steps, 0.6)
        return x + 8, min(y + 24, self.BOTTOM - 8)

    @property
    def plan_label(self) -> tuple[float, float]:
        """Where "Planned" goes: above the dashed line."""
        (first_day, first), (last_day, last) = self.plan[0], self.plan[-1]
        day = first_day + (last_day - first_day) * 0.45
        return self.x(day) - 10, self.y(first + (last - first) * 0.45) - 10

    @property
    def description(self) -> str:
        """The same in words."""
        _x, _y, number, day = self.end
        planned = self.plan[-1][1]
        return f"{number} by {day_and_month(day)}; the plan ends at {planned}."
