"""Big stick (randomisation.md 4.3, 13.3)."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from randomisation.engine.lists import make_list
from randomisation.engine.source import Stream
from randomisation.errors import ParametersRefused

seeds = st.binary(min_size=32, max_size=32)
ratios = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple)


def rows(seed, n_rows, *, ratio=(1, 1), mti=3):
    stream = Stream(seed, scheme="main", revision=1, purpose="list", key="all")
    return [row.arm for row in make_list("big_stick", stream, n_rows, ratio=ratio, settings={"mti": mti})]


def second_implementation(seed, n_rows, ratio, mti):
    """4.3 word for word, the difference worked out anew for each pseudo-arm."""
    stream = Stream(seed, scheme="main", revision=1, purpose="list", key="all")
    arms = [arm for arm, share in enumerate(ratio) for _ in range(share)]
    counts = [0] * len(arms)
    given_out = []
    for _ in range(n_rows):
        allowed = []
        for q in range(len(arms)):
            after = [count + (other == q) for other, count in enumerate(counts)]
            if max(after) - min(after) <= mti:
                allowed.append(q)
        q = allowed[stream.below(len(allowed))]
        counts[q] += 1
        assert max(counts) - min(counts) <= mti
        given_out.append(arms[q])
    return given_out


@given(seeds, st.sampled_from([(1, 1), (2, 1), (3, 2), (1, 1, 1), (3, 2, 1)]), st.integers(1, 10))
@settings(max_examples=40)
def test_a_second_program_gives_the_same_list_within_the_limit(seed, ratio, mti):
    assert rows(seed, 60, ratio=ratio, mti=mti) == second_implementation(seed, 60, ratio, mti)


@given(seeds, ratios, st.integers(1, 10))
@settings(max_examples=40)
def test_no_prefix_strays_further_from_the_ratio_than_the_limit_allows(seed, ratio, mti):
    counts = Counter()

    for arm in rows(seed, 60, ratio=ratio, mti=mti):
        counts[arm] += 1
        # Means of an arm's pseudo-arm counts lie between the smallest and the largest count.
        means = [Fraction(counts[arm], share) for arm, share in enumerate(ratio)]
        assert max(means) - min(means) <= mti


@given(seeds, st.sampled_from([(1, 1), (2, 1), (1, 1, 1), (3, 2)]))
@settings(max_examples=40)
def test_a_limit_of_one_makes_complete_blocks(seed, ratio):
    found = rows(seed, 10 * sum(ratio), ratio=ratio, mti=1)

    for start in range(0, len(found), sum(ratio)):
        counts = Counter(found[start : start + sum(ratio)])
        assert tuple(counts[arm] for arm in range(len(ratio))) == ratio


@given(seeds)
@settings(max_examples=30)
def test_at_the_limit_the_draw_is_forced(seed):
    found = rows(seed, 80, mti=2)

    difference = 0
    for arm in found:
        if abs(difference) == 2:
            assert arm == (0 if difference < 0 else 1)
        difference += 1 if arm == 0 else -1


@pytest.mark.parametrize("n_row", [0, 1, 2, 7])
def test_every_row_has_the_share_of_its_arm(n_row):
    counts = Counter(rows(n.to_bytes(32, "big"), n_row + 1, ratio=(2, 1), mti=2)[n_row] for n in range(4000))

    assert abs(counts[0] - 4000 * 2 / 3) < 4 * (4000 * 2 / 9) ** 0.5


@pytest.mark.parametrize("mti", [0, 11, "3", True, 2.0, None])
def test_a_limit_outside_its_rule_is_refused(mti):
    with pytest.raises(ParametersRefused, match="1 to 10"):
        rows(bytes(32), 4, mti=mti)
