"""What the shared templates in `templates/components/` are given: plain values, worked out by the view or its reader.

Nothing here knows a feature. docs/components.md shows how each is included.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Link:
    """Where it goes, in words that say so. `detail` is a line in grey beneath it."""

    label: str
    url: str
    detail: str = ""


@dataclass(frozen=True)
class Fact:
    """One of the 3 to 6 facts under a title. `strong` comes before `value`; `status` is a code of `statuses`."""

    term: str
    value: str = ""
    strong: str = ""
    detail: str = ""
    link: Link | None = None
    status: str = ""
    status_group: str = ""
    status_word: str = ""


@dataclass(frozen=True)
class Task:
    """A task: verb first, then why, with the date that makes it matter."""

    due: date | None
    label: str
    url: str
    detail: str = ""
    number: str = ""


@dataclass(frozen=True)
class TaskGroup:
    """Tasks under one heading; `status` is a code of the group "task" (overdue, due_today, next_7_days)."""

    status: str
    tasks: Sequence[Task]


@dataclass(frozen=True)
class VisitColumn:
    """A visit at the head of the grid. `now` marks the open one."""

    title: str
    window: str = ""
    now: bool = False


@dataclass(frozen=True)
class VisitCell:
    """A form at a visit: status code, a date or a count, and the way to the form."""

    status: str
    detail: str = ""
    url: str = ""


@dataclass(frozen=True)
class VisitRow:
    """A form, with a cell for each visit; None where it is not expected."""

    form: str
    cells: Sequence[VisitCell | None]


@dataclass(frozen=True)
class Event:
    """An event of the timeline. `strong` makes it a key event and comes before `text`."""

    text: str = ""
    detail: str = ""
    strong: str = ""
    url: str = ""


@dataclass(frozen=True)
class Said:
    """A piece of a sentence of the history; `kind` is "", "old" or "new"."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class HistoryEntry:
    """Who did what, when (aware, shown in UK time with UTC) and in which role. `changed`: a value changed."""

    who: str
    said: Sequence[Said]
    at: datetime
    role: str = ""
    changed: bool = False


@dataclass(frozen=True)
class CheckCell:
    """One count of a readiness check: a link, quiet when met."""

    met: bool
    text: str
    url: str = ""


@dataclass(frozen=True)
class CheckRow:
    """A check over the columns, or one `overall` cell across all of them."""

    title: str
    detail: str = ""
    cells: Sequence[CheckCell] = ()
    overall: CheckCell | None = None


@dataclass(frozen=True)
class PersonCard:
    """A person on the register: first name and study number only.

    `mark` is "", "here", "absent" or another code; `key` is the idempotency key of the next mark, and `replaces` the
    mark that it would replace.
    """

    id: str
    name: str
    study_id: str
    mark: str = ""
    note: str = ""
    unsent: bool = False
    conflict: str = ""
    key: str = ""
    replaces: str = ""
    more_url: str = ""


@dataclass(frozen=True)
class FastOption:
    """One radio of fast entry. `key` is what the keyboard presses for it."""

    value: str
    label: str
    key: str
    checked: bool = False


@dataclass(frozen=True)
class FastRow:
    """One item of fast entry: radios, or a `control` already drawn where the item is not a choice.

    `labelled` prints the answers in the row itself, where they differ from those at the head. `rule` is the JSON of
    the rule by which the page asks the item; empty where it is always asked.
    """

    number: str
    text: str
    name: str
    options: Sequence[FastOption] = ()
    missing: Sequence[FastOption] = ()
    labelled: bool = False
    control: Any = None
    errors: Sequence[str] = field(default=())
    rule: str = ""


MISSING_KEYS = {"BL": ("b", "Left blank"), "RF": ("r", "Declined"), "IL": ("i", "Cannot be read")}
"""Keys of fast entry for the codes of `domain.md` that paper can show."""


def fast_row(
    bound: Any, *, number: str, labelled: bool = False, missing: Sequence[str] = tuple(MISSING_KEYS)
) -> FastRow:
    """A row of fast entry from a bound choice field whose choices include the codes of `missing`.

    Answers are pressed by their value where that is one digit, else by their place from 0.
    """
    chosen = str(bound.value() if bound.value() is not None else "")
    answers = [(str(value), str(label)) for value, label in bound.field.choices if str(value)]
    plain = [pair for pair in answers if pair[0] not in missing]
    digits = all(len(value) == 1 and value.isdigit() for value, _label in plain)
    return FastRow(
        number=number,
        text=str(bound.label),
        name=bound.html_name,
        options=[
            FastOption(value, label, value if digits else str(place), value == chosen)
            for place, (value, label) in enumerate(plain)
        ],
        missing=[
            FastOption(code, MISSING_KEYS[code][1], MISSING_KEYS[code][0], code == chosen)
            for code in missing
            if code in dict(answers)
        ],
        labelled=labelled,
        errors=[str(message) for message in bound.errors],
    )


@dataclass(frozen=True)
class Pages:
    """Where a long list stands: rows `first` to `last` of `total`."""

    first: int
    last: int
    total: int
    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True)
class ScanView:
    """One scan beside an entry page: a picture of each page (address, words), and the file itself."""

    label: str
    pictures: Sequence[tuple[str, str]]
    file: Link


@dataclass(frozen=True)
class ScanPanel:
    """The scans of one form, and where another is attached; `manage` is None for those who may not."""

    scans: Sequence[ScanView]
    manage: Link | None = None
