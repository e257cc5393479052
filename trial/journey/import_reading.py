"""A CSV or XLSX file as rows of text, or what to do about a file that cannot be read. No database, no protocol.

The kind of file is told by its content, never by its name. Nothing in it is run: a formula is refused, not worked out.
"""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from trial.base.words import long_date
from trial.journey.import_decoding import LOOK, UnreadableFile, damage, decoded, has_accents

__all__ = ["Kinds", "Problem", "Row", "UnreadableFile", "normalised", "read"]

MAX_ROWS = 5_000
MAX_COLUMNS = 100
MAX_UNPACKED_BYTES = 40 * 1024 * 1024
FORMULA = "Holds a formula. Paste its value instead"
SHORTENED = "The spreadsheet shortened this number. Format the column as text, then type the number again"
LOST_ZERO = "Its first 0 is missing. Format the column as text, then type the number again"
NOT_A_DATE = "Is a number, not a date. Format the column as a date"
SERIAL = "Is the number {number}, the way spreadsheets count days, and was read as {day}"
SERIAL_IN_CSV = (
    "Is the number {number}, the way spreadsheets count days: {day}, or {other} on an old Mac."
    " Format the column as a date and save again, or save as .xlsx"
)
FIRST_SERIAL, LAST_SERIAL = 3_000, 73_050
"""From 1908 to 2099: a number outside is no day of anybody alive."""
EPOCH_1900, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001  # a spreadsheet knows no zone

Problem = tuple[str, str]
"""Name of the column, or "" for the whole line, and what to do."""


@dataclass(frozen=True)
class Kinds:
    """Which columns a spreadsheet is known to damage.

    Attributes:
        epoch: day 0 of the spreadsheet's numbers of days; None for a file that does not say.
    """

    dates: Collection[str] = ()
    phones: Collection[str] = ()
    numbers: Collection[str] = ()
    epoch: datetime | None = None


@dataclass
class Row:
    """One line of the list.

    Attributes:
        line: as the spreadsheet counts, the headings being line 1.
        cells: text by column; what could not be read is empty.
        problems: what could not be read.
        notes: what was read, and a person should look at.
    """

    line: int
    cells: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def read(data: bytes, columns: Mapping[str, str], *, required: Iterable[str] = (), kinds: Kinds = Kinds()) -> list[Row]:
    """The lines of a list, blank ones left out.

    Args:
        columns: name of the column by every heading that stands for it, as normalised() writes headings.
        required: columns without which no line can be read.

    Raises:
        UnreadableFile: empty, too long, another kind of file, or headings that are not known.
    """
    if not data.strip():
        raise UnreadableFile("The file is empty. Save the list first, then choose it again.")
    is_guessed = False
    if data.startswith(b"PK\x03\x04"):
        lines, epoch = _xlsx(data)
        kinds = replace(kinds, epoch=epoch)
    else:
        lines, is_guessed = _csv(data)
    if not lines:
        raise UnreadableFile("The file holds no line. Put the headings in its first line.")
    names = _headings(lines[0][1], columns, required)
    rows = [_row(line, cells, names, kinds) for line, cells in lines[1:]]
    for row in rows:
        _look_at_letters(row, is_guessed)
    if not rows:
        raise UnreadableFile("The list has headings but no line below them.")
    if len(rows) > MAX_ROWS:
        raise UnreadableFile(f"The list has {len(rows):,} lines. Bring in {MAX_ROWS:,} at most at a time.")
    return rows


def normalised(heading: Any) -> str:
    """A heading as it is compared: small letters and digits with underscores between words."""
    return re.sub(r"[^a-z0-9]+", "_", str(heading if heading is not None else "").lower()).strip("_")


def _headings(cells: list[Any], columns: Mapping[str, str], required: Iterable[str]) -> list[str]:
    heads = [_value(cell) for cell in cells]
    typed = [normalised(head) for head in heads]
    while typed and not typed[-1]:
        typed.pop()
    names = [columns.get(heading, "") for heading in typed]
    for place, (heading, name) in enumerate(zip(typed, names, strict=True), start=1):
        if not name:
            shown = f"“{''.join(filter(str.isprintable, str(heads[place - 1])))[:40].strip()}”" if heading else "empty"
            raise UnreadableFile(
                f"The heading of column {place} is {shown}, which is not one of the list."
                " Use the headings of the template, in the first line."
            )
        if names.index(name) != place - 1:
            raise UnreadableFile(f"The heading {name} stands twice. Keep one of the two columns.")
    missing = [name for name in required if name not in names]
    if missing:
        raise UnreadableFile(f"These headings are missing: {', '.join(missing)}. Use those of the template.")
    return names


