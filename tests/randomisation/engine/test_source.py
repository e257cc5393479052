import hashlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from randomisation.engine.source import (
    Stream,
    check_label_code,
    check_scheme_code,
    commitment,
    derive_seed,
    stream_key,
    stream_label,
)
from randomisation.errors import ParametersRefused

SEED = bytes(range(32))


def check_stream(key):
    return Stream(SEED, scheme="main", revision=1, purpose="check", key=key)


def chi_square(counts, expected):
    return sum(Fraction((count - expected) ** 2, expected) for count in counts)


# --- randomisation.md 13.4 -----------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "critical"), [(2, 11), (3, 14), (6, 21), (10, 28)])
def test_below_reaches_every_value_equally_often(n, critical):
    # `critical`: chi-square with n - 1 degrees of freedom at p = 0.001, rounded up.
    stream = check_stream(f"uniform-{n}")
    counts = [0] * n

    for _ in range(1000 * n):
        counts[stream.below(n)] += 1

    assert min(counts) > 0
    assert chi_square(counts, 1000) < critical


def test_below_one_consumes_nothing():
    stream = check_stream("one")

    values = [stream.below(1) for _ in range(5)]

    assert values == [0] * 5
    assert stream.words_used == 0


def test_below_consumes_rejected_words_too():
    stream = check_stream("reject-half")

    for _ in range(100):
        stream.below(2**31 + 1)

    assert 150 < stream.words_used < 260


@pytest.mark.parametrize("n", [0, -1, 2**32 + 1])
def test_below_refuses_a_range_it_cannot_draw_from(n):
    with pytest.raises(ValueError, match="1 to 2"):
        check_stream("range").below(n)


@given(st.lists(st.integers(), max_size=40), st.text("abc", max_size=5))
def test_shuffle_keeps_every_item(items, key):
    shuffled = list(items)

    check_stream(key).shuffle(shuffled)

    assert sorted(shuffled) == sorted(items)


def test_weighted_consumes_a_word_for_a_single_weight_above_one_and_none_for_one():
    stream = check_stream("weighted")

    stream.weighted((1,))
    after_one = stream.words_used
    stream.weighted((2,))

    assert after_one == 0
    assert stream.words_used == 1


def test_weighted_never_draws_a_weight_of_zero():
    stream = check_stream("zero")

    drawn = {stream.weighted((0, 3, 0, 1)) for _ in range(200)}

    assert drawn == {1, 3}


def test_weighted_refuses_weights_that_are_all_zero():
    with pytest.raises(ValueError, match="1 to 2"):
        check_stream("none").weighted((0, 0))


# --- names and secrets ---------------------------------------------------------------------------------


def test_streams_that_differ_in_one_part_of_their_name_differ():
    names = [("main", 1, "list", "all"), ("sub", 1, "list", "all"), ("main", 2, "list", "all")]
    names += [("main", 1, "backup", "all"), ("main", 1, "list", "site=01")]

    words = {Stream(SEED, scheme=s, revision=r, purpose=p, key=k).word() for s, r, p, k in names}

    assert len(words) == len(names)


def test_objects_with_secrets_have_a_constant_repr():
    assert repr(check_stream("a")) == repr(check_stream("b")) == "<Stream>"


@pytest.mark.parametrize(
    ("part", "value"),
    [("scheme", "Main"), ("revision", 0), ("purpose", "a|b"), ("key", "a|b"), ("key", "Tŷ")],
)
def test_stream_label_refuses_a_name_the_method_does_not_allow(part, value):
    names = {"scheme": "main", "revision": 1, "purpose": "list", "key": "all", part: value}

    with pytest.raises(ParametersRefused):
        stream_label(**names)


def test_stream_key_refuses_a_seed_of_another_length():
    with pytest.raises(ParametersRefused, match="seed: must be 32 bytes"):
        stream_key(b"short", "label")


@pytest.mark.parametrize("code", ["", "a" * 33, "Main", "main_1", "a b"])
def test_scheme_codes_are_short_and_plain(code):
    with pytest.raises(ParametersRefused, match="1 to 32 lower-case"):
        check_scheme_code(code)


@pytest.mark.parametrize("code", ["", "a" * 65, " a", "a ", "a|b", "a\x00", "ŷ", "a\n"])
def test_unit_batch_and_dataset_codes_are_printable_ascii(code):
    with pytest.raises(ParametersRefused, match="printable ASCII"):
        check_label_code("unit", code)


def test_label_codes_may_hold_spaces_inside_and_64_characters():
    check_label_code("unit", "GRX 01~" + "x" * 57)


# --- seed and commitment -------------------------------------------------------------------------------


def test_the_empty_contribution_is_applied_too():
    secret = bytes(32)

    seed = derive_seed(secret, "")

    assert seed != secret
    assert seed != derive_seed(secret, " ")


def test_the_contribution_is_used_byte_for_byte():
    composed, decomposed = "caf\u00e9", "cafe\u0301"

    assert derive_seed(SEED, composed) != derive_seed(SEED, decomposed)


@pytest.mark.parametrize("contribution", ["x" * 513, "\u00e9" * 257, "\ud800"])
def test_a_contribution_is_at_most_512_bytes_of_utf8(contribution):
    with pytest.raises(ParametersRefused, match="contribution"):
        derive_seed(SEED, contribution)


def test_a_contribution_of_exactly_512_bytes_is_accepted():
    assert len(derive_seed(SEED, "\u00e9" * 256)) == 32


def test_derive_seed_refuses_a_secret_of_another_length():
    with pytest.raises(ParametersRefused, match="secret: must be 32 bytes"):
        derive_seed(b"short", "")


def test_commitment_covers_secret_and_parameters():
    expected = hashlib.sha256(b"trial-randomisation/1|commit|" + SEED + hashlib.sha256(b"{}").digest()).hexdigest()

    assert commitment(SEED, b"{}") == expected
    assert commitment(SEED, b"[]") != expected
    assert commitment(bytes(32), b"{}") != expected


@given(st.integers(0, 40), st.integers(1, 20))
def test_a_stream_begins_at_any_word(start, n_words):
    name = {"scheme": "main", "revision": 1, "purpose": "list", "key": "all"}
    whole = Stream(bytes(32), **name)
    words = [whole.word() for _ in range(start + n_words)]

    later = Stream(bytes(32), **name, start=start)

    assert later.words_used == start
    assert [later.word() for _ in range(n_words)] == words[start:]
    assert later.words_used == start + n_words
