"""A comparison as rows of text, the same for the page, the command and the acceptance report."""

from collections.abc import Callable

from randomisation.simulation.results import Comparison, MethodResult, Spread

NOT_OF_THIS_METHOD = "–"

Row = tuple[str, list[str]]


def rows(comparison: Comparison) -> list[Row]:
    """(what, its text for each design in order). Rows that no design has anything to say on are left out."""
    sites = [(f"Final imbalance, site {code}", _of_site(code)) for code in comparison.methods[0].imbalance.sites]
    every = [*_ROWS[:_SITES_AFTER], *sites, *_ROWS[_SITES_AFTER:]]
    found = [(words, [text(method) for method in comparison.methods]) for words, text in every]
    return [(words, texts) for words, texts in found if set(texts) != {NOT_OF_THIS_METHOD}]


def note(comparison: Comparison) -> str:
    """What imbalance means in these rows."""
    if all(method.is_difference for method in comparison.methods):
        return "Imbalance is the difference between the two arms, in people: mean, 95th percentile, maximum."
    return "Imbalance is the largest distance of an arm from its share, in people: mean, 95th percentile, maximum."


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.1f}, {spread.p95:.3g}, {spread.maximum:.3g}"


def _of_site(code: str) -> Callable[[MethodResult], str]:
    return lambda method: _spread(method.imbalance.sites[code])


def _share(share: float | None) -> str:
    return NOT_OF_THIS_METHOD if share is None else f"{share:.1%}"


def _smallest(method: MethodResult) -> str:
    first = method.smallest[0]
    return f"{' + '.join(f'{size:.1f}' for size in first.arms)}; an arm missing in {first.without_an_arm:.0%}"


def _steps(method: MethodResult) -> str:
    if not method.steps:
        return NOT_OF_THIS_METHOD
    verdict = "flat" if method.is_flat else "moves"
    return f"{verdict}: {method.step_gap:.3f} (chance: {method.step_error:.3f})"


_SITES_AFTER = 2
"""Rows before those of each site."""

_ROWS: tuple[tuple[str, Callable[[MethodResult], str]], ...] = (
    ("Final imbalance, overall", lambda method: _spread(method.imbalance.overall)),
    ("Final imbalance, worst site", lambda method: _spread(method.imbalance.worst_site)),
    ("Final imbalance, worst factor level", lambda method: _spread(method.imbalance.worst_level)),
    ("Largest imbalance at any time", lambda method: _spread(method.imbalance.any_time)),
    ("Guessed, knowing the site's own arms", lambda method: _share(method.guesses.site)),
    ("Guessed, knowing all arms", lambda method: _share(method.guesses.everywhere)),
    ("Guessed, knowing all arms and the design", lambda method: _share(method.guesses.design)),
    ("Forced allocations", lambda method: _share(method.forced)),
    ("Incomplete blocks", lambda method: _share(method.incomplete_blocks)),
    ("Preference overruled by chance", lambda method: _share(method.overruled)),
    ("Arm sizes in the smallest stratum", _smallest),
    ("Probability of an arm by step, gap", _steps),
)
