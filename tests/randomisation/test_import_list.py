"""Lists imported from a statistician's file (randomisation.md 4.6)."""

import hashlib

import pytest

from randomisation.engine.imported import read_list
from randomisation.engine.parameters import read_parameters
from randomisation.errors import ImportRefused

SALT = "# salt: " + "0f" * 32
HEADER = "stratum_key,position,arm"
BLOCKS = f"{HEADER},block,block_size"
GOOD = {"site=01": "abbaba", "site=02": "baabab"}


def parameters(data, *, arms=("aa", "bb"), ratio=(1, 1), digest=None, sites=("01", "02")):
    factors = [{"code": "site", "levels": list(sites), "weight": 1}] if sites else []
    return read_parameters(
        {
            "algorithm": "trial-randomisation/1",
            "scheme": "main",
            "revision": 1,
            "arms": list(arms),
            "ratio": list(ratio),
            "method": "import",
            "file_sha256": digest or hashlib.sha256(data).hexdigest(),
            "factors": factors,
            "contribution_source": "none",
        }
    )


def read(data, *, rows_needed=0, **of):
    data = data if isinstance(data, bytes) else data.encode("utf-8")
    return read_list(data, parameters(data, **of), rows_needed=rows_needed)


def file(strata=GOOD, *, header=HEADER, salt=SALT, extra=()):
    """A file with these strata, each a text of one letter for each row's arm."""
    lines = [f"{key},{n},{arm * 2}" for key, arms in strata.items() for n, arm in enumerate(arms, start=1)]
    return "\n".join([salt, header, *lines, *extra, ""])


def problems(data, **of):
    with pytest.raises(ImportRefused) as refused:
        read(data, **of)
    return list(refused.value.problems)


def test_a_good_file_gives_every_stratum_in_order_of_position():
    data = file()

    found = read(data)

    assert {key: [row.arm for row in rows] for key, rows in found.rows.items()} == {
        "site=01": [0, 1, 1, 0, 1, 0],
        "site=02": [1, 0, 0, 1, 0, 1],
    }
    assert found.sha256 == hashlib.sha256(data.encode()).hexdigest()
    assert found.warnings == ()
    assert not found.needs_reason
    assert repr(found) == "<ImportedList>"


def test_rows_may_stand_in_any_order_of_strata_and_positions():
    head, *lines = file(salt=HEADER, header="#").splitlines()

    found = read("\n".join([head, *lines[::2], *lines[1::2]]))

    assert [row.arm for row in found.rows["site=01"]] == [0, 1, 1, 0, 1, 0]


def test_without_factors_the_only_stratum_is_all():
    assert list(read(file({"all": "abba"}), sites=()).rows) == ["all"]


def test_lines_may_end_as_on_windows():
    assert read(file().replace("\n", "\r\n")).rows == read(file()).rows


def test_comments_may_stand_anywhere():
    assert read(file(extra=["# the end"])).rows == read(file()).rows


def test_a_byte_order_mark_is_passed_over_with_a_warning():
    found = read(b"\xef\xbb\xbf" + file().encode())

    assert any("byte order mark" in warning for warning in found.warnings)


def test_a_file_without_salt_is_read_with_a_warning():
    (warning,) = read(file(salt="# a list")).warnings

    assert "no salt" in warning


def test_a_stratum_shorter_than_its_ceiling_needs_a_reason():
    found = read(file(), rows_needed={"site=01": 6, "site=02": 7})

    assert found.needs_reason
    assert found.shorter == ("site=02",)
    assert found.warnings == ("Stratum site=02 has fewer rows than people may be recruited into it.",)
    assert read(file(), rows_needed=7).shorter == ("site=01", "site=02")


@pytest.mark.parametrize(
    ("data", "line", "rule"),
    [
        (file(extra=["site=03,1,aa"]), 15, "stratum is none"),
        (file(extra=["site=01,7,cc"]), 15, "arm is none"),
        (file(extra=["site=01,7,AA"]), 15, "arm is none"),
        (file(extra=["site=01,8,aa"]), 15, "without gaps"),
        (file(extra=["site=01,6,aa"]), 15, "this position already"),
        (file(extra=["site=01,0,aa"]), 15, "whole number from 1"),
        (file(extra=["site=01,07,aa"]), 15, "whole number from 1"),
        (file(extra=["site=01,x,aa"]), 15, "whole number from 1"),
        (file(extra=["site=01,7.0,aa"]), 15, "whole number from 1"),
        (file(extra=["site=01,٧,aa"]), 15, "whole number from 1"),
        (file(extra=["site=01,7, aa"]), 15, "spaces around"),
        (file(extra=["site=01,7,aa\t"]), 15, "spaces around"),
        (file(extra=["site=01,7,"]), 15, "blank"),
        (file(extra=["site=01,,aa"]), 15, "blank"),
        (file(extra=["site=01,7"]), 15, "3 cells"),
        (file(extra=["site=01,7,aa,1"]), 15, "3 cells"),
        (file(extra=[""]), 15, "3 cells"),
        (file(extra=["site=01,7,aa"]).replace("site=01,1,", '"site=01",1,'), 3, "stratum is none"),
        (file({"site=01": "abba"}), 0, "site=02 has no rows"),
        (file(header="stratum_key;position;arm"), 2, "header must be exactly"),
        (file(header="Stratum_key,position,arm"), 2, "header must be exactly"),
        (file(header=f"{HEADER},block"), 2, "header must be exactly"),
        (file(header="arm,position,stratum_key"), 2, "header must be exactly"),
        (file(salt="# salt: 0f"), 1, "64 hexadecimal"),
        ("", 1, "header must be exactly"),
        ("# nothing", 0, "header must be exactly"),
        (file().encode() + b"site=01,7,\xff", 15, "must be UTF-8"),
        (file().encode("utf-16"), 1, "must be UTF-8"),
    ],
)
def test_a_broken_rule_is_named_with_its_line(data, line, rule):
    found = problems(data)

    assert found[0][0] == line
    assert rule in found[0][1]


