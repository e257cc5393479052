"""Vectors that follow a minimisation allocation by allocation (randomisation.md 14, R22 to R28)."""

from typing import Any

from randomisation.engine.ledger import Ledger
from randomisation.engine.margins import Design
from randomisation.engine.minimisation import Draw, minimise
from randomisation.engine.parameters import Factor, reduce_ratio
from randomisation.schemes import SCHEMES
from randomisation.schemes.minimisation import MAX_WEIGHT
from randomisation.vector import Vector, VectorsError

METHOD = "minimisation"
RESULTS = ("step", "scores", "tied", "preferred", "working_arm", "arm", "words")


def trace(vector: Vector) -> dict[str, object]:
    """The vector's trace or log with every result it holds replaced by the one computed."""
    name = "log" if "log" in vector.fields else "trace"
    follower = _Follower(vector)
    computed = [follower.follow(entry, f"{name}[{place}]") for place, entry in enumerate(vector.items(name))]
    if not follower.n_results:
        raise VectorsError(f"Vector {vector.id}: {name} holds no result to compare, such as arm.")
    return {name: computed}


def difference(name: str, expected: object, computed: object) -> str:
    """Where a field first differs, inside a trace such as `trace[3].scores`; empty when it does not."""
    if expected == computed:
        return ""
    if not isinstance(expected, list) or not isinstance(computed, list):
        return name
    for place, (theirs, ours) in enumerate(zip(expected, computed, strict=False)):
        if isinstance(theirs, dict) and isinstance(ours, dict) and theirs != ours:
            field = next((key for key in ours if theirs.get(key) != ours[key]), "")
            return f"{name}[{place}].{field}"
    return name


class _Follower:
    """Goes through the entries of one vector in order."""

    def __init__(self, vector: Vector) -> None:
        self.vector = vector
        self.arms = vector.texts("arms")
        self.design = _design(vector, len(self.arms))
        self.ledger = Ledger(self.design)
        self.seed = vector.hex("seed")
        self.n_results = 0

    def follow(self, entry: Any, place: str) -> dict[str, Any]:
        """The entry with its results computed."""
        if not isinstance(entry, dict):
            raise self._error(place, "must be an object")
        event = entry.get("event", "allocate")
        if event == "exclude":
            self.ledger.exclude(self._seq(entry, place))
        elif event == "correct":
            self.ledger.correct(self._seq(entry, place), self._members(entry, place))
        elif event == "add_level":
            self._add_level(entry, place)
        elif event == "backup" or self._is_known_by_arm(entry):
            return self._place(entry, place)
        elif event in ("allocate", "recovered"):
            return self._allocate(entry, place)
        return dict(entry)

    def _is_known_by_arm(self, entry: dict[str, Any]) -> bool:
        """It was not this revision's minimisation that allocated it."""
        is_own = entry.get("revision", self.design.revision) == self.design.revision
        return not is_own or entry.get("purpose", "min") != "min" or entry.get("source") == "backup"

    def _allocate(self, entry: dict[str, Any], place: str) -> dict[str, Any]:
        seq, members = self._seq(entry, place), self._members(entry, place)
        for factor in self.design.factors:
            if any(member.get(factor.code) not in factor.levels for member in members):
                raise self._error(place, f"must have a level of {factor.code}")
        draw = minimise(self.ledger.margins, members=members, seq=seq, seed=self.seed)
        self.ledger.count(seq, draw.working_arm, members)
        found = self._results(draw, entry)
        self.n_results += len(found)
        return {**entry, **found}

    def _place(self, entry: dict[str, Any], place: str) -> dict[str, Any]:
        arm = self.arms.index(entry["arm"]) if entry.get("arm") in self.arms else None
        working_arm = self.ledger.place(self._seq(entry, place), arm, self._members(entry, place))
        return {**entry, "working_arm": working_arm} if "working_arm" in entry else dict(entry)

    def _add_level(self, entry: dict[str, Any], place: str) -> None:
        if not isinstance(entry.get("factor"), str) or not isinstance(entry.get("level"), str):
            raise self._error(place, "must have a factor and a level")
        self.design = self.design.with_level(entry["factor"], entry["level"])
        self.ledger.extend(self.design)

    def _results(self, draw: Draw, entry: dict[str, Any]) -> dict[str, Any]:
        """The results that the entry holds, computed; working arms as codes where it gives codes."""
        computed = {name: getattr(draw, name) for name in RESULTS}
        computed["arm"] = self.arms[draw.arm]
        for name in ("preferred", "working_arm"):
            if isinstance(entry.get(name), str):
                computed[name] = self._code(computed[name])
        if isinstance(entry.get("tied"), list) and any(isinstance(arm, str) for arm in entry["tied"]):
            computed["tied"] = [self._code(arm) for arm in draw.tied or []]
        return {name: value for name, value in computed.items() if name in entry}

    def _code(self, working_arm: int | None) -> str | None:
        return None if working_arm is None else self.arms[self.design.arm_of(working_arm)]

    def _seq(self, entry: dict[str, Any], place: str) -> int:
        seq = entry.get("seq")
        if type(seq) is not int or seq < 1:
            raise self._error(place, "must have a seq from 1")
        return seq

    def _members(self, entry: dict[str, Any], place: str) -> list[dict[str, str]]:
        """Each person's levels, whatever the entry calls them; one person's may stand alone."""
        given = next((entry[name] for name in ("unit", "levels", "members") if name in entry), None)
        members: list[Any] = given if isinstance(given, list) else [given]
        if not members or not all(isinstance(member, dict) for member in members):
            raise self._error(place, "must have a unit: the levels of one person, or a list of them")
        return members

    def _error(self, place: str, text: str) -> VectorsError:
        return VectorsError(f"Vector {self.vector.id}: {place} {text}.")


def _design(vector: Vector, n_arms: int) -> Design:
    ratio = reduce_ratio(tuple(vector.wholes("ratio")))
    if len(ratio) != n_arms or n_arms < 2:
        raise VectorsError(f"Vector {vector.id}: ratio must have one number for each of two arms or more.")
    given = {name: vector.value(name) for name in SCHEMES[METHOD].keys}
    return Design.make(
        scheme=vector.text("scheme"),
        revision=vector.revision,
        ratio=ratio,
        factors=tuple(_factor(vector, entry) for entry in vector.items("factors")),
        settings=SCHEMES[METHOD].settings(given, ratio=ratio),
    )


def _factor(vector: Vector, entry: object) -> Factor:
    if not isinstance(entry, dict) or not isinstance(entry.get("code"), str):
        raise VectorsError(f"Vector {vector.id}: factors must each have a code.")
    levels, weight = entry.get("levels"), entry.get("weight", 1)
    if not isinstance(levels, list) or not all(isinstance(level, str) for level in levels):
        raise VectorsError(f"Vector {vector.id}: levels of a factor must be a list of text each.")
    if type(weight) is not int or not 1 <= weight <= MAX_WEIGHT:
        raise VectorsError(f"Vector {vector.id}: weight of a factor must be 1 to {MAX_WEIGHT}.")
    return Factor(entry["code"], tuple(levels), weight)
