"""Refusals of an imported list (4.6), on a made-up list for the draft's own strata and arms."""

import hashlib
from collections.abc import Callable

from randomisation.engine.imported import read_list
from randomisation.engine.parameters import Parameters, read_parameters
from randomisation.engine.source import VERSION
from randomisation.errors import ImportRefused
from trial.allocation.acceptance.case import case, expect
from trial.allocation.acceptance.world import World, few_strata, made_up_list

Lines = list[str]
_FIRST = 2
"""The first row: salt and header stand before it."""


def _defects(n_arms: int) -> dict[str, Callable[[Lines], Lines]]:
    """Each refusal of 4.6, as what is done to a good file."""

    def cell(place: int, value: str) -> Callable[[Lines], Lines]:
        def change(lines: Lines) -> Lines:
            cells = lines[_FIRST].split(",")
            cells[place] = value
            return [*lines[:_FIRST], ",".join(cells), *lines[_FIRST + 1 :]]

        return change

    return {
        "unknown stratum": cell(0, "nowhere=1"),
        "unknown arm": cell(2, "no-such-arm"),
        "gap in positions": cell(1, "999999"),
        "duplicate row": lambda lines: [*lines, lines[_FIRST]],
        "blank cell": cell(2, ""),
        "padded cell": lambda lines: [*lines[:_FIRST], lines[_FIRST] + " ", *lines[_FIRST + 1 :]],
        "wrong header": lambda lines: [lines[0], "stratum,position,arm", *lines[_FIRST:]],
        "sorted by arm": _sorted_by_arm,
    }


def _sorted_by_arm(lines: Lines) -> Lines:
    rows = [line.split(",") for line in lines[_FIRST:]]
    keys = list(dict.fromkeys(row[0] for row in rows))
    found = []
    for key in keys:
        arms = sorted(row[2] for row in rows if row[0] == key)
        found += [f"{key},{position},{arm}" for position, arm in enumerate(arms, start=1)]
    return [*lines[:_FIRST], *found]


@case(
    "I01",
    "4.6",
    "Imported list: every refusal",
    "Each defect refuses the whole file; a good file is read; no arm is told",
)
def refusals(world: World) -> str:
    """A good file, then one with each defect, another file than the one named, and a stratum too few."""
    good = made_up_list(_parameters(world, ""), rows=40).decode("utf-8").splitlines()
    expect(not _problems(world, good), "A good file was refused")
    changes = _defects(len(world.given["arms"]))
    first_key = good[_FIRST].split(",")[0]
    without = [line for line in good if not line.startswith(f"{first_key},")]
    files = {name: change(good) for name, change in changes.items()} | {"missing stratum": without}
    taken = [name for name, lines in files.items() if not _problems(world, lines)]
    other = _problems(world, good, sha256="0" * 64)
    texts = " ".join(text for lines in files.values() for text in _problems(world, lines))

    expect(not taken, f"Taken: {', '.join(taken)}")
    expect(bool(other), "Another file than the one named was taken")
    expect(not any(f" {arm} " in texts for arm in world.given["arms"]), "A message tells an arm")
    return f"{len(files) + 1} defects, each refused; the good file is read"


def _parameters(world: World, sha256: str) -> Parameters:
    shape = {**world.shape, "factors": few_strata(world.given["factors"])}
    named = {"algorithm": VERSION, "scheme": "test-import", "revision": 1, "method": "import"}
    return read_parameters({**shape, **named, "file_sha256": sha256 or "0" * 64})


def _problems(world: World, lines: Lines, sha256: str = "") -> list[str]:
    data = ("\n".join(lines) + "\n").encode("utf-8")
    parameters = _parameters(world, sha256 or hashlib.sha256(data).hexdigest())
    try:
        read_list(data, parameters, rows_needed=1)
    except ImportRefused as refused:
        return [text for _line, text in refused.problems]
    return []
