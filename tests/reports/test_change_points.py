from itertools import combinations
from math import comb
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecrash.reports.statistics.change_points import Scale, _doubled_ranks, _subset_sums, _two_sided, change_points

RATIO = Scale(is_ratio=True, least=0.05)
SHARES = Scale(is_ratio=False, least=0.005)


def nights(seed, *levels, noise=0.03):
    rng = Random(seed)
    return [level * rng.lognormvariate(0, noise) for level, count in levels for _ in range(count)]


@given(st.lists(st.integers(0, 6), min_size=2, max_size=9), st.data())
def test_the_test_counts_all_ways_to_choose_a_side(values, data):
    size = data.draw(st.integers(1, len(values) - 1))
    ranks = _doubled_ranks(values)
    total = sum(ranks[:size])
    sums = [sum(chosen) for chosen in combinations(ranks, size)]
    tail = min(sum(one <= total for one in sums), sum(one >= total for one in sums))
    found = _two_sided(_subset_sums(tuple(sorted(ranks)))[size], size, total, len(ranks))
    assert found == pytest.approx(min(1.0, 2 * tail / comb(len(values), size)))


@pytest.mark.parametrize("seed", range(10))
def test_a_step_is_found_at_its_night(seed):
    (found,) = change_points(nights(seed, (20.0, 30), (21.8, 30)), RATIO, 0.001)
    assert abs(found - 30) <= 2


@pytest.mark.parametrize("seed", range(20))
def test_a_level_that_stays_has_no_change(seed):
    assert change_points(nights(seed, (20.0, 60), noise=0.1), RATIO, 0.001) == []


def test_one_night_or_two_far_out_are_no_change():
    values = nights(1, (20.0, 40))
    values[20] = 200.0
    values[39] = values[38] = 60.0
    assert change_points(values, RATIO, 0.001) == []


def test_a_new_level_counts_from_its_fifth_night_on_however_large_it_is():
    values = nights(1, (20.0, 30), (40.0, 5))
    assert change_points(values[:33], RATIO, 0.001) == []
    assert change_points(values, RATIO, 0.001) == [30]


def test_a_change_that_was_undone_leaves_two_change_points():
    assert change_points(nights(3, (20.0, 25), (25.0, 10), (20.0, 25), noise=0.01), RATIO, 0.001) == [25, 35]


def test_a_slow_decline_is_not_hidden_by_the_smallness_of_its_steps():
    rng = Random(5)
    values = [20.0 * 1.004**night * rng.lognormvariate(0, 0.005) for night in range(60)]
    found = change_points(values, RATIO, 0.001)
    assert found
    assert RATIO.shift(values[: found[0]], values[found[-1] :]) > 0.1


def test_what_is_sure_and_too_small_to_matter_is_no_change():
    assert change_points(nights(1, (20.0, 30), (20.4, 30), noise=0.001), RATIO, 0.001) == []
    floored = Scale(is_ratio=True, least=0.05, floor=2.0)
    assert change_points(nights(1, (20.0, 30), (21.5, 30), noise=0.001), floored, 0.001) == []


def test_shares_that_are_mostly_nought_are_compared_by_difference():
    rng = Random(2)
    before = [0.0 if rng.random() < 0.9 else 0.001 for _ in range(30)]
    after = [0.02 + rng.random() / 100 for _ in range(10)]
    assert change_points(before + after, SHARES, 0.001) == [30]
    assert change_points(before, SHARES, 0.001) == []


@settings(max_examples=50)
@given(st.lists(st.floats(1e-3, 1e6), max_size=40))
def test_change_points_are_in_order_and_do_not_depend_on_the_unit(values):
    found = change_points(values, RATIO, 0.01)
    assert found == sorted(set(found))
    assert all(3 <= place <= len(values) - 3 for place in found)
    # By a power of two, so that no rounding makes equals of what differed.
    assert change_points([value * 4.0 for value in values], RATIO, 0.01) == found
