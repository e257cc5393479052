"""The audit trail in sentences: neighbouring history rows in, who did what from what to what and why out (R-01).

Nothing here reads the database. `trial.journey.history_words` knows the words, `trial.journey.trail` the rows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Protocol

from django.db import models

from trial.base.parts import HistoryEntry, Said
from trial.base.words import local_day, short_date_and_time

SYSTEM = "The system"
TRANSITION = re.compile(r"^T[0-9]{2}\b")
"""A change of status keeps the number of its transition before the reason."""

SAVED = frozenset({"Draft saved", "Completed", "Not done", "Done", "Signed off", "Sent"})
"""Reasons that an action writes by itself and that say no more than the sentence does."""


@dataclass(frozen=True)
class Row:
    """One history row. `values` holds the record's columns; `kind` is + for the first, ~ for a change."""

    model: type[models.Model]
    record_id: int
    row_id: int
    kind: str
    at: datetime
    who: str
    role: str
    reason: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One value that changed, in words.

    Attributes:
        hidden: that it changed is said, what it says is not.
        said: a whole sentence instead of one made of the values.
    """

    key: str
    label: str
    old: str = ""
    new: str = ""
    reason: str = ""
    hidden: bool = False
    said: str = ""


class Words(Protocol):
    """What names a record and its changes."""

    def name(self, row: Row) -> str:
        """What the record is: "PHQ-9, week 5", "contact attempt"."""
        ...

    def about(self, row: Row) -> str:
        """What the history may be narrowed to: the form, or the kind of record."""
        ...

    def changes(self, before: Row | None, after: Row) -> list[Change]:
        """Values that differ, in words; every value for a first row."""
        ...

    def aside(self, before: Row | None, after: Row) -> str:
        """A sentence that goes with the first change: how the score moved."""
        ...


@dataclass(frozen=True)
class Entry:
    """One sentence of the trail.

    Attributes:
        about: the form, or the kind of record.
        key: the field or item.
        changed: whether a stored value changed.
        number: whom it is about, where the page is not about one person.
    """

    at: datetime
    who: str
    role: str
    said: tuple[Said, ...]
    about: str
    key: str = ""
    changed: bool = False
    order: tuple[str, str, int] = field(default=("", "", 0))
    number: str = ""

    @property
    def text(self) -> str:
        """The sentence without its colours: "Asha Patel changed PHQ-9 item 3 from 1 to 2: misread paper"."""
        return f"{self.who} {''.join(piece.text for piece in self.said)}"

    def shown(self) -> HistoryEntry:
        """For components/_history.html."""
        said = [*self.said, Said(f". {self.number}")] if self.number else self.said
        return HistoryEntry(self.who, said, self.at, self.role, self.changed)


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(key, old, new) of each value that differs; None stands for absent. In the order of `after`, then `before`."""
    keys = [*after, *(key for key in before if key not in after)]
    pairs = [(key, before.get(key), after.get(key)) for key in keys]
    return [pair for pair in pairs if pair[1] != pair[2] or type(pair[1]) is not type(pair[2])]


def pairs_of(rows: Sequence[Row]) -> list[tuple[Row | None, Row]]:
    """Each row with the one before it of the same record; rows in any order."""
    last: dict[tuple[type[models.Model], int], Row] = {}
    found: list[tuple[Row | None, Row]] = []
    for row in sorted(rows, key=lambda row: row.row_id):
        key = (row.model, row.record_id)
        found.append((last.get(key), row))
        last[key] = row
    return found


def entries_of(before: Row | None, after: Row, words: Words, *, each_answer: bool = False) -> list[Entry]:
    """The sentences of one row.

    Args:
        before: the row before it of the same record; None for the first.
        each_answer: answers entered for the first time get a sentence each, instead of one that counts them.
    """
    changes, name, about = words.changes(before, after), words.name(after), words.about(after)
    if before is None and each_answer:
        return [_entry(after, about, [Said(f"started {name}")]), *_entered(after, about, changes)]
    if before is None:
        return [_created(after, name, about, changes)]
    first = [one for one in changes if _is_answer(one) and not one.old and not one.hidden]
    if not each_answer and len(first) > 1:
        rest = [one for one in changes if one not in first]
        counted = _entry(after, about, [Said(f"entered {len(first)} answers in {name}")])
        return [counted, *_changed(before, after, rest, words)]
    return _changed(before, after, changes, words)


