"""The second program agrees with the vectors that a third one confirmed (randomisation.md section 14)."""

import ast
import json
from itertools import islice
from pathlib import Path

import pytest

from randomisation import vectors
from trial.allocation.acceptance import independent

VECTORS = json.loads(vectors.PUBLISHED.read_text(encoding="utf-8"))["vectors"]


class Seeded(independent._Trial):
    """A trial whose seed is given, as in the vectors."""

    def __init__(self, params, seed):
        super().__init__({"params": params, "secret": "", "contribution": "", "import_file": None})
        self._seed = bytes.fromhex(seed)


def params_of(vector):
    return {**{key: value for key, value in vector.items() if key != "trace"}, "scheme": "main", "revision": 1}


@pytest.mark.parametrize("vector", [one for one in VECTORS if one["kind"] == "list"], ids=lambda one: one["id"])
def test_lists_are_the_published_ones(vector):
    trial = Seeded({**params_of(vector), "revision": vector["revision"]}, vector["seed"])
    words = trial.words(vector["purpose"], vector["key"])

    rows = list(islice(trial._own_list(words), vector["length"]))

    assert [vector["arms"][arm] for arm in rows] == list(vector["allocations"])


@pytest.mark.parametrize("vector", [one for one in VECTORS if one["kind"] == "minimisation"], ids=lambda one: one["id"])
def test_minimisation_is_the_published_one(vector):
    trial = Seeded(params_of(vector), vector["seed"])

    for row in vector["trace"]:
        unit = row["unit"] if isinstance(row["unit"], list) else [row["unit"]]
        trial.take({"event": "allocate", "seq": row["seq"], "facts": {"purpose": "min", "members": unit}})

    assert list(trial.arms.values()) == [row["arm"] for row in vector["trace"]]


def test_a_replay_follows_exclusion_and_correction():
    vector = next(one for one in VECTORS if one["kind"] == "replay")
    trial = Seeded(params_of(vector), vector["seed"])

    for row in vector["log"]:
        levels = row.get("unit") or row.get("levels")
        facts = {"purpose": "min", "members": [levels]}
        trial.take({"event": row["event"], "seq": row["seq"], "facts": facts})

    assert list(trial.arms.values()) == [row["arm"] for row in vector["log"] if "arm" in row]


def test_it_imports_nothing_of_the_engine():
    tree = ast.parse(Path(independent.__file__).read_text(encoding="utf-8"))

    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert imported == {"hashlib", "hmac", "json", "collections", "fractions", "itertools", "typing"}


def test_the_vectors_in_the_product_are_those_of_the_tests():
    kept = Path(__file__).parents[3] / "randomisation" / "randomisation_vectors.json"

    assert vectors.PUBLISHED.read_bytes() == kept.read_bytes()
