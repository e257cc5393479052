"""Run a file in the format of randomisation_vectors.json through the engine (randomisation.md 14)."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from randomisation.engine.canonical import canonical_json
from randomisation.engine.labels import batch_order, fingerprint, mask_labels
from randomisation.engine.lists import make_list
from randomisation.engine.parameters import normalise
from randomisation.engine.source import VERSION, commitment, derive_seed, stream_key, stream_label
from randomisation.errors import ParametersRefused
from randomisation.schemes import LIST_METHODS, SCHEMES
from randomisation.traces import difference, trace
from randomisation.vector import Vector, VectorsError

FORMAT = "trial-randomisation vectors"
PUBLISHED = Path(__file__).parent / "data" / "randomisation_vectors.json"
"""The vectors of section 14, as they were published."""
PASS = "pass"  # noqa: S105 - an outcome, not a password
NOT_SUPPORTED = "not supported"
MAX_ROWS = 1_000_000
MAX_WORDS = 100_000


@dataclass(frozen=True, slots=True)
class VectorResult:
    """How one vector did: `pass`, `not supported`, or the first field that differs."""

    id: str
    outcome: str

    @property
    def failed(self) -> bool:
        """A field differs."""
        return self.outcome not in (PASS, NOT_SUPPORTED)


def check_file(path: Path) -> list[VectorResult]:
    """The result of every vector of the file at `path`, in its order.

    Raises:
        VectorsError: the file cannot be read, or is malformed.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VectorsError(f"{path} could not be read: {error.strerror}.") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise VectorsError(f"{path} is not JSON: {error}.") from None
    return check(document)


def check(document: object) -> list[VectorResult]:
    """The result of every vector of a document already read from JSON.

    Raises:
        VectorsError: the document is malformed.
    """
    vectors = [Vector(fields, place=place) for place, fields in enumerate(_entries(document), start=1)]
    ids = [vector.id for vector in vectors]
    if repeated := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        raise VectorsError(f"Vector {repeated[0]} appears more than once.")
    return [VectorResult(vector.id, _outcome(vector)) for vector in vectors]


def _entries(document: object) -> list[dict[str, Any]]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise VectorsError(f'The file must be a JSON object whose "format" is "{FORMAT}".')
    if document.get("version") != VERSION:
        raise VectorsError(f'The file must have "version" "{VERSION}".')
    entries = document.get("vectors")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise VectorsError('The file must have "vectors", a list of objects.')
    return entries


def _outcome(vector: Vector) -> str:
    """Compare what the vector says with what the engine gives; a refused parameter counts as differing."""
    if vector.kind not in COMPUTED or not _is_method_known(vector):
        return NOT_SUPPORTED
    try:
        computed = COMPUTED[vector.kind](vector)
    except ParametersRefused as refusal:
        return refusal.field
    expected = [name for name in computed if name in vector.fields]
    if not expected:
        raise VectorsError(f"Vector {vector.id}: holds no result to compare, such as {next(iter(computed))}.")
    places = (difference(name, vector.fields[name], computed[name]) for name in expected)
    return next((place for place in places if place), PASS)


def _is_method_known(vector: Vector) -> bool:
    if vector.kind == "list":
        return vector.text("method") in LIST_METHODS
    if vector.kind == "seed" and "params" in vector.fields:
        return vector.object("params").get("method") in SCHEMES
    return True


def _seed(vector: Vector) -> dict[str, object]:
    secret = vector.hex("secret")
    computed: dict[str, object] = {"seed": derive_seed(secret, vector.text("contribution")).hex()}
    if "params" in vector.fields:
        try:
            canonical = canonical_json(normalise(vector.object("params")))
        except ValueError as error:
            raise VectorsError(f"Vector {vector.id}: params: {error}") from None
        computed["params_canonical"] = canonical.decode("ascii")
        computed["params_sha256"] = hashlib.sha256(canonical).hexdigest()
        computed["commitment"] = commitment(secret, canonical)
    return computed


def _stream(vector: Vector) -> dict[str, object]:
    purpose, key = vector.text("purpose"), vector.text("key")
    label = stream_label(scheme=vector.text("scheme"), revision=vector.revision, purpose=purpose, key=key)
    stream = vector.stream(purpose, key)
    computed: dict[str, object] = {"label": label, "stream_key": stream_key(vector.hex("seed"), label).hex()}
    for name in vector.fields:
        if re.fullmatch("T[0-9]{1,9}", name):
            computed[name] = stream.block(int(name[1:])).hex()
    if "words" in vector.fields:
        computed["words"] = [stream.word() for _ in vector.wholes("words")]
    return computed


def _below(vector: Vector) -> dict[str, object]:
    stream = vector.stream(vector.text("purpose"), vector.text("key"))
    values, words = [], []
    for n in vector.wholes("n", least=1):
        before = stream.words_used
        values.append(stream.below(n))
        words.append(stream.words_used - before)
    return {"values": values, "words_used": words}


def _shuffle(vector: Vector) -> dict[str, object]:
    stream = vector.stream(vector.text("purpose"), vector.text("key"))
    items = vector.items("input")
    stream.shuffle(items)
    return {"output": items, "words_used": stream.words_used}


def _list(vector: Vector) -> dict[str, object]:
    method, arms, ratio = vector.text("method"), vector.texts("arms"), vector.wholes("ratio")
    if len(ratio) != len(arms):
        raise VectorsError(f"Vector {vector.id}: ratio must have one number for each arm.")
    settings = {name: vector.value(name) for name in LIST_METHODS[method].keys}
    stream = vector.stream(vector.text("purpose"), vector.text("key"))
    n_rows = vector.whole("requested", most=MAX_ROWS)
    rows = make_list(method, stream, n_rows, ratio=tuple(ratio), settings=settings)
    codes = [arms[row.arm] for row in rows]
    blocks = {row.block: row.block_size for row in rows if row.block is not None}
    as_list = isinstance(vector.fields.get("allocations"), list)
    return {
        "length": len(rows),
        "allocations": codes if as_list else "".join(codes),
        "blocks": list(blocks.values()),
        "words_used": stream.words_used,
    }


def _mask(vector: Vector) -> dict[str, object]:
    arms = tuple(vector.texts("arms"))
    return {
        "labels": mask_labels(
            vector.hex("seed"),
            scheme=vector.text("scheme"),
            revision=vector.revision,
            dataset=vector.text("dataset"),
            arms=arms,
        )
    }


def _batch(vector: Vector) -> dict[str, object]:
    return {
        "order": batch_order(
            vector.hex("seed"),
            scheme=vector.text("scheme"),
            revision=vector.revision,
            batch=vector.text("batch"),
            units=vector.texts("units"),
        )
    }


def _fingerprint(vector: Vector) -> dict[str, object]:
    codes = vector.texts("rows")
    return {
        "fingerprint": fingerprint(
            vector.hex("seed"),
            scheme=vector.text("scheme"),
            revision=vector.revision,
            key=vector.text("key"),
            codes=codes,
        )
    }


COMPUTED: dict[str, Callable[[Vector], dict[str, object]]] = {
    "seed": _seed,
    "stream": _stream,
    "below": _below,
    "shuffle": _shuffle,
    "list": _list,
    "mask": _mask,
    "batch": _batch,
    "fingerprint": _fingerprint,
    "minimisation": trace,
    "replay": trace,
}