def _is_answer(change: Change) -> bool:
    return change.key.startswith("item:")


def _entry(row: Row, about: str, said: Sequence[Said], key: str = "", changed: bool = False, place: int = 0) -> Entry:
    order = place_in_time(row.at, row.model._meta.db_table, row.row_id, place)
    return Entry(row.at, row.who or SYSTEM, row.role, tuple(said), about, key, changed, order)


def place_in_time(at: datetime, table: str, row_id: int, place: int = 0) -> tuple[str, str, int]:
    """What entries are sorted by: the moment, and within one moment table, row and place on the form."""
    return at.astimezone(UTC).isoformat(), table, row_id * 1000 - place


def _created(row: Row, name: str, about: str, changes: Sequence[Change]) -> Entry:
    """The first row of a record, with what it said in brief."""
    answers = [one for one in changes if _is_answer(one)]
    if answers:
        said = [Said(f"entered {len(answers)} answer{'' if len(answers) == 1 else 's'} in {name}")]
        return _entry(row, about, said)
    details = "; ".join(f"{one.label} {one.new}" for one in changes if one.new and not one.hidden)
    return _entry(row, about, [Said(f"recorded {name}{f': {details}' if details else ''}")])


def _entered(row: Row, about: str, changes: Sequence[Change]) -> list[Entry]:
    """A first row's answers, each by itself."""
    return [
        _entry(row, about, [Said("entered "), Said(one.new, "new"), Said(f" for {one.label}")], one.key, True, place)
        for place, one in enumerate(changes, start=1)
        if _is_answer(one) and one.new
    ]


def _changed(before: Row, after: Row, changes: Sequence[Change], words: Words) -> list[Entry]:
    aside = words.aside(before, after)
    entries = []
    for place, one in enumerate(changes):
        said = [*_pieces(one), *_why(one.reason or after.reason)]
        if aside and place == 0:
            said.append(Said(f". {aside}"))
        entries.append(_entry(after, words.about(after), said, one.key, True, place))
    return entries


def _pieces(change: Change) -> list[Said]:
    if change.said or change.hidden:
        return [Said(change.said or f"changed {change.label}")]
    if not change.old:
        return [Said("entered "), Said(change.new, "new"), Said(f" for {change.label}")]
    if not change.new:
        return [Said(f"removed {change.label}, which was "), Said(change.old, "old")]
    old, new = Said(change.old, "old"), Said(change.new, "new")
    return [Said(f"changed {change.label} from "), old, Said(" to "), new]


def _why(reason: str) -> list[Said]:
    text = TRANSITION.sub("", reason).strip()
    return [Said(f": {text}")] if text and text not in SAVED else []


# -- filters and the file


@dataclass(frozen=True)
class Narrow:
    """What a history is narrowed by; nothing set narrows nothing. Days are of the study's time zone."""

    who: str = ""
    key: str = ""
    about: str = ""
    from_date: date | None = None
    to_date: date | None = None
    changes_only: bool = False

    def keeps(self, entry: Entry) -> bool:
        """Whether an entry is wanted."""
        day = local_day(entry.at)
        return (
            (not self.who or entry.who == self.who)
            and (not self.key or entry.key == self.key)
            and (not self.about or entry.about == self.about)
            and (self.from_date is None or day >= self.from_date)
            and (self.to_date is None or day <= self.to_date)
            and (entry.changed or not self.changes_only)
        )


def newest_first(entries: Sequence[Entry]) -> list[Entry]:
    """Entries by time, the newest first; those of one save in the order of the form."""
    return sorted(entries, key=lambda entry: entry.order, reverse=True)


CSV_HEADS = ("Time (UK)", "Time (UTC)", "Person", "Role", "Number", "About", "What")


def csv_cells(entry: Entry) -> list[str]:
    """One entry as a line of the file."""
    utc = f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return [short_date_and_time(entry.at), utc, entry.who, entry.role, entry.number, entry.about, entry.text]
