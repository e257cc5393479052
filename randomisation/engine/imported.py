"""Lists made by an independent statistician: read whole or refused whole (randomisation.md 4.6).

No message tells an arm: it names the line and the rule.
"""

import hashlib
import math
from dataclasses import dataclass

from randomisation.engine.methods import Row
from randomisation.engine.parameters import Parameters, stratum_keys
from randomisation.errors import ImportRefused

COLUMNS = ("stratum_key", "position", "arm")
BLOCK_COLUMNS = ("block", "block_size")
_BOM = b"\xef\xbb\xbf"
_SALT = "# salt:"
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_RARE = 1000
"""A stratum that is one run of each arm is an accident when chance makes it so less than once in this many lists."""

Problem = tuple[int, str]


@dataclass(frozen=True, slots=True, repr=False)
class ImportedList:
    """A list that keeps every rule. As secret as its rows, so its repr is constant."""

    rows: dict[str, list[Row]]
    """By stratum key, in order of position."""
    sha256: str
    warnings: tuple[str, ...]
    """What the importer should think about; strata that are too short among it."""
    shorter: tuple[str, ...]
    """The strata with fewer rows than people may be recruited into them."""

    def __repr__(self) -> str:
        return "<ImportedList>"

    @property
    def needs_reason(self) -> bool:
        """A stratum is shorter than its recruitment ceiling: somebody must record why (4.6)."""
        return bool(self.shorter)


@dataclass(frozen=True, slots=True, repr=False)
class _Line:
    """One row as it stands in the file."""

    number: int
    stratum: str
    position: int
    row: Row


def read_list(data: bytes, parameters: Parameters, *, rows_needed: dict[str, int] | int) -> ImportedList:
    """Read the statistician's file.

    Args:
        data: the file, byte for byte.
        parameters: of the revision; its levels make the strata that the file must hold.
        rows_needed: the recruitment ceiling of each stratum, or one for all.

    Raises:
        ImportRefused: with every problem found, by line.
    """
    digest = hashlib.sha256(data).hexdigest()
    problems: list[Problem] = []
    numbered = _decode(data, problems)
    lines = _read_lines(numbered, parameters, problems)
    strata = _by_stratum(lines, stratum_keys(parameters.factors), problems)
    if not problems:
        _check_blocks(strata, parameters, problems)
        _check_not_sorted(strata, parameters, problems)
    if digest != parameters.settings.get("file_sha256"):
        problems.append((0, "The file is not the one whose SHA-256 the parameters name."))
    if problems:
        raise ImportRefused(sorted(problems))
    rows = {key: [line.row for line in _in_order(lines)] for key, lines in strata.items()}
    needed = rows_needed if isinstance(rows_needed, dict) else dict.fromkeys(rows, rows_needed)
    shorter = tuple(key for key, own in rows.items() if len(own) < needed.get(key, 0))
    return ImportedList(rows, digest, tuple(_warnings(data, numbered, shorter)), shorter)


def _decode(data: bytes, problems: list[Problem]) -> list[tuple[int, str]]:
    """The lines of the file with their numbers from 1; a last empty line is none."""
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        problems.append((data.count(b"\n", 0, error.start) + 1, "The file must be UTF-8."))
        return []
    lines = text.removesuffix("\n").split("\n")
    return [(number, line.removesuffix("\r")) for number, line in enumerate(lines, start=1)]


def _read_lines(numbered: list[tuple[int, str]], parameters: Parameters, problems: list[Problem]) -> list[_Line]:
    _check_salt(numbered, problems)
    table = [(number, line) for number, line in numbered if not line.startswith("#")]
    header = table[0] if table else (0, "")
    columns = tuple(header[1].split(","))
    if columns not in (COLUMNS, COLUMNS + BLOCK_COLUMNS):
        rule = f"The header must be exactly {','.join(COLUMNS)}, with {','.join(BLOCK_COLUMNS)} after it or without."
        if numbered:
            problems.append((header[0], rule))
        return []
    arms = {code: arm for arm, code in enumerate(parameters.arms)}
    read = [_read_line(number, line.split(","), len(columns), arms, problems) for number, line in table[1:]]
    return [line for line in read if line is not None]


def _read_line(
    number: int, cells: list[str], n_columns: int, arms: dict[str, int], problems: list[Problem]
) -> _Line | None:
    rule = _broken_rule(cells, n_columns, arms)
    if rule:
        problems.append((number, rule))
        return None
    block, block_size = (int(cells[3]), int(cells[4])) if n_columns > len(COLUMNS) else (None, None)
    return _Line(number, cells[0], int(cells[1]), Row(arms[cells[2]], block, block_size))


def _broken_rule(cells: list[str], n_columns: int, arms: dict[str, int]) -> str:
    """The first rule that the cells of one line break on their own; empty when none."""
    if len(cells) != n_columns:
        return f"There must be {n_columns} cells, as in the header."
    if any(not cell or cell != cell.strip() for cell in cells):
        return "No cell may be blank or have spaces around it."
    if not _is_count(cells[1]):
        return "The position must be a whole number from 1."
    if cells[2] not in arms:
        return "The arm is none of the scheme's."
    if not all(_is_count(cell) for cell in cells[3:]):
        return "Block and block size must be whole numbers from 1."
    return ""


