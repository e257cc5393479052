"""Lists of allocations from parameters and a seed (randomisation.md section 4)."""

from randomisation.engine.methods import Block, Row, Start
from randomisation.engine.parameters import Parameters, reduce_ratio
from randomisation.engine.source import Stream
from randomisation.errors import ParametersRefused
from randomisation.schemes import LIST_METHODS

LIST = "list"
BACKUP = "backup"
BACKUP_METHOD = "permuted_blocks"


def make_list(
    method: str, stream: Stream, n_rows: int, *, ratio: tuple[int, ...], settings: dict[str, object]
) -> list[Row]:
    """At least `n_rows` rows of `method` from the start of `stream`, whole blocks; ratio and settings as given.

    Raises:
        ParametersRefused: a rule of section 1 is broken, or the method draws no lists.
    """
    return [row for block in _blocks(method, stream, n_rows, ratio, settings, Start()) for row in block.rows]


def rows_for(parameters: Parameters, seed: bytes, *, purpose: str, key: str, n_rows: int) -> list[Row]:
    """The main list or the emergency list called `key` of a revision, at least `n_rows` long.

    Emergency lists are permuted blocks whatever the method (9.7).

    Raises:
        ParametersRefused: a main list of minimisation, or an imported one: its rows are in the file.
    """
    return [
        row for block in blocks_for(parameters, seed, purpose=purpose, key=key, n_rows=n_rows) for row in block.rows
    ]


def blocks_for(parameters: Parameters, seed: bytes, *, purpose: str, key: str, n_rows: int) -> list[Block]:
    """The same list, block by block."""
    return _blocks_from(parameters, seed, purpose, key, n_rows, Start())


def block_at(parameters: Parameters, seed: bytes, *, purpose: str, key: str, start: Start) -> Block:
    """The one block that begins at `start`, drawn without those before it."""
    return _blocks_from(parameters, seed, purpose, key, 1, start)[0]


def _blocks_from(parameters: Parameters, seed: bytes, purpose: str, key: str, n_rows: int, start: Start) -> list[Block]:
    stream = Stream(
        seed,
        scheme=parameters.scheme,
        revision=parameters.revision,
        purpose=purpose,
        key=key,
        start=start.word,
    )
    if purpose == BACKUP:
        sizes: dict[str, object] = {"block_sizes": parameters.backup_block_sizes}
        return _blocks(BACKUP_METHOD, stream, n_rows, parameters.ratio, sizes, start)
    return _blocks(parameters.method, stream, n_rows, parameters.ratio, parameters.settings, start)


def _blocks(
    method: str, stream: Stream, n_rows: int, ratio: tuple[int, ...], settings: dict[str, object], start: Start
) -> list[Block]:
    if method not in LIST_METHODS:
        raise ParametersRefused("method", "draws no lists")
    reduced = reduce_ratio(ratio)
    normal = LIST_METHODS[method].settings(settings, ratio=reduced)
    return LIST_METHODS[method].blocks(stream, n_rows, ratio=reduced, settings=normal, start=start)
