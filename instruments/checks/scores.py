"""Checks of scores: what they use, missing items, ranges and bands."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from instruments.checks.common import NOT_COMPUTED, Problems, again, missing_codes, reserved, within
from instruments.exact import Exact, Number, exact, round_half_up
from instruments.model import Band, Instrument, Item, Score

# The keys that belong to one method (or two) and mean nothing to the others.
METHODS_WITH = {
    "of": {"linear", "lookup", "external_value_set", "external_algorithm"},
    "multiplier": {"linear"},
    "offset": {"linear"},
    "table": {"lookup"},
    "thresholds": {"count_at_least"},
    "missing_digit": {"concat"},
}


def score_problems(score: Score, earlier: dict[str, Score], instrument: Instrument) -> Problems:
    """What is wrong with one score; `earlier` are those it may use."""
    yield from reserved(score.code)
    yield from _score_items(score, instrument)
    yield from _score_of(score, earlier)
    yield from _score_keys(score)
    yield from _missing_rule(score)
    yield from _table(score)
    yield from _range(score)
    yield from _bands(score)


def _score_items(score: Score, instrument: Instrument) -> Problems:
    for index, code in enumerate(score.items):
        item = instrument.items_by_code.get(code)
        if item is None:
            yield f"items[{index}]", f"there is no item {code!a}"
        elif not item.scored and score.method != "item":
            yield f"items[{index}]", f"{code} is not scored, so only an item score may use it"
        elif score.method == "concat":
            yield from ((f"items[{index}]", why) for why in _not_a_digit(score, item))
    if score.method == "count_at_least":
        yield from _thresholds(score, instrument)


def _not_a_digit(score: Score, item: Item) -> Iterator[str]:
    if item.min < 0 or item.max > 9:
        yield f"{item.code} has answers of more than one digit"
    elif score.missing_digit is not None and int(score.missing_digit) in item.allowed:
        yield f"{score.missing_digit} marks a missing answer, and is also an answer to {item.code}"


def _thresholds(score: Score, instrument: Instrument) -> Problems:
    for code in sorted({*score.items} ^ {*score.thresholds}):
        yield "thresholds", f"{code!a} must be both in items and here"
    for code, threshold in score.thresholds.items():
        item = instrument.items_by_code.get(code)
        if item and not item.min <= threshold <= item.max:
            yield f"thresholds.{code}", f"{threshold} is outside {item.min} to {item.max}"


def _score_of(score: Score, earlier: dict[str, Score]) -> Problems:
    if score.of is None:
        return
    if score.of not in earlier:
        yield "of", f"there is no earlier score {score.of!a}"
    elif score.method in {"linear", "lookup"} and earlier[score.of].method in NOT_COMPUTED:
        yield "of", f"{score.of} is not a number that is computed here"


def _score_keys(score: Score) -> Problems:
    for key, methods in METHODS_WITH.items():
        if getattr(score, key) not in (None, (), {}) and score.method not in methods:
            yield key, f"does not belong to the method {score.method}"


def _missing_rule(score: Score) -> Problems:
    rule = score.missing_rule
    most = len(score.items) - (rule.method != "missing_digit")
    if score.items and rule.max_missing > most:
        yield "missing_rule.max_missing", f"{rule.max_missing} is more than {most}, all that can be missing"
    if rule.rounding not in {"none", f"half_up_{score.precision}dp"}:
        yield "missing_rule.rounding", f"{rule.rounding} contradicts precision, {score.precision}"


def _table(score: Score) -> Problems:
    for index, raw in again(raw for raw, _ in score.table):
        yield f"table[{index}].raw", f"{raw} is there twice"


def _range(score: Score) -> Problems:
    if score.range is None:
        if score.bands:
            yield "range", "is null, and the score has bands"
        return
    low, high = score.range
    if low > high:
        yield "range", f"{low} to {high} runs backwards"
    if score.precision == 0:
        yield from missing_codes("range", low, high)


def _bands(score: Score) -> Problems:
    """Closed, ascending, without gaps at the score's precision, over the whole range."""
    for index, code in again(band.code for band in score.bands):
        yield f"bands[{index}].code", f"{code} is used twice"
    if score.precision is None or score.range is None:
        return
    step = Decimal(f"1E-{score.precision}")
    for index, band in enumerate(score.bands):
        expected = score.bands[index - 1].max + step if index else min(band.min, score.range[0])
        yield from within(f"bands[{index}]", _band(band, expected, score.precision))
    if score.bands and score.bands[-1].max < score.range[1]:
        yield f"bands[{len(score.bands) - 1}].max", f"the range goes on to {score.range[1]}"


def _band(band: Band, expected: Number, precision: int) -> Problems:
    if band.min != expected:
        yield "min", f"is {band.min}, and must be {expected}: bands leave no gap and do not overlap"
    if band.min > band.max:
        yield "max", f"{band.max} is below min, {band.min}"
    if round_half_up(exact(band.max), precision) != band.max:
        yield "max", f"{band.max} has more decimal places than precision, {precision}"


def range_problems(score: Score, instrument: Instrument) -> Problems:
    """The range must hold every value that the answers can give."""
    ends = _ends(score, instrument)
    if ends is None or score.range is None or score.precision is None:
        return
    low, high = (round_half_up(end, score.precision) for end in ends)
    if low < score.range[0] or high > score.range[1]:
        yield (
            "range",
            f"{score.range[0]} to {score.range[1]} leaves out values; they run from {low} to {high}",
        )


def _ends(score: Score, instrument: Instrument) -> tuple[Exact, Exact] | None:
    """The lowest and the highest value before rounding; null when it is not a number computed here."""
    items = [instrument.items_by_code[code] for code in score.items]
    match score.method:
        case "linear":
            start = _ends(instrument.scores_by_code[score.of or ""], instrument) or ()
            ends = [exact(score.multiplier or 0) * end + exact(score.offset or 0) for end in start]
            return min(ends), max(ends)
        case "lookup":
            values = score.value_by_raw.values()
            return min(values), max(values)
        case "sum" | "mean":
            return _ends_of_average(score, items)
        case "item":
            return items[0].min, items[0].max
        case "difference":
            return items[0].min - items[1].max, items[0].max - items[1].min
        case "count_at_least":
            return 0, len(items)
    return None


def _ends_of_average(score: Score, items: list[Item]) -> tuple[Exact, Exact]:
    """With items missing, the extremes come from answering only the lowest or the highest ranges."""
    n_answered = len(items) - score.missing_rule.max_missing
    scale = Fraction(len(items) if score.method == "sum" else 1, n_answered)
    lows = sorted(item.min for item in items)[:n_answered]
    highs = sorted(item.max for item in items)[-n_answered:]
    return scale * sum(lows), scale * sum(highs)