def _look_at_letters(row: Row, is_guessed: bool) -> None:
    """Note damaged letters as a problem, and letters of a file that does not say how they are stored."""
    for name, text in row.cells.items():
        if damaged := damage(text):
            row.problems.append((name, damaged))
            row.cells[name] = ""
        elif is_guessed and has_accents(text):
            row.notes.append((name, LOOK))


def _row(line: int, cells: list[Any], names: list[str], kinds: Kinds) -> Row:
    row = Row(line, dict.fromkeys(names, ""))
    if any(_is_filled(cell) for cell in cells[len(names) :]):
        row.problems.append(("", f"Has more cells than there are headings ({len(names)}). Check for a comma too many"))
    for name, cell in zip(names, cells, strict=False):
        text, problem = _text(cell, name, kinds)
        if problem:
            row.problems.append((name, problem))
        else:
            row.cells[name] = text
            row.notes += _serial_note(cell, name, kinds)
    return row


def _serial_note(cell: Any, name: str, kinds: Kinds) -> list[Problem]:
    value = _value(cell)
    if name not in kinds.dates or not isinstance(value, int | float) or isinstance(value, bool):
        return []
    day = long_date(_day_of(value, kinds.epoch or EPOCH_1900))
    return [(name, SERIAL.format(number=int(value), day=day))]


def _day_of(number: float, epoch: datetime) -> date:
    return (epoch + timedelta(days=int(number))).date()


def _value(cell: Any) -> Any:
    return cell.value if isinstance(cell, Cell) else cell


def _is_filled(cell: Any) -> bool:
    value = _value(cell)
    return value is not None and str(value).strip() != ""


def _text(cell: Any, name: str, kinds: Kinds) -> tuple[str, str]:
    """The text of a cell, or what to do about it."""
    if isinstance(cell, Cell):
        if cell.data_type == "f":
            return "", FORMULA
        if cell.data_type == "e":
            return "", f"Holds the error {cell.value}. Paste a value instead"
        return _plain(cell.value, name, kinds)
    return _typed(str(cell).strip(), name, kinds)


def _plain(value: Any, name: str, kinds: Kinds) -> tuple[str, str]:
    """The text of a cell that a spreadsheet keeps as a date, a number or text."""
    if isinstance(value, datetime):
        return value.date().isoformat(), ""
    if isinstance(value, date):
        return value.isoformat(), ""
    if isinstance(value, bool | time) or value is None:
        return ("" if value is None else str(value)), ""
    if isinstance(value, int | float):
        if name in kinds.dates:
            return _from_serial(value, kinds)
        if name in kinds.phones:
            return "", LOST_ZERO
        return (str(int(value)) if float(value).is_integer() else str(value)), ""
    return _typed(str(value).strip(), name, kinds)


def _from_serial(value: float, kinds: Kinds) -> tuple[str, str]:
    """A spreadsheet's number of a day, counted from the day that the file itself names."""
    if kinds.epoch is None or not FIRST_SERIAL <= value <= LAST_SERIAL or value != int(value):
        return "", NOT_A_DATE
    return _day_of(value, kinds.epoch).isoformat(), ""


def _typed(text: str, name: str, kinds: Kinds) -> tuple[str, str]:
    """The text of a cell that holds text."""
    if text.startswith("="):
        return "", FORMULA
    if name in kinds.dates and re.fullmatch(r"[0-9]{4,5}([.]0+)?", text):
        return "", _serial_in_text(text)
    if name in kinds.numbers and re.fullmatch(r"[0-9]+([.][0-9]+)?[eE][+-]?[0-9]+", text):
        return "", SHORTENED
    if name in kinds.numbers and re.fullmatch(r"[0-9]+[.]0+", text):
        return text.partition(".")[0], ""
    if name in kinds.phones and re.fullmatch(r"[1-9][0-9 ]{8,11}", text):
        return "", LOST_ZERO
    return text, ""


