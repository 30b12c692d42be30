import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.intervals import share_interval

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
