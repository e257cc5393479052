"""What changed between two locks, by key."""

from dataclasses import replace

from exports.canonical import opened
from exports.differences import TableChange, changed_cells, compare
from exports.model import Type
from tests.exports.small import EVENTS, MODEL, PEOPLE, ROWS, canonical_file, variable

LATER = {
    "participants": [
        [*ROWS["participants"][0][:1], 45, *ROWS["participants"][0][2:8], "sentinel-b"],
        ROWS["participants"][1],
        ["GRX-01-004-1", 50, *[None] * 7],
    ],
    "events": [["GRX-01-001-7", 1, 5, 0], ["GRX-01-002-5", 1, 6, 0], ["GRX-01-002-5", 2, 6, 0]],
}


def both(tmp_path, **later):
    first = canonical_file(tmp_path)
    second = canonical_file(tmp_path, lock_id="L002", previous="L001", **{"rows": LATER} | later)
    return opened(first.path, first.wrapped_key), opened(second.path, second.wrapped_key)


def test_rows_and_cells_are_counted_by_table(tmp_path):
    before, after = both(tmp_path)

    with before as earlier, after as later:
        found = compare(earlier, later, "unblinded")

    assert found == [
        TableChange("participants", rows=3, added=1, removed=1, cells=2),
        TableChange("events", rows=3, added=1, removed=1, cells=0),
    ]


def test_a_blinded_comparison_counts_nothing_that_reveals(tmp_path):
    before, after = both(tmp_path)

    with before as earlier, after as later:
        found = {change.table: change for change in compare(earlier, later, "blinded")}

    assert found["participants"].cells == 1
    assert found["events"].removed == 0


def test_changed_cells_have_key_old_and_new(tmp_path):
    before, after = both(tmp_path)

    with before as earlier, after as later:
        cells = list(changed_cells(earlier, later, "blinded", "participants"))

    assert [(cell.key, cell.variable, cell.old, cell.new) for cell in cells] == [(("GRX-01-001-7",), "age", 44, 45)]


def test_equal_files_do_not_differ(tmp_path):
    before, after = both(tmp_path, rows=ROWS)

    with before as earlier, after as later:
        assert not any(change.is_changed for change in compare(earlier, later, "unblinded"))


def test_a_new_variable_is_named_and_a_new_table_counts_its_rows(tmp_path):
    wider = replace(EVENTS, variables=(*EVENTS.variables, variable("extra", Type.INTEGER)))
    other = replace(EVENTS, name="others")
    model = replace(MODEL, tables=(PEOPLE, wider, other))
    rows = {
        "participants": ROWS["participants"],
        "events": [[*row, 1] for row in ROWS["events"]],
        "others": ROWS["events"],
    }
    before, after = both(tmp_path, model=model, rows=rows)

    with before as earlier, after as later:
        found = {change.table: change for change in compare(earlier, later, "unblinded")}

    assert found["events"].variables_added == ("extra",)
    assert found["events"].cells == 0
    assert (found["others"].rows, found["others"].added) == (3, 3)


def test_a_cut_and_a_lock_of_equal_data_do_not_differ(tmp_path):
    cut = canonical_file(tmp_path, lock_id="C001", kind="cut")
    lock = canonical_file(tmp_path, previous="C001")

    with opened(cut.path) as earlier, opened(lock.path) as later:
        assert not any(change.is_changed for change in compare(earlier, later, "blinded"))