def _is_count(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and cell[0] != "0" and len(cell) <= 9


def _check_salt(numbered: list[tuple[int, str]], problems: list[Problem]) -> None:
    for number, line in numbered:
        salt = line.removeprefix(_SALT).strip()
        if line.startswith(_SALT) and (len(salt) != 64 or not set(salt) <= _HEXADECIMAL):
            problems.append((number, "The salt must be 64 hexadecimal digits."))


def _by_stratum(lines: list[_Line], keys: list[str], problems: list[Problem]) -> dict[str, list[_Line]]:
    """The lines of each stratum in file order, once positions and strata are as they must be."""
    strata: dict[str, list[_Line]] = {key: [] for key in keys}
    seen: set[tuple[str, int]] = set()
    for line in lines:
        if line.stratum not in strata:
            problems.append((line.number, "The stratum is none of the scheme's."))
            continue
        if (line.stratum, line.position) in seen:
            problems.append((line.number, "The stratum has a row with this position already."))
            continue
        seen.add((line.stratum, line.position))
        strata[line.stratum].append(line)
    if not problems:
        problems += [(0, f"Stratum {key} has no rows.") for key, own in strata.items() if not own]
        problems += [problem for own in strata.values() for problem in _gaps(own)]
    return strata


def _gaps(lines: list[_Line]) -> list[Problem]:
    # Positions are unique here, so they are 1 to n exactly when none is beyond n.
    beyond = [line.number for line in lines if line.position > len(lines)]
    return [(number, "Positions must run from 1 without gaps in each stratum.") for number in beyond[:1]]


def _in_order(lines: list[_Line]) -> list[_Line]:
    return sorted(lines, key=lambda line: line.position)


def _check_blocks(strata: dict[str, list[_Line]], parameters: Parameters, problems: list[Problem]) -> None:
    for lines in strata.values():
        blocks: list[list[_Line]] = []
        for line in _in_order(lines):
            if line.row.block is not None and (not blocks or blocks[-1][0].row.block != line.row.block):
                blocks.append([])
            if blocks:
                blocks[-1].append(line)
        _check_blocks_of_one(blocks, parameters.ratio, problems)


def _check_blocks_of_one(blocks: list[list[_Line]], ratio: tuple[int, ...], problems: list[Problem]) -> None:
    numbers = [block[0].row.block for block in blocks]
    for place, block in enumerate(blocks):
        size, line = block[0].row.block_size or 0, block[0].number
        if numbers.index(block[0].row.block) < place:
            problems.append((line, "The rows of a block must follow each other."))
        elif len(block) > size or any(row.row.block_size != size for row in block):
            problems.append((line, "Every row of a block must give its size, and there must be no more rows."))
        elif len(block) < size and place < len(blocks) - 1:
            problems.append((line, "Only the last block of a stratum may be incomplete."))
        elif len(block) == size and not _keeps_ratio([row.row.arm for row in block], ratio):
            problems.append((line, "A complete block must keep the ratio."))


def _keeps_ratio(arms: list[int], ratio: tuple[int, ...]) -> bool:
    return all(arms.count(arm) * sum(ratio) == share * len(arms) for arm, share in enumerate(ratio))


def _check_not_sorted(strata: dict[str, list[_Line]], parameters: Parameters, problems: list[Problem]) -> None:
    """Refuse rows sorted by arm, by their order in the file and by their position.

    The accident leaves one run of each arm. A short list can look so by chance, four rows of 1:1 one time in three,
    so a stratum on its own is refused only when fewer than one list in a thousand looks so; the file is refused when
    every stratum looks so with the arms in the same order, and one has more rows than the ratio's sum.
    """
    for order in (list, _in_order):
        arms_of = {key: [line.row.arm for line in order(lines)] for key, lines in strata.items()}
        is_sorted = _all_sorted_alike(list(arms_of.values()), sum(parameters.ratio))
        accidents = [key for key, arms in arms_of.items() if is_sorted or _is_rarely_so(arms)]
        if accidents:
            lines = [strata[key][0].number for key in accidents]
            problems.append((min(lines), "The rows are sorted by arm. Send the list in its random order."))
            return


def _runs(arms: list[int]) -> list[int]:
    """The arm of each run of equal arms."""
    return [arm for place, arm in enumerate(arms) if place == 0 or arms[place - 1] != arm]


def _all_sorted_alike(strata: list[list[int]], ratio_sum: int) -> bool:
    if all(len(arms) <= ratio_sum for arms in strata):
        return False
    place_of: dict[int, int] = {}
    for arm in max((_runs(arms) for arms in strata), key=len):
        place_of.setdefault(arm, len(place_of))
    if len(place_of) < 2:
        return False
    for arms in strata:
        places = [place_of.get(arm, -1) for arm in _runs(arms)]
        if places != sorted(set(places)):
            return False
    return True


def _is_rarely_so(arms: list[int]) -> bool:
    runs = _runs(arms)
    if len(runs) < 2 or len(runs) != len(set(runs)):
        return False
    orders = math.factorial(len(arms)) // math.prod(math.factorial(arms.count(arm)) for arm in runs)
    return math.factorial(len(runs)) * _RARE < orders


def _warnings(data: bytes, numbered: list[tuple[int, str]], shorter: tuple[str, ...]) -> list[str]:
    found = [f"Stratum {key} has fewer rows than people may be recruited into it." for key in shorter]
    if data.startswith(_BOM):
        found.append("The file begins with a byte order mark, which was passed over.")
    if not any(line.startswith(_SALT) for _, line in numbered):
        found.append("The file has no salt line, so its SHA-256 could tell somebody who guesses the list.")
    return found