def test_every_problem_is_listed_by_line_and_no_arm_is_told():
    found = problems(file(extra=["site=01,7,zq7x", "site=09,1,aa", "site=02,7, bb"]))

    assert [line for line, _ in found] == [15, 16, 17]
    assert not any(code in text for _, text in found for code in ("zq7x", "aa", "bb"))


def test_the_message_tells_the_first_problem_and_how_many_more():
    with pytest.raises(ImportRefused, match=r"not imported\. line 15: .* There are 1 more"):
        read(file(extra=["site=01,7,zq7x", "site=09,1,aa"]))


def test_a_file_with_another_digest_is_refused():
    found = problems(file(), digest="0" * 64)

    assert found == [(0, "The file is not the one whose SHA-256 the parameters name.")]


# --- blocks ----------------------------------------------------------------------------------------------


def blocks(*rows, sites=()):
    lines = [f"all,{n},{arm * 2},{block},{size}" for n, (arm, block, size) in enumerate(rows, start=1)]
    return "\n".join([SALT, BLOCKS, *lines])


def block(arms, number, size):
    return [(arm, number, size) for arm in arms]


def test_complete_blocks_that_keep_the_ratio_are_read_and_the_last_may_be_incomplete():
    rows = read(blocks(*block("abba", 1, 4), *block("ba", 2, 2), *block("aa", 3, 4)), sites=()).rows["all"]

    assert [(row.block, row.block_size) for row in rows] == [(1, 4)] * 4 + [(2, 2)] * 2 + [(3, 4)] * 2


@pytest.mark.parametrize(
    ("rows", "line", "rule"),
    [
        ([*block("abab", 1, 4), *block("aaba", 2, 4)], 7, "keep the ratio"),
        ([*block("aab", 1, 3), *block("b", 2, 3)], 3, "keep the ratio"),
        ([*block("ab", 1, 4), *block("ab", 2, 2)], 3, "Only the last block"),
        ([*block("abba", 1, 2)], 3, "no more rows"),
        ([("a", 1, 2), ("b", 1, 4)], 3, "give its size"),
        ([*block("ab", 1, 2), *block("ba", 2, 2), *block("ab", 1, 2)], 7, "follow each other"),
        ([*block("ab", 1, 2), ("a", 0, 2)], 5, "Block and block size"),
        ([*block("ab", 1, 2), ("a", "x", 2)], 5, "Block and block size"),
    ],
)
def test_a_block_that_cannot_be_is_named_by_its_first_line(rows, line, rule):
    found = problems(blocks(*rows), sites=())

    assert found[0][0] == line
    assert rule in found[0][1]


# --- rows sorted by arm ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strata",
    [
        {"site=01": "aaabbb", "site=02": "aabb"},
        {"site=01": "bbbbaaaa", "site=02": "ba"},
        {"site=01": "aabb", "site=02": "aaaa"},
        {"site=01": "a" * 10 + "b" * 10, "site=02": "abbaba"},
    ],
)
def test_rows_sorted_by_arm_are_refused(strata):
    ((line, text),) = problems(file(strata))

    assert line == 3
    assert "sorted by arm" in text


def test_a_file_sorted_by_arm_with_its_positions_is_refused():
    lines = sorted(file(salt="#").splitlines()[2:], key=lambda line: line[-1])

    ((_, text),) = problems("\n".join([SALT, HEADER, *lines]))

    assert "sorted by arm" in text


@pytest.mark.parametrize(
    "strata",
    [
        {"site=01": "aabb", "site=02": "bbaa"},
        {"site=01": "aabb", "site=02": "abab"},
        {"site=01": "ab", "site=02": "ab"},
        {"site=01": "aaabbb", "site=02": "abbaba"},
        {"site=01": "aaaa", "site=02": "aaaa"},
    ],
)
def test_a_list_that_looks_sorted_by_chance_is_read(strata):
    assert len(read(file(strata)).rows["site=01"]) == len(strata["site=01"])
