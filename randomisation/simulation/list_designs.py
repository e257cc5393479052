"""Simulated trials of the list methods: lists from the engine, one for each stratum in use."""

from collections import Counter
from collections.abc import Callable, Sequence

from randomisation.engine.lists import LIST, make_list, rows_for
from randomisation.engine.methods import Row
from randomisation.engine.parameters import Parameters, stratum_key
from randomisation.engine.reading import read_whole
from randomisation.engine.source import Stream
from randomisation.simulation.allocations import Allocated, Given
from randomisation.simulation.people import Person


class ListDesign:
    """Simple randomisation, permuted blocks or the big stick."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters, self._ratio = parameters, parameters.ratio
        self._pseudo_arms = tuple(arm for arm, share in enumerate(parameters.ratio) for _ in range(share))
        self._keys: dict[str, str] = {}
        self._known: dict[tuple[int, tuple[int, ...]], Given] = {}
        self._open: dict[tuple[int, ...], tuple[int, ...]] = {}
        ways: dict[str, Callable[[bytes, str, int], list[Given]]]
        ways = {"simple": self._simple, "permuted_blocks": self._blocks, "big_stick": self._big_stick}
        self._given_of = ways[parameters.method]
        self._n_blocks = self._n_incomplete = 0

    def __call__(self, people: Sequence[Person], seed: bytes) -> Allocated:
        """Give each person the next row of the list of their stratum."""
        self._n_blocks = self._n_incomplete = 0
        keys = [self._keys.get(person.stratum) or self._key(person) for person in people]
        lists = {key: iter(self._given_of(seed, key, n_rows)) for key, n_rows in Counter(keys).items()}
        given = [next(lists[key]) for key in keys]
        return Allocated(given, self._n_blocks, self._n_incomplete)

    def _key(self, person: Person) -> str:
        return self._keys.setdefault(person.stratum, stratum_key(self._parameters.factors, person.levels))

    def _rows(self, seed: bytes, key: str, n_rows: int) -> list[Row]:
        return rows_for(self._parameters, seed, purpose=LIST, key=key, n_rows=n_rows)[:n_rows]

    def _simple(self, seed: bytes, key: str, n_rows: int) -> list[Given]:
        return [self._given(row.arm, self._ratio) for row in self._rows(seed, key, n_rows)]

    def _blocks(self, seed: bytes, key: str, n_rows: int) -> list[Given]:
        given, left = [], [0] * len(self._ratio)
        for row in self._rows(seed, key, n_rows):
            if not any(left):
                repeats = (row.block_size or 0) // sum(self._ratio)
                left = [share * repeats for share in self._ratio]
                self._n_blocks += 1
            given.append(self._given(row.arm, tuple(left)))
            left[row.arm] -= 1
        self._n_incomplete += any(left)
        return given

    def _big_stick(self, seed: bytes, key: str, n_rows: int) -> list[Given]:
        """With an arm for each pseudo-arm the same stream makes the same draws, and tells which one each was (4.3)."""
        own, settings = self._parameters, self._parameters.settings
        stream = Stream(seed, scheme=own.scheme, revision=own.revision, purpose=LIST, key=key)
        ones = (1,) * len(self._pseudo_arms)
        given, counts = [], [0] * len(ones)
        for row in make_list(own.method, stream, n_rows, ratio=ones, settings=settings):
            fewest = min(counts)
            lead = tuple(count - fewest for count in counts)
            weights = self._open.get(lead) or self._open.setdefault(lead, self._still_open(lead))
            given.append(self._given(self._pseudo_arms[row.arm], weights))
            counts[row.arm] += 1
        return given

    def _still_open(self, lead: tuple[int, ...]) -> tuple[int, ...]:
        """How many pseudo-arms of each arm may have one more within the limit."""
        mti = read_whole("mti", self._parameters.settings["mti"])
        weights = [0] * len(self._ratio)
        for pseudo_arm, arm in enumerate(self._pseudo_arms):
            after = [*lead[:pseudo_arm], lead[pseudo_arm] + 1, *lead[pseudo_arm + 1 :]]
            weights[arm] += max(after) - min(after) <= mti
        return tuple(weights)

    def _given(self, arm: int, weights: tuple[int, ...]) -> Given:
        key = (arm, weights)
        if key not in self._known:
            total = sum(weights)
            self._known[key] = Given(arm, tuple(weight / total for weight in weights), None)
        return self._known[key]
