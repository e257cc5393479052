"""Small charts of a simulation, one set for each design, as inline SVG (randomisation.md section 11).

Presentation attributes only, for the strict content security policy; every line and bar is named where it stands, so
that no colour has to be told apart. The numbers stand in the table of the same page.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from randomisation.simulation import Comparison, MethodResult

WIDTH, HEIGHT = 340, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 324, 50, 168
INK, QUIET, RULE, BRAND, PALE = "#212b32", "#4c6272", "#d8dde0", "#1b4d3e", "#e8edee"
MAX_BARS, MAX_LABELS, MAX_POINTS = 16, 6, 300
DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4")

Point = tuple[float, float]


@dataclass(frozen=True)
class MethodCharts:
    """The charts of one design.

    Attributes:
        label: the design's name.
        imbalance: how often the trial ends with which imbalance; same scales for every design.
        guesses: what can be foreseen, beside the guess of whoever knows nothing.
        steps: probability of each arm by step; None where the ratio is equal or the method has no steps.
    """

    label: str
    imbalance: SafeString
    guesses: SafeString
    steps: SafeString | None


def charts(comparison: Comparison) -> tuple[MethodCharts, ...]:
    """The charts of every design, in order."""
    scale = _Bins.of(comparison.methods)
    return tuple(
        MethodCharts(
            label=method.label,
            imbalance=imbalance_chart(method, scale),
            guesses=guess_chart(method),
            steps=step_chart(method) if method.steps and len(set(method.ratio)) > 1 else None,
        )
        for method in comparison.methods
    )


@dataclass(frozen=True)
class _Bins:
    """Bars `width` people wide, `number` of them, and the highest share of trials drawn."""

    width: float
    number: int
    top: float

    @classmethod
    def of(cls, methods: Sequence[MethodResult]) -> "_Bins":
        values = sorted({value for method in methods for value, _number in method.final})
        gaps = [after - before for before, after in pairwise(values)]
        width = max(min(gaps, default=1.0), -(-values[-1] // MAX_BARS), 1e-9)
        bins = cls(width, int(values[-1] / width + 1e-6) + 1, 1)
        highest = max(max(bins.shares(method)) for method in methods)
        return cls(width, bins.number, max(-(-highest * 100 // 10) / 10, 0.1))

    def shares(self, method: MethodResult) -> list[float]:
        """Share of trials in each bar."""
        found = Counter[int]()
        for value, number in method.final:
            # A thousandth of nothing, so that a value on an edge is not put below it by rounding.
            found[int(value / self.width + 1e-6)] += number
        return [found[place] / method.n_trials for place in range(self.number)]


def imbalance_chart(method: MethodResult, scale: _Bins | None = None) -> SafeString:
    """Bars: share of simulated trials by imbalance at the end."""
    bins = scale or _Bins.of([method])
    slot = (RIGHT - LEFT) / bins.number
    bars = [
        (LEFT + slot * place + slot * 0.1, _y(share, bins.top), slot * 0.8, BOTTOM - _y(share, bins.top))
        for place, share in enumerate(bins.shares(method))
        if share
    ]
    every = -(-bins.number // MAX_LABELS)
    edges = [(LEFT + slot * (place + 0.5), f"{place * bins.width:.3g}") for place in range(0, bins.number, every)]
    across = "Difference between the arms, people" if method.is_difference else "Distance from the ratio, people"
    overall = method.imbalance.overall
    words = (
        f"{across}, at the end of {method.n_trials:,} simulated trials: mean {overall.mean:.1f},"
        f" 95th percentile {overall.p95:.3g}, maximum {overall.maximum:.3g}."
    )
    drawn = format_html_join(
        "", '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>', (_rounded(*bar, BRAND) for bar in bars)
    )
    rules = _rules([0, bins.top / 2, bins.top], bins.top)
    return _chart(
        f"Final imbalance: {method.label}", words, [rules, drawn, _axis(edges, across), _up("Share of trials")]
    )


def guess_chart(method: MethodResult) -> SafeString:
    """A dot for each guesser between 0 and 100 %, tied to the line of whoever knows nothing."""
    left, right, between = 132, 280, 34
    nothing = max(method.shares)
    rows = [
        ("Own site’s arms", method.guesses.site),
        ("All arms", method.guesses.everywhere),
        ("Arms and design", method.guesses.design),
    ]

    def x(share: float) -> float:
        return left + share * (right - left)

    baseline = format_html(
        '<path d="M{} {}V{}" stroke="{}" stroke-width="1.5" stroke-dasharray="5 4"/>'
        '<path d="M{} {}H{}" stroke="#768692"/>',
        *_rounded(x(nothing), TOP - 4, BOTTOM, INK, left, BOTTOM, right),
    )
    marks = [
        _guess_mark(name, share, at=x(share), nothing=x(nothing), left=left, y=TOP + 18 + between * place)
        for place, (name, share) in enumerate(rows)
    ]
    edges = [(x(half / 2), f"{half * 50}%") for half in range(3)]
    words = (
        ", ".join(f"{name.lower()} {share:.1%}" for name, share in rows)
        + f". The dashed line is whoever knows nothing, {nothing:.0%}. The others know the arms of their own site, all"
        " arms, or all arms and the design."
    )
    across = f"Foreseen (dashed: knowing nothing, {nothing:.0%})"
    return _chart(f"Guess probability: {method.label}", words, [baseline, *marks, _axis(edges, across)])


def _guess_mark(name: str, share: float, *, at: float, nothing: float, left: float, y: float) -> SafeString:
    """Name, dot and percentage; the percentage on the side away from the line."""
    side, anchor = (10, "start") if at >= nothing else (-10, "end")
    return format_html(
        '<text x="{}" y="{}" dy="5" font-size="13" text-anchor="end" fill="{}">{}</text>'
        '<path d="M{} {}H{}" stroke="{}" stroke-width="2"/><circle cx="{}" cy="{}" r="5.5" fill="{}"/>'
        '<text x="{}" y="{}" dy="5" font-size="13" text-anchor="{}" fill="{}">{}</text>',
        *_rounded(left - 8, y, INK, name, nothing, y, at, BRAND, at, y, BRAND),
        *_rounded(at + side, y, anchor, INK, f"{share:.0%}"),
    )


def step_chart(method: MethodResult) -> SafeString:
    """A line for each arm: its probability at allocation 1, 2, …; the grey band is what chance alone makes."""
    right, n_steps = RIGHT - 60, len(method.steps)
    every = -(-n_steps // MAX_POINTS)
    parts = [_rules([0, 0.5, 1], 1, right)]
    for arm, (code, share) in enumerate(zip(method.arms, method.shares, strict=True)):
        points = [
            (LEFT + (right - LEFT) * place / max(n_steps - 1, 1), _y(method.steps[place][arm], 1))
            for place in range(0, n_steps, every)
        ]
        parts.append(_band(share, method.step_error, right))
        parts.append(_line(points, DASHES[arm % len(DASHES)]))
        parts.append(
            format_html(
                '<text x="{}" y="{}" dy="4" font-size="13" fill="{}">{}</text>',
                *_rounded(right + 8, _y(share, 1), INK, _short(code)),
            )
        )
    verdict = "stays the same" if method.is_flat else "moves, which can be exploited"
    words = (
        f"The probability of each arm {verdict}: largest distance from its share {method.step_gap:.3f},"
        f" and chance alone makes up to {method.step_error:.3f}."
    )
    edges = [(LEFT, "1"), (right, str(n_steps))] if n_steps > 1 else [(LEFT, "1")]
    parts += [_axis(edges, "Allocation number"), _up("Probability")]
    return _chart(f"Probability of each arm by step: {method.label}", words, parts)


def _chart(title: str, words: str, parts: Iterable[SafeString]) -> SafeString:
    return format_html(
        '<svg class="app-chart" role="img" viewBox="0 0 {} {}" width="{}" height="{}" xmlns="http://www.w3.org/2000/svg">'
        '<title>{}</title><desc>{}</desc><text x="0" y="15" font-size="14" font-weight="700" fill="{}">{}</text>'
        "{}</svg>",
        *(WIDTH, HEIGHT, WIDTH, HEIGHT, title, words, INK, title.partition(":")[0]),
        format_html_join("", "{}", ((part,) for part in parts)),
    )


def _rules(values: Sequence[float], top: float, right: float = RIGHT) -> SafeString:
    return format_html_join(
        "",
        '<path d="M{} {}H{}" stroke="{}"/>'
        '<text x="{}" y="{}" dy="5" font-size="13" text-anchor="end" fill="{}">{}</text>',
        (
            _rounded(LEFT, _y(value, top), right, RULE if value else "#768692")
            + _rounded(LEFT - 6, _y(value, top), QUIET, f"{value:.0%}")
            for value in values
        ),
    )


def _axis(edges: Sequence[tuple[float, str]], words: str) -> SafeString:
    labels = format_html_join(
        "",
        '<text x="{}" y="{}" font-size="13" text-anchor="middle" fill="{}">{}</text>',
        (_rounded(x, BOTTOM + 18, QUIET, label) for x, label in edges),
    )
    return format_html(
        '{}<text x="{}" y="{}" font-size="13" text-anchor="end" fill="{}">{}</text>',
        labels,
        *(RIGHT, BOTTOM + 40, QUIET, words),
    )


def _up(words: str) -> SafeString:
    return format_html('<text x="0" y="{}" dy="-14" font-size="13" fill="{}">{}</text>', TOP, QUIET, words)


def _band(share: float, error: float, right: float) -> SafeString:
    high, low = _y(min(share + error, 1), 1), _y(max(share - error, 0), 1)
    return format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>', *_rounded(LEFT, high, right - LEFT, low - high, PALE)
    )


def _line(points: Sequence[Point], dash: str) -> SafeString:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return format_html(
        '<path d="{}" fill="none" stroke="{}" stroke-width="2" stroke-dasharray="{}"/>', path, BRAND, dash or "none"
    )


def _y(value: float, top: float) -> float:
    return BOTTOM - value / top * (BOTTOM - TOP)


def _rounded(*values: float | str) -> tuple[float | str, ...]:
    return tuple(round(value, 1) if isinstance(value, float) else value for value in values)


def _short(code: str) -> str:
    return code if len(code) <= 8 else f"{code[:7]}…"
