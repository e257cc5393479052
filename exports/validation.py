"""Every row is tested against the model while it is written: a breach stops the lock's file and names the cell."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime

from exports.checks import ModelBroken
from exports.missing_codes import MISSING_CODES
from exports.model import Model, Row, Table, Type, Value, Variable

Test = Callable[[Value], bool]


def checked(model: Model, table: Table, rows: Iterable[Row]) -> Iterator[Row]:
    """The same rows, each tested: types, code lists, ranges, lengths, and the key, sorted and unique.

    Raises:
        ModelBroken: a cell does not fit its variable, or the key repeats or is out of order.
    """
    tests = [_test(model, variable) for variable in table.variables]
    key_positions = table.key_positions
    previous: tuple[Value, ...] | None = None
    for row in rows:
        key = tuple(row[n] for n in key_positions)
        if len(row) != len(tests) or None in key or not _follows(previous, key):
            raise ModelBroken([f"{table.name}: the row {key} repeats a key, is out of order or has gaps in its key"])
        for n, test in enumerate(tests):
            if row[n] is not None and not test(row[n]):
                raise ModelBroken(
                    [f"{table.name}.{table.names[n]}: the row {key} holds {row[n]!r}, which does not fit"]
                )
        previous = key
        yield row


def _follows(previous: tuple[Value, ...] | None, key: tuple[Value, ...]) -> bool:
    return previous is None or key > previous


def _test(model: Model, variable: Variable) -> Test:
    if variable.type == Type.CODE:
        codes = frozenset(code.value for code in model.codelist(variable.codelist).codes)
        return (codes | frozenset(variable.missing)).__contains__
    return _TESTS[variable.type](variable)


def _integer(variable: Variable) -> Test:
    low, high, missing = variable.min, variable.max, frozenset(variable.missing)

    def test(value: Value) -> bool:
        if type(value) is not int:
            return False
        if value in MISSING_CODES:
            return value in missing
        return (not isinstance(low, int) or value >= low) and (not isinstance(high, int) or value <= high)

    return test


def _decimal(variable: Variable) -> Test:
    def test(value: Value) -> bool:
        whole, point, places = value.lstrip("-").partition(".") if isinstance(value, str) else ("", "", "")
        return whole.isdigit() and bool(point) and places.isdigit() and len(places) == variable.places

    return test


def _text(variable: Variable) -> Test:
    return lambda value: isinstance(value, str) and 0 < len(value) <= variable.length and value.isprintable()


def _id(variable: Variable) -> Test:
    fits = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{variable.length - 1}}}").fullmatch
    return lambda value: isinstance(value, str) and fits(value) is not None


def _iso(read: Callable[[str], object], length: int) -> Callable[[Variable], Test]:
    def test(value: Value) -> bool:
        if not isinstance(value, str) or len(value) != length:
            return False
        try:
            read(value)
        except ValueError:
            return False
        return True

    return lambda variable: test


_TESTS: dict[Type, Callable[[Variable], Test]] = {
    Type.INTEGER: _integer,
    Type.DECIMAL: _decimal,
    Type.TEXT: _text,
    Type.ID: _id,
    Type.DATE: _iso(date.fromisoformat, len("2026-04-13")),
    Type.DATETIME: _iso(datetime.fromisoformat, len("2026-04-13T10:05:00+01:00")),
    Type.TIME: _iso(lambda text: datetime.strptime(text, "%H:%M:%S"), len("10:05:00")),  # noqa: DTZ007
}
