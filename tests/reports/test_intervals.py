import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.reports.statistics.intervals import percentile_ranks, samples_needed, share_interval

SHARES = st.integers(1, 10_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_known_values_of_the_wilson_score_interval(count, total, low, high):
    assert share_interval(count, total) == pytest.approx((low, high), abs=5e-5)


@given(SHARES)
def test_it_holds_the_share_and_stays_within_nothing_and_all(counts):
    count, total = counts
    low, high = share_interval(count, total)
    assert 0.0 <= low <= count / total <= high <= 1.0
    assert (low == 0.0) == (count == 0)
    assert (high == 1.0) == (count == total)


@given(SHARES, st.integers(2, 50))
def test_it_gets_narrower_with_more_samples_of_the_same_share(counts, times):
    low, high = share_interval(*counts)
    narrower_low, narrower_high = share_interval(counts[0] * times, counts[1] * times)
    assert narrower_high - narrower_low < high - low


@given(SHARES)
def test_it_is_the_same_from_either_side(counts):
    count, total = counts
    low, high = share_interval(count, total)
    assert share_interval(total - count, total) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(SHARES)
def test_it_gets_wider_with_more_confidence(counts):
    low, high = share_interval(*counts, confidence=0.9)
    wider_low, wider_high = share_interval(*counts, confidence=0.99)
    assert wider_low <= low
    assert high <= wider_high


def test_nothing_is_known_without_a_sample():
    assert share_interval(0, 0) == (0.0, 1.0)


def test_ten_samples_must_lie_above_a_percentile():
    assert [samples_needed(percent) for percent in (50.0, 95.0, 99.0, 99.9)] == [20, 200, 1000, 10_000]


@pytest.mark.parametrize(
    ("count", "percent", "ranks"),
    [
        # David and Nagaraja's own kind of example: the median of ten lies between the second and the ninth value.
        (10, 50.0, (2, 9)),
        (1, 50.0, (None, None)),
        (100, 99.0, (97, None)),
        (3687, 99.9, (3679, None)),
        (10_000, 99.9, (9983, 9997)),
    ],
)
def test_the_interval_of_a_percentile_is_between_two_ranks(count, percent, ranks):
    assert percentile_ranks(count, percent) == ranks


@given(st.integers(6, 400), st.sampled_from([50.0, 90.0, 95.0, 99.0]))
def test_the_interval_covers_the_percentile_nineteen_times_in_twenty_and_no_narrower_one_does(count, percent):
    def chance(below):
        share = percent / 100
        return math.comb(count, below) * share**below * (1 - share) ** (count - below)

    low, high = percentile_ranks(count, percent)
    beneath = sum(map(chance, range(low or 0)))
    above = sum(map(chance, range(high, count + 1))) if high is not None else 0.0
    assert beneath <= 0.025 + 1e-9
    assert above <= 0.025 + 1e-9
    if low is not None:
        assert beneath + chance(low) > 0.025 - 1e-9


def test_a_large_sample_has_the_interval_of_the_normal_distribution():
    low, high = percentile_ranks(1_000_000, 50.0)
    assert (low, high) == (499_020, 500_981)
