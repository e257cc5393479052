"""What the checks of a definition share. Each check yields the key that is wrong and the reason."""

from collections.abc import Iterable, Iterator

from instruments.exact import Number

Problems = Iterator[tuple[str, str]]

# Whole numbers that a release writes for a missing value, so no valid value may be one of them.
MISSING_CODES = range(-99, -90)

# Words that SAS, SPSS, Stata or SQL keep for themselves.
RESERVED = frozenset({"all", "and", "by", "date", "if", "in", "not", "or", "time", "to", "using", "with"})

# Methods whose result is no number, or none that is worked out here.
NOT_COMPUTED = frozenset({"concat", "external_value_set", "external_algorithm"})


def within(place: str, problems: Problems) -> Problems:
    """The same problems, their keys placed in the whole definition."""
    return ((f"{place}.{key}", why) for key, why in problems)


def again(values: Iterable[object]) -> Iterator[tuple[int, object]]:
    """Each value that was there before, with its position."""
    seen: set[object] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield index, value
        seen.add(value)


def reserved(code: str) -> Problems:
    """A code that would name a column no statistical software accepts."""
    if code in RESERVED:
        yield "code", f"{code} is a reserved word of statistical software"


def missing_codes(key: str, low: Number, high: Number) -> Problems:
    """An interval of valid values that holds a missing code."""
    if low <= MISSING_CODES[-1] and high >= MISSING_CODES[0]:
        yield key, f"{low} to {high} includes a missing code of the release (-99 to -91)"
