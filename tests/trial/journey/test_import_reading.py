"""A file as rows of text, or what to do about it: every way in which a spreadsheet goes wrong (R-42)."""

import codecs
import io
import zipfile
from datetime import date, datetime, time

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from trial.journey import import_reading
from trial.journey.import_reading import Kinds, UnreadableFile, normalised, read

COLUMNS = {name: name for name in ("first_name", "last_name", "birth_date", "nhs_number", "phone")}
COLUMNS["first_name_of_the_person"] = "first_name"
KINDS = Kinds(dates=("birth_date",), phones=("phone",), numbers=("nhs_number", "phone"))
HEAD = "first_name,last_name,birth_date,nhs_number,phone\n"


def rows(data, required=("first_name",)):
    return read(data if isinstance(data, bytes) else data.encode(), COLUMNS, required=required, kinds=KINDS)


def refused(data, match, required=("first_name",)):
    with pytest.raises(UnreadableFile, match=match):
        rows(data, required)


def xlsx(*lines, change=lambda sheet: None, more_sheets=()):
    book = Workbook()
    for line in lines:
        book.active.append(line)
    change(book.active)
    for title in more_sheets:
        book.create_sheet(title)["A1"] = "x"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_csv_is_read_line_by_line():
    found = rows(HEAD + "Carol,Ash,14/3/1971,999 000 0018,01632 960001\n\n ,,,,\nJo,Elm,,,\n")

    assert [(row.line, row.cells["first_name"]) for row in found] == [(2, "Carol"), (5, "Jo")]
    assert not any(row.problems for row in found)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_usual_delimiter_is_read(delimiter):
    text = HEAD.replace(",", delimiter) + delimiter.join(["Carol", "Ash", "", "", ""])

    assert rows(text)[0].cells["last_name"] == "Ash"


def test_a_byte_order_mark_windows_lines_and_quoted_breaks_are_read():
    data = ("\ufeff" + HEAD).replace("\n", "\r\n").encode() + b'"Carol\nAnn",Ash,,,\r\nJo,Elm,,,\r\n'

    found = rows(data)

    assert [(row.line, row.cells["first_name"]) for row in found] == [(2, "Carol\nAnn"), (4, "Jo")]


