"""Lists of allocations from parameters and a seed (randomisation.md section 4)."""

from randomisation.engine.methods import Row
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
    """At least `n_rows` rows of `method` from the start of `stream`; ratio and settings as given.

    Raises:
        ParametersRefused: a rule of section 1 is broken, or the method draws no lists.
    """
    if method not in LIST_METHODS:
        raise ParametersRefused("method", "draws no lists")
    reduced = reduce_ratio(ratio)
    normal = LIST_METHODS[method].settings(settings, ratio=reduced)
    return LIST_METHODS[method].rows(stream, n_rows, ratio=reduced, settings=normal)


def rows_for(parameters: Parameters, seed: bytes, *, purpose: str, key: str, n_rows: int) -> list[Row]:
    """The main list or the emergency list called `key` of a revision, at least `n_rows` long.

    Emergency lists are permuted blocks whatever the method (9.7).

    Raises:
        ParametersRefused: a main list of minimisation, or an imported one: its rows are in the file.
    """
    stream = Stream(seed, scheme=parameters.scheme, revision=parameters.revision, purpose=purpose, key=key)
    if purpose == BACKUP:
        sizes = {"block_sizes": parameters.backup_block_sizes}
        return make_list(BACKUP_METHOD, stream, n_rows, ratio=parameters.ratio, settings={**sizes})
    return make_list(parameters.method, stream, n_rows, ratio=parameters.ratio, settings=parameters.settings)
