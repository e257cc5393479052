"""Method, ratio, block sizes and strata (randomisation.md, section 1)."""

from collections.abc import Iterator

from trial.protocol import rules
from trial.protocol.checks.library import Library
from trial.protocol.errors import Problem
from trial.protocol.spec import Factor, ProtocolSpec, ScoreRange, ScoreSource

LARGEST_RATIO_SUM = 60
MOST_STRATA = 500
KEY = "randomisation"


def problems(spec: ProtocolSpec, library: Library) -> Iterator[Problem]:
    """Parameters that the randomisation would refuse, and strata that leave eligible people out."""
    if sum(rules.reduced_ratio(spec)) > LARGEST_RATIO_SUM:
        yield Problem("arms", f"the ratio in lowest terms must add up to {LARGEST_RATIO_SUM} or less")
    yield from _own_keys(spec)
    yield from _multiples(spec)
    if spec.randomisation.method == "simple" and spec.randomisation.factors:
        yield Problem(f"{KEY}.factors", "the method simple has no strata")
    if spec.randomisation.method != "minimisation" and any(f.weight != 1 for f in spec.randomisation.factors):
        yield Problem(f"{KEY}.factors", "only minimisation weighs factors")
    if spec.randomisation.method != "minimisation" and rules.n_strata(spec) > MOST_STRATA:
        yield Problem(f"{KEY}.factors", f"must make {MOST_STRATA} strata or fewer")
    for index, factor in enumerate(spec.randomisation.factors):
        key = f"{KEY}.factors.{index}"
        if isinstance(factor.source, ScoreSource):
            yield from _bands(spec, library, key, factor, factor.source)
        else:
            yield from _sites(spec, key, factor)


OWN_KEYS = {
    "simple": frozenset[str](),
    "permuted_blocks": frozenset({"block_sizes"}),
    "big_stick": frozenset({"mti"}),
    "minimisation": frozenset({"imbalance", "p", "burn_in", "overall_weight", "unequal"}),
    "import": frozenset[str](),
}
"""The restricted keys of each method; an imported list names its file when it is configured."""
BACKUP_KEY = "backup_block_sizes"


def _own_keys(spec: ProtocolSpec) -> Iterator[Problem]:
    """Each method has its own keys, none missing and none too many; emergency lists have sizes and a length."""
    own = OWN_KEYS[spec.randomisation.method]
    restricted = spec.randomisation.restricted
    given = set(restricted.given() if restricted else ())
    for name in sorted(own - given):
        yield Problem(f"{KEY}.restricted", f"this key is missing: {spec.randomisation.method} needs {name}")
    for name in sorted(given - own - {BACKUP_KEY}):
        yield Problem(f"{KEY}.restricted.{name}", f"the method {spec.randomisation.method} has no such parameter")
    if BACKUP_KEY not in given and spec.randomisation.backup_rows > 0:
        yield Problem(f"{KEY}.restricted.{BACKUP_KEY}", "this key is missing: emergency lists with rows need it")
    if BACKUP_KEY in given and spec.randomisation.backup_rows == 0:
        yield Problem(f"{KEY}.backup_rows", f"emergency lists need {BACKUP_KEY} and a number of rows")


def _multiples(spec: ProtocolSpec) -> Iterator[Problem]:
    total = sum(rules.reduced_ratio(spec))
    for name in ("block_sizes", BACKUP_KEY):
        before = 0
        for index, size in enumerate(getattr(spec.randomisation.restricted, name, None) or ()):
            if size % total:
                yield Problem(
                    f"{KEY}.restricted.{name}.{index}", f"must be a multiple of {total}, the sum of the ratio"
                )
            if size <= before:
                yield Problem(f"{KEY}.restricted.{name}.{index}", "must be more than the size before it")
            before = size


def _sites(spec: ProtocolSpec, key: str, factor: Factor) -> Iterator[Problem]:
    if [level.code for level in factor.levels] != [site.code for site in spec.sites]:
        yield Problem(f"{key}.levels", "must be the codes of the sites, in the same order")
    for index, level in enumerate(factor.levels):
        for bound in ("min", "max"):
            if getattr(level, bound) is not None:
                yield Problem(f"{key}.levels.{index}.{bound}", "only a band of a score has bounds")


def _bands(spec: ProtocolSpec, library: Library, key: str, factor: Factor, source: ScoreSource) -> Iterator[Problem]:
    """Bands must follow each other without gap or overlap, from the lowest to the highest eligible score."""
    if wrong := list(library.measure_problems(f"{key}.source", source.visit, source.instrument, source.score)):
        yield from wrong
        return
    for index, level in enumerate(factor.levels):
        for bound in ("min", "max"):
            if getattr(level, bound) is None:
                yield Problem(f"{key}.levels.{index}.{bound}", "a band of a score needs both bounds")
    bounds = [(one.min, one.max) for one in factor.levels if one.min is not None and one.max is not None]
    wanted = _range(spec, library, source)
    if wanted and len(bounds) == len(factor.levels):
        yield from _cover(f"{key}.levels", bounds, *wanted)


def _range(spec: ProtocolSpec, library: Library, source: ScoreSource) -> tuple[int, int] | None:
    eligible = _eligible(spec, source)
    score = library.score(source.instrument, source.score)
    if eligible or score is None or score.range is None:
        return eligible
    return int(score.range[0]), int(score.range[1])


def _eligible(spec: ProtocolSpec, source: ScoreSource) -> tuple[int, int] | None:
    """The range in which the inclusion criteria keep the score, None where no criterion does."""
    ranges = [
        one.rule
        for one in spec.criteria
        if one.kind == "inclusion"
        and isinstance(one.rule, ScoreRange)
        and (one.rule.visit, one.rule.instrument, one.rule.score) == (source.visit, source.instrument, source.score)
    ]
    return (max(one.min for one in ranges), min(one.max for one in ranges)) if ranges else None


def _cover(key: str, bounds: list[tuple[int, int]], low: int, high: int) -> Iterator[Problem]:
    expected = low
    for index, (lowest, highest) in enumerate(bounds):
        if lowest != expected:
            yield Problem(f"{key}.{index}.min", f"must be {expected}: no gap and no overlap")
        if highest < lowest:
            yield Problem(f"{key}.{index}.max", f"must be {lowest} or more")
        expected = highest + 1
    if expected != high + 1:
        yield Problem(f"{key}.{len(bounds) - 1}.max", f"must be {high}, the highest eligible score")
