"""Masked arm labels, order inside a batch, keyed list fingerprint (randomisation.md 5, 6.4, 6.5)."""

import hmac

from randomisation.engine.source import Stream, check_label_code, stream_key, stream_label
from randomisation.errors import ParametersRefused

_LETTERS = "ABCDEFGHIJ"


def mask_labels(seed: bytes, *, scheme: str, revision: int, dataset: str, arms: tuple[str, ...]) -> dict[str, str]:
    """The letter under which each arm appears in the data set called `dataset` (6.5)."""
    check_label_code("dataset", dataset)
    if len(arms) > len(_LETTERS):
        raise ParametersRefused("arms", "must number 2 to 10")
    stream = Stream(seed, scheme=scheme, revision=revision, purpose="mask", key=dataset)
    order = list(range(len(arms)))
    stream.shuffle(order)
    return {arm: _LETTERS[place] for arm, place in zip(arms, order, strict=True)}


def batch_order(seed: bytes, *, scheme: str, revision: int, batch: str, units: list[str]) -> list[str]:
    """The order in which the units of one batch are allocated (section 5)."""
    check_label_code("batch", batch)
    for unit in units:
        check_label_code("units", unit)
    if len(set(units)) != len(units):
        raise ParametersRefused("units", "must each appear once")
    order = sorted(units)
    Stream(seed, scheme=scheme, revision=revision, purpose="batch", key=batch).shuffle(order)
    return order


def fingerprint(seed: bytes, *, scheme: str, revision: int, key: str, codes: list[str]) -> str:
    """A digest of a list's arm codes keyed by the seed, so that it may be shown (6.4), in hexadecimal."""
    if not "".join(codes).isascii():
        raise ParametersRefused("rows", "must hold arm codes")
    label = stream_label(scheme=scheme, revision=revision, purpose="fingerprint", key=key)
    return hmac.digest(stream_key(seed, label), ",".join(codes).encode("ascii"), "sha256").hex()


def prefix_fingerprints(seed: bytes, *, scheme: str, revision: int, key: str, codes: list[str]) -> list[str]:
    """The fingerprint of the first row, of the first two, and so on: what earlier, shorter lists had."""
    label = stream_label(scheme=scheme, revision=revision, purpose="fingerprint", key=key)
    running = hmac.new(stream_key(seed, label), digestmod="sha256")
    found = []
    for place, code in enumerate(codes):
        running.update((f",{code}" if place else code).encode("ascii"))
        found.append(running.hexdigest())
    return found