def test_headings_are_known_by_several_names_whatever_their_case():
    found = rows("First name of the person,LAST-NAME\nCarol,Ash\n")

    assert found[0].cells == {"first_name": "Carol", "last_name": "Ash"}


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ("", "empty"),
        (" \n \n", "empty"),
        (",,,\n,,\n", "holds no line"),
        (HEAD, "no line below"),
        ("surname,first_name\nAsh,Carol\n", "column 1 is “surname”"),
        ("first_name,,last_name\nCarol,,Ash\n", "column 2 is empty"),
        ("first_name,first_name\nCarol,Ash\n", "stands twice"),
        ("last_name\nAsh\n", "headings are missing: first_name"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 20, "old Excel file, or has a password"),
        (b"%PDF-1.7 x", "PDF"),
        ("first_name\nZo\xeb\n".encode("utf-16-le"), "Unicode text"),
        ("first_name\nZo\xeb\n".encode("utf-32"), "UTF-32"),
        (codecs.BOM_UTF8 + b"first_name\nAnn\nZo\xeb\n", "Line 3 holds letters"),
        (codecs.BOM_UTF16_LE + b"f\x00i", "cannot be read"),
        (b"first_name\nAnn\nZo\x81\n", "Line 3 holds letters"),
        (b"first_name\nZo\xeb\nAnn\nZo\xc3\xab\n", "line 4 as UTF-8, line 2 another way"),
        ('{"first_name": "Carol"}', "not a table"),
        ("<html></html>", "not a table"),
        (HEAD + '"Carol,Ash,,,\n', "Line 2 is not CSV"),
        (HEAD + '"Carol"x,Ash,,,\n', "Line 2 is not CSV"),
        (b"PK\x03\x04 and nothing else", "damaged"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_what_to_do(data, match):
    refused(data, match)


def test_a_list_that_is_too_long_is_refused():
    refused("first_name\n" + "Carol\n" * 5001, "5,001 lines")
    assert len(rows("first_name\n" + "Carol\n" * 5000)) == 5000


@pytest.mark.parametrize(
    ("cells", "column", "match"),
    [
        ("=1+1,Ash,,,", "first_name", "formula"),
        ("Carol,Ash,,9.99E+09,", "nhs_number", "shortened"),
        ("Carol,Ash,,,1632960001", "phone", "first 0 is missing"),
        ("Carol,Ash,,,,more", "", "more cells than"),
    ],
)
def test_a_cell_that_the_spreadsheet_damaged_is_named(cells, column, match):
    (row,) = rows(HEAD + cells + "\n")

    ((named, text),) = row.problems
    assert named == column
    assert match in text


def test_a_number_of_days_in_a_csv_is_refused_with_both_days_it_may_mean():
    """1904 is where old Macs start: four years between two birth dates that nobody would notice."""
    (row,) = rows(HEAD + "Carol,Ash,26006,,\n")

    ((named, text),) = row.problems
    assert named == "birth_date"
    assert "14 March 1971, or 15 March 1975 on an old Mac" in text


def test_a_number_of_days_in_a_spreadsheet_is_read_from_the_day_that_the_file_names():
    def mac(sheet):
        sheet.parent.epoch = CALENDAR_MAC_1904

    lines = (["first_name", "birth_date"], ["Carol", 26_006])

    (windows,), (old_mac,) = rows(xlsx(*lines)), rows(xlsx(*lines, change=mac))

    assert (windows.cells["birth_date"], old_mac.cells["birth_date"]) == ("1971-03-14", "1975-03-15")
    assert windows.problems == []
    assert "26006" in windows.notes[0][1]
    assert "was read as 14 March 1971" in windows.notes[0][1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_letters_are_read_however_the_spreadsheet_stored_them(encoding):
    found = rows("first_name,last_name\nZoë,O’Néill\nAnn,Ash\n".encode(encoding))

    assert found[0].cells == {"first_name": "Zoë", "last_name": "O’Néill"}
    assert not any(row.problems for row in found)
    is_guessed = encoding == "cp1252"
    assert [name for name, _ in found[0].notes] == (["first_name", "last_name"] if is_guessed else [])
    assert found[1].notes == []


@pytest.mark.parametrize(
    ("name", "text"),
    [("ZoÃ«", "“ZoÃ«” for “Zoë”?"), ("Zo\ufffd", "A letter was lost")],
)
def test_letters_that_another_program_damaged_are_refused(name, text):
    (row,) = rows(f"first_name,last_name\n{name},Ash\n")

    ((column, said),) = row.problems
    assert column == "first_name"
    assert text in said


def test_an_nhs_number_kept_as_a_decimal_is_mended():
    (row,) = rows(HEAD + "Carol,Ash,,9990000018.0,\n")

    assert row.cells["nhs_number"] == "9990000018"


def test_an_international_number_is_left_as_it_is():
    (row,) = rows(HEAD + "Carol,Ash,,,+44 1632 960001\n")

    assert (row.cells["phone"], row.problems) == ("+44 1632 960001", [])


def test_an_xlsx_is_read_with_its_dates_and_numbers():
    data = xlsx(
        ["first_name", "birth_date", "nhs_number", "phone"],
        ["Carol", date(1971, 3, 14), 9990000018.0, "01632 960001"],
        [None, None, None, None],
        ["Jo", datetime(1980, 1, 2, 0, 0), "999 000 0018", "01632 960001"],  # noqa: DTZ001 - Excel knows no time zone
    )

    found = rows(data)

    assert [row.line for row in found] == [2, 4]
    assert found[0].cells["birth_date"] == "1971-03-14"
    assert found[0].cells["nhs_number"] == "9990000018"
    assert found[1].cells["birth_date"] == "1980-01-02"
    assert not any(row.problems for row in found)


@pytest.mark.parametrize(
    ("heading", "value", "match"),
    [
        ("first_name", "=1+1", "formula"),
        ("birth_date", 26, "Is a number, not a date"),
        ("birth_date", 26_006.5, "Is a number, not a date"),
        ("birth_date", 999_999, "Is a number, not a date"),
        ("phone", 1632960001, "first 0 is missing"),
        ("last_name", "#REF!", "error #REF!"),
    ],
)
def test_a_cell_of_a_spreadsheet_that_cannot_be_read_is_named(heading, value, match):
    (row,) = rows(xlsx(["first_name", "last_name", "birth_date", "phone", "nhs_number"][:5], _with(heading, value)))

    ((named, text),) = row.problems
    assert named == heading
    assert match in text


def _with(heading, value):
    names = ["first_name", "last_name", "birth_date", "phone", "nhs_number"]
    line = ["Carol", "Ash", None, None, None]
    line[names.index(heading)] = value
    return line


def test_cells_of_other_kinds_are_read_as_text():
    (row,) = rows(xlsx(["first_name", "last_name", "nhs_number"], [True, time(9, 30), 12.5]))

    assert row.cells == {"first_name": "True", "last_name": "09:30:00", "nhs_number": "12.5"}


def test_merged_cells_are_refused_with_their_place():
    data = xlsx(["first_name", "last_name"], ["Carol", "Ash"], change=lambda sheet: sheet.merge_cells("A2:A3"))

    refused(data, "merged \\(A2:A3\\)")


def test_more_than_one_sheet_is_refused():
    refused(xlsx(["first_name"], ["Carol"], more_sheets=["Notes"]), "more than one sheet")


def test_hidden_and_empty_sheets_do_not_count():
    def hide(sheet):
        other = sheet.parent.create_sheet("Codes")
        other["A1"], other.sheet_state = "x", "hidden"
        sheet.parent.create_sheet("Empty")

    assert len(rows(xlsx(["first_name"], ["Carol"], change=hide))) == 1


def test_an_empty_spreadsheet_is_refused():
    refused(xlsx(), "is empty")


def test_a_sheet_that_reaches_far_below_the_list_is_refused():
    def far(sheet):
        sheet["XFD1048576"] = "x"

    refused(xlsx(["first_name"], ["Carol"], change=far), "Delete what is below")


def test_another_kind_of_package_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", "<x/>")

    refused(out.getvalue(), "not a spreadsheet")


def test_a_package_that_unpacks_to_far_more_than_it_weighs_is_refused(monkeypatch):
    monkeypatch.setattr(import_reading, "MAX_UNPACKED_BYTES", 1000)

    refused(xlsx(["first_name"], ["Carol"]), "too large")


def test_a_damaged_spreadsheet_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("xl/workbook.xml", "<not closed")

    refused(out.getvalue(), "damaged")


def test_headings_are_compared_without_case_and_signs():
    assert normalised("  NHS-Number ") == "nhs_number"
    assert normalised(None) == ""
