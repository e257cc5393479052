"""A second program for the same allocations, written from the text of randomisation.md alone (section 12).

It imports nothing of the engine, counts everything anew for each allocation, and works in fractions where the engine
works in whole numbers: two programs that agree row by row share no mistake of either.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import count
from typing import Any

VERSION = "trial-randomisation/1"
ALLOCATED = ("allocate", "backup", "recovered")

Words = Iterator[int]
Level = tuple[str, str]


def recompute(package: dict[str, Any]) -> dict[int, str]:
    """The arm of every allocation of a package with one revision, by `seq`, from its secret and log alone."""
    revision = package["revisions"][0]
    trial = _Trial(revision)
    for event in package["events"]:
        trial.take(json.loads(event["entry"]))
    return trial.arms


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _words(seed: bytes, label: str) -> Words:
    key = _mac(seed, label.encode("ascii"))
    for block in count():
        data = _mac(key, block.to_bytes(8, "big"))
        for start in range(0, 32, 4):
            yield int.from_bytes(data[start : start + 4], "big")


def _below(words: Words, n: int) -> int:
    if n == 1:
        return 0
    limit = 2**32 - 2**32 % n
    return next(word for word in words if word < limit) % n


def _weighted(words: Words, weights: Sequence[int]) -> int:
    left = _below(words, sum(weights))
    for place, weight in enumerate(weights):
        if left < weight:
            return place
        left -= weight
    raise AssertionError("the draw is below the sum")


def _shuffled(words: Words, items: list[Any]) -> list[Any]:
    for last in range(len(items) - 1, 0, -1):
        other = _below(words, last + 1)
        items[last], items[other] = items[other], items[last]
    return items


def batch_order(package: dict[str, Any], batch: str, units: Sequence[str]) -> list[str]:
    """The order of the units of a batch."""
    trial = _Trial(package["revisions"][0])
    return _shuffled(trial.words("batch", batch), sorted(units))


def _simple(words: Words, ratio: list[int]) -> Iterator[int]:
    while True:
        yield _weighted(words, ratio)


def _blocks(words: Words, ratio: list[int], sizes: list[int]) -> Iterator[int]:
    ascending = sorted(set(sizes))
    while True:
        size = ascending[_below(words, len(ascending))]
        block = [arm for arm, share in enumerate(ratio) for _ in range(share * size // sum(ratio))]
        yield from _shuffled(words, block)


def _big_stick(words: Words, ratio: list[int], limit: int) -> Iterator[int]:
    arms = _pseudo_arms(ratio)
    counts = [0] * len(arms)
    while True:
        allowed = [
            place
            for place in range(len(arms))
            if max(*counts, counts[place] + 1) - min(n + (at == place) for at, n in enumerate(counts)) <= limit
        ]
        chosen = allowed[_below(words, len(allowed))]
        counts[chosen] += 1
        yield arms[chosen]


def _pseudo_arms(ratio: list[int]) -> list[int]:
    return [arm for arm, share in enumerate(ratio) for _ in range(share)]


class _Trial:
    """One revision, and what its log has told so far."""

    def __init__(self, revision: dict[str, Any]) -> None:
        self.params = revision["params"]
        secret = bytes.fromhex(revision["secret"])
        self._seed = _mac(secret, f"{VERSION}|contribution|".encode("ascii") + revision["contribution"].encode("utf-8"))
        self._imported = _imported(revision["import_file"])
        self._ratio: list[int] = self.params["ratio"]
        self._counted: dict[int, tuple[int, list[dict[str, str]]]] = {}
        self.arms: dict[int, str] = {}
        pseudo = self.params.get("unequal") == "pseudo_arms"
        self._arm_of = _pseudo_arms(self._ratio) if pseudo else list(range(len(self._ratio)))
        self._shares = [1] * len(self._arm_of) if pseudo else self._ratio

    def words(self, purpose: str, key: str) -> Words:
        """The stream of one purpose and key."""
        return _words(self._seed, f"{VERSION}|{self.params['scheme']}|{self.params['revision']}|{purpose}|{key}")

    def take(self, entry: dict[str, Any]) -> None:
        """One entry of the log, in order."""
        seq, facts = entry["seq"], entry["facts"]
        if entry["event"] in ALLOCATED:
            self.arms[seq] = self.params["arms"][self._allocate(seq, facts)]
        elif entry["event"] == "exclude":
            self._counted.pop(seq, None)
        elif entry["event"] == "correct" and seq in self._counted:
            self._counted[seq] = (self._counted[seq][0], facts["members"])

    def _allocate(self, seq: int, facts: dict[str, Any]) -> int:
        members = facts["members"]
        if facts["purpose"] == "min":
            working = self._minimise(seq, members)
            self._counted[seq] = (working, members)
            return self._arm_of[working]
        arm = self._listed(facts["purpose"], facts["stratum"], facts["position"])
        self._counted[seq] = (self._emptiest(arm), members)
        return arm

    def _listed(self, purpose: str, key: str, position: int) -> int:
        if purpose == "list" and self.params["method"] == "import":
            found: int = self.params["arms"].index(self._imported[key, position])
            return found
        words = self.words(purpose, key)
        if purpose == "backup":
            rows = _blocks(words, self._ratio, self.params["backup_block_sizes"])
        else:
            rows = self._own_list(words)
        return next(arm for place, arm in enumerate(rows, start=1) if place == position)

    def _own_list(self, words: Words) -> Iterator[int]:
        if self.params["method"] == "simple":
            return _simple(words, self._ratio)
        if self.params["method"] == "big_stick":
            return _big_stick(words, self._ratio, self.params["mti"])
        return _blocks(words, self._ratio, self.params["block_sizes"])

    def _emptiest(self, arm: int) -> int:
        """Where an allocation known by its arm only is counted: fewest people, lowest number on a tie."""
        people = Counter[int]()
        for working, members in self._counted.values():
            people[working] += len(members)
        return min((w for w, own in enumerate(self._arm_of) if own == arm), key=lambda w: (people[w], w))

    def _minimise(self, seq: int, members: list[dict[str, str]]) -> int:
        words, ratio = self.words("min", str(seq)), self._shares
        if seq <= self.params["burn_in"]:
            return _weighted(words, ratio)
        scores = [self._score(arm, members) for arm in range(len(ratio))]
        tied = [arm for arm, score in enumerate(scores) if score == min(scores)]
        preferred = tied[_weighted(words, [ratio[arm] for arm in tied])]
        return _weighted(words, self._coin(preferred))

    def _coin(self, preferred: int) -> list[int]:
        """Chances of the arms as whole numbers with the sum that the text gives."""
        p, total = Fraction(self.params["p"]), sum(self._shares)
        others = total - min(self._shares)
        chance = [share * (1 - p) / others for share in self._shares]
        chance[preferred] = 1 - (total - self._shares[preferred]) * (1 - p) / others
        return [int(one * others * p.denominator) for one in chance]

    def _score(self, arm: int, members: list[dict[str, str]]) -> Fraction:
        weights = {factor["code"]: factor["weight"] for factor in self.params["factors"]}
        given = Counter[Level](level for member in members for level in self._levels(member))
        weights["_overall"] = self.params["overall_weight"]
        return sum((weights[level[0]] * self._spread(level, n, arm) for level, n in given.items()), Fraction(0))

    def _levels(self, member: dict[str, str]) -> list[Level]:
        own = [(factor["code"], member[factor["code"]]) for factor in self.params["factors"]]
        return [*own, ("_overall", "")] if self.params["overall_weight"] else own

    def _spread(self, level: Level, n_new: int, arm: int) -> Fraction:
        before = [0] * len(self._shares)
        for working, members in self._counted.values():
            before[working] += sum(level in self._levels(member) for member in members)
        if self.params["imbalance"] == "total":
            return Fraction(n_new * before[arm], self._shares[arm])
        after = [Fraction(n + n_new * (at == arm), self._shares[at]) for at, n in enumerate(before)]
        if self.params["imbalance"] == "range":
            return max(after) - min(after)
        return len(after) * sum((x * x for x in after), Fraction(0)) - sum(after, Fraction(0)) ** 2


def _imported(text: str | None) -> dict[tuple[str, int], str]:
    rows = [line.split(",") for line in (text or "").splitlines() if line and not line.startswith("#")]
    return {(row[0], int(row[1])): row[2] for row in rows[1:]}