def _serial_in_text(text: str) -> str:
    """What a bare number in a column of dates may mean; a text file does not say from which day it counts."""
    number = int(text.partition(".")[0])
    if not FIRST_SERIAL <= number <= LAST_SERIAL:
        return NOT_A_DATE
    days = [long_date(_day_of(number, epoch)) for epoch in (EPOCH_1900, EPOCH_1904)]
    return SERIAL_IN_CSV.format(number=number, day=days[0], other=days[1])


# -- CSV

_OTHER_KINDS = (
    (b"\xd0\xcf\x11\xe0", "The file is an old Excel file, or has a password. Save it as .xlsx without a password."),
    (b"%PDF", "The file is a PDF. Choose a CSV or XLSX file."),
    (b"{", "The file is not a table. Choose a CSV or XLSX file."),
    (b"<", "The file is not a table. Choose a CSV or XLSX file."),
)


def _csv(data: bytes) -> tuple[list[tuple[int, list[Any]]], bool]:
    """The lines of a CSV file, and whether how letters are stored had to be found out."""
    for beginning, advice in _OTHER_KINDS:
        if data.startswith(beginning):
            raise UnreadableFile(advice)
    found = decoded(data)
    text = found.text
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[tuple[int, list[Any]]] = []
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((start, list(cells)))
            start = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(
            f"Line {start} is not CSV: a quotation mark may be missing. Put it right, or save as .xlsx."
        ) from error
    return lines, found.is_guessed


# -- XLSX


def _xlsx(data: bytes) -> tuple[list[tuple[int, list[Any]]], datetime]:
    """The lines of a spreadsheet, and the day from which it counts days."""
    _check_package(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl says what it leaves out: styles, validations, extensions
        try:
            book = load_workbook(io.BytesIO(data), data_only=False, keep_links=False)
        except Exception as error:  # openpyxl raises whatever it meets inside a damaged file
            raise UnreadableFile(
                "The spreadsheet is damaged. Open it, save it again as .xlsx and choose it."
            ) from error
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible" and _has_cells(sheet)]
    if not sheets:
        raise UnreadableFile("The spreadsheet is empty. Save the list first, then choose it again.")
    if len(sheets) > 1:
        raise UnreadableFile("The spreadsheet has more than one sheet. Keep only the one with the list.")
    return _lines_of(sheets[0]), EPOCH_1904 if book.epoch == CALENDAR_MAC_1904 else EPOCH_1900


def _check_package(data: bytes) -> None:
    """Refuse what is no spreadsheet, or unpacks to far more than it weighs."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            members = package.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise UnreadableFile("The spreadsheet is damaged. Open it, save it again as .xlsx and choose it.") from error
    if "xl/workbook.xml" not in {member.filename for member in members}:
        raise UnreadableFile("The file is not a spreadsheet. Choose a CSV or XLSX file.")
    if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise UnreadableFile("The spreadsheet is too large. Keep only the list in it.")


def _has_cells(sheet: Worksheet) -> bool:
    return sheet.max_row > 1 or sheet.max_column > 1 or _is_filled(sheet.cell(1, 1))


def _lines_of(sheet: Worksheet) -> list[tuple[int, list[Any]]]:
    if sheet.max_row > 2 * MAX_ROWS or sheet.max_column > MAX_COLUMNS:
        raise UnreadableFile(
            f"The sheet reaches to line {sheet.max_row:,} and column {sheet.max_column:,}. Delete what is below and"
            " beside the list, empty lines included."
        )
    if sheet.merged_cells.ranges:
        merged = ", ".join(str(area.coord) for area in list(sheet.merged_cells.ranges)[:3])
        raise UnreadableFile(f"Some cells are merged ({merged}). Unmerge them, so that each line has its own values.")
    lines = [(number, list(cells)) for number, cells in enumerate(sheet.iter_rows(), start=1)]
    return [(number, cells) for number, cells in lines if any(_is_filled(cell) for cell in cells)]
