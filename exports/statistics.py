"""Counts of one table for the codebook: how often each code occurs, and least, middle and greatest values."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from exports.missing_codes import MISSING_CODES
from exports.model import Row, Table, Type, Value, Variable

CHUNK = 5000
COUNTED = frozenset({Type.INTEGER, Type.DECIMAL, Type.DATE, Type.CODE})
"""Types whose values are counted; the others may differ in every row."""

Number = int | float | str


@dataclass(frozen=True)
class Description:
    """One column: values, blanks, missing codes, codes, and the range of its valid values."""

    n_valid: int
    n_blank: int
    missing: Mapping[int, int]
    frequencies: Mapping[int | str, int]
    least: Number | None = None
    median: Number | None = None
    greatest: Number | None = None


@dataclass(frozen=True)
class Summary:
    """One table: its rows, and each of its counted columns by name."""

    n_rows: int
    columns: Mapping[str, Description]


def summarise(table: Table, rows: Iterable[Row]) -> Summary:
    """Read a table once and count it."""
    counted = [(n, Counter[Value]()) for n, variable in enumerate(table.variables) if variable.type in COUNTED]
    n_rows = 0
    for chunk in _chunks(rows):
        n_rows += len(chunk)
        columns = list(zip(*chunk, strict=True))
        for n, counter in counted:
            counter.update(columns[n])
    return Summary(n_rows, {table.names[n]: _describe(table.variables[n], counter) for n, counter in counted})


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _describe(variable: Variable, counter: Counter[Value]) -> Description:
    n_blank = counter.pop(None, 0)
    present = {value: n for value, n in counter.items() if value is not None}
    missing = {value: n for value, n in present.items() if isinstance(value, int) and value in MISSING_CODES}
    valid = {value: n for value, n in present.items() if value not in missing}
    coded = variable.type == Type.CODE
    return Description(
        n_valid=sum(valid.values()),
        n_blank=n_blank,
        missing=dict(sorted(missing.items(), reverse=True)),
        frequencies=dict(sorted(valid.items(), key=lambda pair: (str(type(pair[0])), pair[0]))) if coded else {},
        **({} if coded else _range(variable, valid)),
    )


def _range(variable: Variable, valid: Mapping[int | str, int]) -> dict[str, Number]:
    if not valid:
        return {}
    if variable.type == Type.DATE:
        days = sorted(str(day) for day in valid)
        return {"least": days[0], "greatest": days[-1]}
    numbers = sorted((Decimal(value), n) for value, n in valid.items())
    return {"least": _plain(numbers[0][0]), "median": _plain(_median(numbers)), "greatest": _plain(numbers[-1][0])}


def _median(numbers: list[tuple[Decimal, int]]) -> Decimal:
    """Middle value of (value, how often), sorted; between two values their mean."""
    n = sum(times for _, times in numbers)
    return (_at(numbers, (n - 1) // 2) + _at(numbers, n // 2)) / 2


def _at(numbers: list[tuple[Decimal, int]], index: int) -> Decimal:
    for value, times in numbers:
        if index < times:
            return value
        index -= times
    raise IndexError(index)


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)
