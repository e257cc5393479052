"""Properties of every list method (randomisation.md 13.1, 13.2, 13.5)."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from randomisation.engine.lists import BACKUP, LIST, block_at, blocks_for, make_list, rows_for
from randomisation.engine.methods import Start
from randomisation.engine.parameters import read_parameters
from randomisation.engine.source import Stream
from randomisation.errors import ParametersRefused
from randomisation.schemes import LIST_METHODS

seeds = st.binary(min_size=32, max_size=32)


@st.composite
def designs(draw):
    """A ratio in lowest terms or not, and block sizes that suit it."""
    ratio = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    multiples = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    return ratio, [sum(ratio) * multiple for multiple in multiples]


def a_list(method, seed, n_rows, ratio=(1, 1), sizes=(4, 6), key="all"):
    stream = Stream(seed, scheme="main", revision=1, purpose="list", key=key)
    return make_list(method, stream, n_rows, ratio=tuple(ratio), settings={"block_sizes": list(sizes), "mti": 3})


@given(seeds, designs(), st.integers(0, 80))
def test_every_complete_block_keeps_the_ratio(seed, design, n_rows):
    ratio, sizes = design
    rows = a_list("permuted_blocks", seed, n_rows, ratio, sizes)

    blocks = {}
    for row in rows:
        blocks.setdefault(row.block, []).append(row)

    assert list(blocks) == list(range(1, len(blocks) + 1))
    for block in blocks.values():
        counts = Counter(row.arm for row in block)
        assert {row.block_size for row in block} == {len(block)}
        assert len(block) in sizes
        assert [counts[arm] * sum(ratio) for arm in range(len(ratio))] == [share * len(block) for share in ratio]


@given(seeds, st.sampled_from([(4,), (4, 6), (2, 8), (6, 10, 12)]))
def test_any_prefix_is_within_half_the_largest_block(seed, sizes):
    difference = 0

    for row in a_list("permuted_blocks", seed, 100, sizes=sizes):
        difference += 1 if row.arm == 0 else -1
        assert abs(difference) <= max(sizes) // 2


@pytest.mark.parametrize("method", LIST_METHODS)
@given(seed=seeds, n_rows=st.integers(0, 60), more=st.integers(0, 60))
@settings(max_examples=40)
def test_a_longer_list_begins_with_the_shorter_one(method, seed, n_rows, more):
    short, long = a_list(method, seed, n_rows), a_list(method, seed, n_rows + more)

    assert n_rows <= len(short) < n_rows + 6
    assert long[: len(short)] == short


@pytest.mark.parametrize("method", LIST_METHODS)
def test_lists_have_whole_blocks_only_and_none_when_none_are_asked_for(method):
    assert a_list(method, bytes(32), 0) == []


def document(levels):
    return {
        "algorithm": "trial-randomisation/1",
        "scheme": "main",
        "revision": 1,
        "arms": ["a", "b"],
        "ratio": [1, 1],
        "method": "permuted_blocks",
        "block_sizes": [4, 6],
        "backup_block_sizes": [2, 4],
        "factors": [{"code": "site", "levels": levels, "weight": 1}],
        "contribution_source": "none",
    }


def test_adding_a_site_changes_no_other_list():
    few, many = read_parameters(document(["01", "02"])), read_parameters(document(["01", "02", "03"]))

    before = rows_for(few, bytes(32), purpose=LIST, key="site=01", n_rows=40)
    after = rows_for(many, bytes(32), purpose=LIST, key="site=01", n_rows=40)

    assert before == after


def test_strata_and_purposes_have_lists_of_their_own():
    parameters = read_parameters(document(["01", "02"]))
    places = [(LIST, "site=01"), (LIST, "site=02"), (BACKUP, "site=01")]

    lists = [rows_for(parameters, bytes(32), purpose=p, key=k, n_rows=40) for p, k in places]

    assert len({tuple(row.arm for row in rows) for rows in lists}) == 3
    assert {row.block_size for row in lists[2]} == {2, 4}


def test_rows_say_nothing_in_their_repr():
    assert {repr(row) for row in a_list("permuted_blocks", bytes(32), 20)} == {"<Row>"}


def test_all_six_orders_of_a_block_of_four_are_equally_frequent():
    # randomisation.md 13.5: 60,000 (stratum, seed) pairs, chi-square with 5 degrees of freedom.
    orders = Counter()

    for n_seed in range(600):
        seed = n_seed.to_bytes(32, "big")
        for n_stratum in range(100):
            rows = a_list("permuted_blocks", seed, 4, sizes=(4,), key=f"stratum={n_stratum}")
            orders[tuple(row.arm for row in rows)] += 1

    assert len(orders) == 6
    assert sum((count - 10_000) ** 2 for count in orders.values()) / 10_000 < 20.5


def test_simple_randomisation_follows_the_ratio():
    counts = Counter(row.arm for row in a_list("simple", bytes(32), 30_000, ratio=(2, 1)))

    assert abs(counts[0] - 20_000) < 330  # four standard errors


@pytest.mark.parametrize("method", ["minimisation", "import"])
def test_a_method_without_a_stream_of_rows_draws_no_lists(method):
    with pytest.raises(ParametersRefused, match="draws no lists"):
        a_list(method, bytes(32), 4)


@pytest.mark.parametrize("method", ["big_stick", "minimisation", "import"])
def test_emergency_lists_are_permuted_blocks_whatever_the_method(method):
    own = {
        "big_stick": {"mti": 3},
        "minimisation": {"imbalance": "range", "p": "4/5", "burn_in": 0, "overall_weight": 1, "unequal": "pseudo_arms"},
        "import": {"file_sha256": "0" * 64},
    }
    blocks = read_parameters(document(["01", "02"]))
    given = {key: value for key, value in document(["01", "02"]).items() if key != "block_sizes"}
    other = read_parameters({**given, "method": method, **own[method]})

    lists = [rows_for(p, bytes(32), purpose=BACKUP, key="site=01", n_rows=20) for p in (blocks, other)]

    assert lists[0] == lists[1]


@given(st.sampled_from(sorted(LIST_METHODS)), seeds, designs(), st.integers(1, 60), st.sampled_from([LIST, BACKUP]))
def test_every_block_is_drawn_again_without_those_before_it(method, seed, design, n_rows, purpose):
    ratio, sizes = design
    own = {"permuted_blocks": {"block_sizes": sizes}, "big_stick": {"mti": 2}, "simple": {}}[method]
    parameters = read_parameters(
        {
            "algorithm": "trial-randomisation/1",
            "scheme": "main",
            "revision": 1,
            "arms": [f"a{number}" for number in range(len(ratio))],
            "ratio": list(ratio),
            "method": method,
            "factors": [],
            "contribution_source": "none",
            "backup_block_sizes": sizes,
            **own,
        }
    )
    blocks = blocks_for(parameters, seed, purpose=purpose, key="all", n_rows=n_rows)

    for block in blocks:
        again = block_at(parameters, seed, purpose=purpose, key="all", start=block.start)
        assert [row.arm for row in again.rows] == [row.arm for row in block.rows]
        assert again.start == block.start
    whole = rows_for(parameters, seed, purpose=purpose, key="all", n_rows=n_rows)
    assert [row for block in blocks for row in block.rows] == whole


def test_blocks_and_their_starts_tell_nothing_in_their_repr():
    (block,) = LIST_METHODS["simple"].blocks(
        Stream(bytes(32), scheme="main", revision=1, purpose="list", key="all"),
        1,
        ratio=(1, 1),
        settings={},
        start=Start(),
    )

    assert (repr(block), repr(block.start)) == ("<Block>", "<Start>")
