"""Run worked scoring cases: answers, and everything the scorer must say about them."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from instruments.catalogue import UnknownInstrument, all_instruments, get
from instruments.model import Instrument
from instruments.schema import DefinitionError
from instruments.scoring import score
from instruments.strictjson import JSONError, any_number, is_too_deep, read_json

FIXTURES = Path(__file__).with_name("fixtures")
TOLERANCE = 0.00001
NOTHING = object()
JSON_WORDS: dict[type, str] = {list: "a list", dict: "an object", str: "text"}

Find = Callable[[str, str], Instrument]


class VectorsError(ValueError):
    """A file of cases, or one case in it, is not in the format. Its text says where."""


class CaseResult(NamedTuple):
    """One case: passed, or the first field that differs."""

    id: str
    passed: bool
    difference: str = ""

    def __str__(self) -> str:
        return f"{self.id} pass" if self.passed else f"{self.id} FAIL {self.difference}"


def read_cases(path: Path) -> Any:
    """Read a file of cases for `check_cases`.

    Raises:
        VectorsError: the file cannot be read or is not JSON.
    """
    try:
        return read_json(path.read_bytes().decode("utf-8-sig"), number=any_number)
    except OSError as error:
        raise VectorsError(f"{path.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise VectorsError(f"{path.name} is not UTF-8 text (byte {error.start + 1})") from error
    except JSONError as error:
        raise VectorsError(f"{path.name}: {error}") from error


def find_instrument(code: str, version: str, beside: Path | None = None) -> Instrument:
    """An instrument in use, or a made-up scale that only such cases use (ours, or in the folder `beside`).

    Raises:
        UnknownInstrument: none of them has this code and version.
    """
    made_up = [(FIXTURES,)] + ([(beside,)] if beside and beside.is_dir() else [])
    for folders in made_up:
        known = {(each.code, each.version) for each in all_instruments(folders)}
        if (code, version) in known:
            return get(code, version, folders)
    return get(code, version)


def check_file(path: Path) -> list[CaseResult]:
    """Run a file of cases. Made-up scales may lie in a folder `fixtures` beside it.

    Raises:
        VectorsError: the file cannot be read, or is not in the format.
    """
    find = partial(find_instrument, beside=path.parent / "fixtures")
    return check_cases(read_cases(path), find)


def check_cases(data: object, find: Find = find_instrument) -> list[CaseResult]:
    """Score each case as a submitted form and compare the result with what it expects.

    Raises:
        VectorsError: the cases are not in the format, or two share an id.
    """
    if is_too_deep(data):
        raise VectorsError("the file is nested too deeply")
    cases = _member(data, "cases", list, "the file")
    checked = [_check(case, f"cases[{index}]", find) for index, case in enumerate(cases)]
    ids = [result.id for result in checked]
    if len(set(ids)) < len(ids):
        raise VectorsError(f"the id {next(each for each in ids if ids.count(each) > 1)!a} is used twice")
    return checked


def _check(case: object, place: str, find: Find) -> CaseResult:
    case_id = _member(case, "id", str, place)
    code = _member(case, "instrument", str, place)
    version = _member(case, "instrument_version", str, place)
    answers = _member(case, "answers", dict, place)
    expected = _member(case, "expect", dict, place)
    try:
        instrument = find(code, version)
    except (UnknownInstrument, DefinitionError) as error:
        return CaseResult(case_id, False, f"instrument: {error}")
    difference = next(_differences(expected, score(instrument, answers).as_dict(), ""), "")
    return CaseResult(case_id, not difference, difference)


def _member(value: object, name: str, kind: type, place: str) -> Any:
    if not isinstance(value, dict):
        raise VectorsError(f"{place} is not an object")
    if not isinstance(value.get(name), kind):
        raise VectorsError(f"{place} has no {name!r} that is {JSON_WORDS[kind]}")
    return value[name]


def _differences(expected: object, actual: object, place: str) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in _in_order(actual, expected):
            path = f"{place}.{name}" if place else name
            yield from _differences(expected.get(name, NOTHING), actual.get(name, NOTHING), path)
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, pair in enumerate(zip(expected, actual, strict=True)):
            yield from _differences(*pair, f"{place}[{index}]")
    elif not _same(expected, actual):
        yield f"{place}: expected {_show(expected)}, got {_show(actual)}"


def _in_order(*objects: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for each in objects for name in each))


def _same(expected: object, actual: object) -> bool:
    """Whole numbers exactly, decimals to within 0.00001, all else as it is; true is not 1."""
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, int) and isinstance(actual, int):
        return expected == actual
    if isinstance(expected, int | float | Decimal) and isinstance(actual, int | float):
        return abs(float(expected) - actual) <= TOLERANCE
    return type(expected) is type(actual) and expected == actual


def _show(value: object) -> str:
    if value is NOTHING:
        return "nothing"
    return str(value) if isinstance(value, Decimal) else ascii(value)
