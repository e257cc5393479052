import pytest

from randomisation.engine.labels import batch_order, fingerprint, mask_labels
from randomisation.errors import ParametersRefused

SEED = bytes(range(32))
NAME = {"scheme": "main", "revision": 1}


def test_mask_labels_give_each_arm_a_letter_of_its_own():
    labels = mask_labels(SEED, **NAME, dataset="open", arms=tuple("abcdefghij"))

    assert sorted(labels.values()) == list("ABCDEFGHIJ")


def test_mask_labels_differ_between_data_sets():
    labels = {tuple(mask_labels(SEED, **NAME, dataset=f"cut {n}", arms=("x", "y", "z")).values()) for n in range(60)}

    assert len(labels) == 6


def test_mask_labels_refuse_more_arms_than_a_scheme_has():
    with pytest.raises(ParametersRefused, match="arms"):
        mask_labels(SEED, **NAME, dataset="open", arms=tuple("abcdefghijk"))


def test_batch_order_does_not_depend_on_the_order_units_were_named_in():
    forwards = batch_order(SEED, **NAME, batch="b1", units=["u1", "u2", "u3", "U4"])
    backwards = batch_order(SEED, **NAME, batch="b1", units=["U4", "u3", "u2", "u1"])

    assert forwards == backwards


def test_batch_order_refuses_a_unit_named_twice():
    with pytest.raises(ParametersRefused, match="once"):
        batch_order(SEED, **NAME, batch="b1", units=["u1", "u1"])


def test_fingerprints_depend_on_seed_key_and_every_row():
    prints = {
        fingerprint(SEED, **NAME, key="all", codes=["a", "b"]),
        fingerprint(SEED, **NAME, key="all", codes=["b", "a"]),
        fingerprint(SEED, **NAME, key="backup:all", codes=["a", "b"]),
        fingerprint(bytes(32), **NAME, key="all", codes=["a", "b"]),
    }

    assert len(prints) == 4


def test_fingerprint_refuses_what_is_no_arm_code():
    with pytest.raises(ParametersRefused, match="arm codes"):
        fingerprint(SEED, **NAME, key="all", codes=["ŷ"])
