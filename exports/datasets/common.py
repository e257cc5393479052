"""What the tables of a release share: kinds of variable, code lists, identifiers, days counted from randomisation."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from django.utils import timezone

from exports.datasets.snapshot import Person, Snapshot
from exports.missing_codes import MISSING_CODES
from exports.model import Code, CodeList, Level, Row, Source, Table, Type, Value, Variable


@dataclass(frozen=True)
class TableSource:
    """One table read from the database: what it is, its code lists, and how its rows come, in key order."""

    table: Table
    rows: Callable[[Snapshot], Iterable[Row]]
    codelists: tuple[CodeList, ...] = ()


# -- code lists


@dataclass(frozen=True)
class Coding:
    """A code list whose whole numbers stand for the words that the database holds."""

    codelist: CodeList
    by_stored: Mapping[str, int]

    def code(self, stored: str) -> int | None:
        """The number of a stored word; None for none."""
        return self.by_stored[stored] if stored else None


def coding(name: str, *rows: tuple[int, str, str]) -> Coding:
    """A coding from (number, stored word, label). A number, once released, keeps its meaning."""
    return Coding(
        CodeList(name, tuple(Code(number, label) for number, _, label in rows)),
        {stored: number for number, stored, _ in rows},
    )


def text_codes(name: str, pairs: Iterable[tuple[str, str]]) -> CodeList:
    """A code list of codes that the protocol names; the last label of a repeated code counts."""
    return CodeList(name, tuple(Code(value, label) for value, label in dict(pairs).items()))


YES_NO = CodeList("yes_no", (Code(1, "Yes"), Code(0, "No")))


# -- kinds of variable


def variable(name: str, xpt_name: str, label: str, type_: Type, **given: Any) -> Variable:
    """A variable whose short label is its label, unless one is given."""
    return Variable(name=name, xpt_name=xpt_name, label=label, type=type_, **{"short_label": label, **given})


def identifier(name: str, xpt_name: str, label: str, length: int = 20, **given: Any) -> Variable:
    """An id: letters, digits, points, hyphens and underscores."""
    return variable(name, xpt_name, label, Type.ID, length=length, source=Source.ASSIGNED, **given)


def integer(name: str, xpt_name: str, label: str, **given: Any) -> Variable:
    """A whole number."""
    return variable(name, xpt_name, label, Type.INTEGER, **{"level": Level.SCALE, **given})


def day(name: str, xpt_name: str, label: str, **given: Any) -> Variable:
    """A date."""
    return variable(name, xpt_name, label, Type.DATE, **{"level": Level.SCALE, **given})


def moment(name: str, xpt_name: str, label: str, **given: Any) -> Variable:
    """A date and time, Europe/London with its offset."""
    return variable(name, xpt_name, label, Type.DATETIME, **{"level": Level.SCALE, **given})


def text(name: str, xpt_name: str, label: str, length: int, **given: Any) -> Variable:
    """A short text."""
    return variable(name, xpt_name, label, Type.TEXT, length=length, **given)


def code(name: str, xpt_name: str, label: str, codelist: str, **given: Any) -> Variable:
    """A value of a code list."""
    return variable(name, xpt_name, label, Type.CODE, codelist=codelist, **given)


yes_no = partial(code, codelist=YES_NO.name)


def reason_for(name: str, xpt_name: str, label: str, missing: tuple[int, ...], **given: Any) -> Variable:
    """The companion that says why another column is blank."""
    return integer(
        name,
        xpt_name,
        label,
        **{"level": Level.NOMINAL, "source": Source.DERIVED, "missing": missing, "short_label": label, **given},
    )


ALL_MISSING = tuple(sorted(MISSING_CODES, reverse=True))

SUBJID = identifier("subjid", "SUBJID", "Study number")
VISITNUM = code("visitnum", "VISITNUM", "Visit", "visitnum", level=Level.ORDINAL, source=Source.ASSIGNED)
VISIT_LABEL = text("visit_label", "VISIT", "Visit in words", 120, source=Source.ASSIGNED)
SITE = identifier("site", "SITEID", "Site", 2, short_label="Site")

_BLOCK = " Blank where the figure would fall into the block of missing codes."


def days_since_randomisation(of: str, **given: Any) -> Variable:
    """Days from randomisation to the date `of`; the day of randomisation is 0 (BR-30)."""
    return integer(
        "days_since_randomisation",
        "DAYSRAND",
        "Days since randomisation (day of randomisation = 0)",
        **{
            "short_label": "Days since randomisation",
            "unit": "days",
            "source": Source.DERIVED,
            "derivation": f"{of} minus the day of randomisation, which is day 0 (BR-30).{_BLOCK}",
            **given,
        },
    )


# -- values


def iso(value: date | None) -> str | None:
    """A date as ISO 8601."""
    return value.isoformat() if value else None


def wall_time(value: datetime | None) -> str | None:
    """A moment as Europe/London wall time with its offset, to the second."""
    return timezone.localtime(value).isoformat(timespec="seconds") if value else None


def local_day(value: datetime) -> date:
    """The calendar day of a moment in Europe/London."""
    return timezone.localtime(value).date()


def flag(value: bool | None) -> int | None:
    """1 for yes, 0 for no."""
    return None if value is None else int(value)


def days_between(start: date | None, end: date | None) -> int | None:
    """Days from `start` to `end`; None where one is not known, or the figure looks like a missing code."""
    if start is None or end is None:
        return None
    days = (end - start).days
    return None if days in MISSING_CODES else days


def numbered(
    people: Iterable[Person], records: Mapping[int, list[Any]], row: Callable[[Person, int, Any], list[Value]]
) -> Iterator[Row]:
    """One row for each record of each person, counted from 1 within the person."""
    for person in people:
        for number, record in enumerate(records.get(person.pk, ()), start=1):
            yield row(person, number, record)
