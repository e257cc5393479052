"""A figure, its floor, and how long something takes."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure beside the floor of the same run, both in `unit`."""

    name: str
    value: float
    floor_name: str
    floor: float
    unit: str

    @property
    def ratio(self) -> float:
        """How many times the floor."""
        return self.value / self.floor if self.floor else float("inf")


def median_ms(work: Callable[[], object], *, repeats: int) -> float:
    """Median time of `work` in milliseconds, after one run that does not count."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def table(figures: list[Figure]) -> str:
    """The figures as text."""
    rows = [("figure", "value", "floor", "", "ratio")]
    rows += [
        (f.name, f"{f.value:,.2f} {f.unit}", f"{f.floor:,.2f} {f.unit}", f.floor_name, f"{f.ratio:.2f}")
        for f in figures
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(5)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
