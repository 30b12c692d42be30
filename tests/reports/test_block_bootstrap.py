from collections import Counter
from itertools import pairwise
from random import Random
from statistics import NormalDist, mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.reports.statistics.block_bootstrap import (
    block_numbers,
    blocks_of,
    chosen_blocks,
    drawn_shares,
    draws,
    expansion,
    grouped,
    interval_of,
)

SECONDS = st.lists(st.dictionaries(st.integers(0, 20), st.integers(1, 50), max_size=6).map(Counter), min_size=2)


@given(st.integers(2, 5000), st.integers(1, 300))
def test_groups_cover_every_second_once(count, blocks):
    found = grouped(count, min(count, blocks))
    assert found[0][0] == 0
    assert found[-1][1] == count
    assert all(one[1] == two[0] and one[0] < one[1] for one, two in pairwise(found))


@given(st.integers(8, 100_000))
def test_numbers_of_blocks_fall_and_are_never_many(count):
    numbers = list(block_numbers(count))
    assert numbers == sorted(numbers, reverse=True)
    assert 8 <= numbers[-1] <= numbers[0] <= 240


@given(SECONDS, st.integers(0, 3))
def test_drawing_every_block_once_changes_nothing(seconds, times):
    blocks = blocks_of(seconds, len(seconds))
    if not sum(blocks.totals):
        return
    once = tuple(range(len(blocks)))
    for row in drawn_shares(blocks, (0.5, 0.95), iter([once] * times)):
        assert row == pytest.approx([0.5, 0.95])


@given(SECONDS)
def test_drawn_shares_are_shares_and_keep_their_order(seconds):
    blocks = blocks_of(seconds, len(seconds))
    if not sum(blocks.totals):
        return
    for low, high in drawn_shares(blocks, (0.5, 0.95), draws(len(blocks), 1, 20)):
        assert 0 <= low <= high <= 1


def test_one_block_is_nothing_to_draw_from():
    with pytest.raises(ValueError, match="fewer than two"):
        drawn_shares(blocks_of([Counter({1: 2})], 1), (0.5,), draws(1, 1, 1))


def test_draws_of_independent_exchanges_vary_as_the_binomial_distribution_does():
    rng = Random(3)
    seconds = [Counter(rng.randrange(100) for _ in range(100)) for _ in range(100)]
    shares = [row[0] for row in drawn_shares(blocks_of(seconds, 100), (0.5,), draws(100, 1, 2000))]
    assert mean(shares) == pytest.approx(0.5, abs=0.002)
    assert stdev(shares) == pytest.approx((0.5 * 0.5 / 10_000) ** 0.5, rel=0.25)


def test_slow_spells_make_the_interval_wider_than_independent_exchanges_would():
    # The same values: spread evenly over all seconds, and gathered in eight of eighty.
    spread = [Counter({1: 90, 9: 10}) for _ in range(80)]
    gathered = [Counter({9: 100}) if 20 <= place < 28 else Counter({1: 100}) for place in range(80)]
    widths = []
    for seconds in (spread, gathered):
        blocks = chosen_blocks(seconds, (0.9,))
        widths.append(stdev(row[0] for row in drawn_shares(blocks, (0.9,), draws(len(blocks), 1, 500))))
    assert widths[0] < 0.001
    assert widths[1] > 0.03
    assert len(chosen_blocks(gathered, (0.9,))) < 80


def test_the_same_counts_give_the_same_draws():
    seconds = [Counter({number % 7: 5}) for number in range(20)]
    one, two = (blocks_of([*seconds], 20) for _ in range(2))
    assert one.fingerprint == two.fingerprint
    assert list(draws(20, one.fingerprint, 5)) == list(draws(20, two.fingerprint, 5))


def test_the_expansion_is_students():
    # Student's t for 10 - 1 degrees of freedom is 3.250 at 99 %.
    z = NormalDist().inv_cdf(0.995)
    assert expansion(10, 0.99) * z / (10 / 9) ** 0.5 == pytest.approx(3.250, abs=0.01)
    assert expansion(10_000, 0.99) == pytest.approx(1.0, abs=0.001)


@given(st.lists(st.floats(-1, 1), min_size=10, max_size=50), st.floats(-1, 1))
def test_an_interval_holds_the_estimate_and_turns_with_its_values(values, estimate):
    low, high = interval_of(values, estimate, 20, 0.95)
    assert low <= estimate <= high
    turned = interval_of([-value for value in values], -estimate, 20, 0.95)
    assert turned == pytest.approx((-high, -low))
