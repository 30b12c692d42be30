import gc
import math
import random
import weakref
from collections import Counter

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.latency import PERCENTILES, LatencyBook, LatencyHistogram, cut_nanoseconds
from gatecrash.reports.recording.records import LatencyKind

SECONDS = st.floats(min_value=1e-6, max_value=3000.0, allow_nan=False)


def histogram_of(values):
    histogram = LatencyHistogram()
    for value in values:
        histogram.record(value)
    return histogram


@pytest.fixture(scope="module")
def million():
    rng = random.Random(42)
    return [rng.lognormvariate(-4.0, 0.8) for _ in range(1_000_000)]


@pytest.fixture(scope="module")
def parts(million):
    return [histogram_of(million[start::4]) for start in range(4)]


def merged(histograms):
    whole = LatencyHistogram()
    for histogram in histograms:
        whole.add(histogram)
    return whole


def test_percentiles_of_a_million_values_are_within_a_tenth_of_a_per_cent(million, parts):
    whole = merged(parts)
    ordered = sorted(million)
    assert whole.count == len(ordered)
    for percent in PERCENTILES:
        exact = ordered[math.ceil(len(ordered) * percent / 100.0) - 1] * 1000.0
        assert whole.percentile(percent) == pytest.approx(exact, rel=0.001)
    assert whole.maximum == pytest.approx(ordered[-1] * 1000.0, rel=0.001)
    assert whole.mean == pytest.approx(sum(ordered) / len(ordered) * 1000.0, rel=0.001)


def test_four_parts_merged_equal_one_recording(million, parts):
    assert merged(parts).encode() == histogram_of(million).encode()


@settings(max_examples=25, deadline=None)
@given(st.lists(SECONDS, max_size=50), st.integers(0, 50))
def test_any_split_merges_to_the_whole_and_survives_encoding(values, cut):
    whole = histogram_of(values)
    sent = [LatencyHistogram(histogram_of(part).encode()) for part in (values[:cut], values[cut:])]
    joined = merged(sent)
    assert joined.encode() == whole.encode()
    assert [joined.percentile(percent) for percent in PERCENTILES] == [
        whole.percentile(percent) for percent in PERCENTILES
    ]


@pytest.mark.parametrize(("seconds", "milliseconds"), [(-1.0, 16e-6), (0.0, 16e-6), (1e9, 3600e3)])
def test_values_out_of_range_are_clamped_not_lost(seconds, milliseconds):
    histogram = histogram_of([seconds])
    assert histogram.count == 1
    # Below 16 microseconds the histogram is as coarse as 16 nanoseconds.
    assert histogram.maximum == pytest.approx(milliseconds, rel=0.001, abs=16e-6)


def test_an_empty_histogram_reads_as_zero():
    empty = LatencyHistogram()
    assert (empty.count, empty.mean, empty.maximum, empty.percentile(99), empty.curve()) == (0, 0.0, 0.0, 0.0, [])


@settings(max_examples=25, deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=50))
def test_the_curve_rises_to_the_maximum(values):
    histogram = histogram_of(values)
    curve = histogram.curve()
    assert curve == sorted(curve)
    assert curve[-1] == (100.0, histogram.maximum)


def test_a_book_keeps_outcomes_and_kinds_apart_and_totals_them():
    book, other = LatencyBook(), LatencyBook()
    book.record(Outcome.ALLOW, 0.010, 0.500)
    other.record(Outcome.DENY, 0.020, 0.600)
    book.add(other)
    book = LatencyBook.from_json(book.to_json())
    assert [(outcome, kind, histogram.count) for outcome, kind, histogram in book] == [
        (Outcome.ALLOW, LatencyKind.RESPONSE_TIME, 1),
        (Outcome.ALLOW, LatencyKind.SERVICE_TIME, 1),
        (Outcome.DENY, LatencyKind.RESPONSE_TIME, 1),
        (Outcome.DENY, LatencyKind.SERVICE_TIME, 1),
    ]
    assert book.total(LatencyKind.SERVICE_TIME).maximum == pytest.approx(20.0, rel=0.001)
    assert book.total(LatencyKind.RESPONSE_TIME).maximum == pytest.approx(600.0, rel=0.001)
    assert book.total(LatencyKind.SERVICE_TIME, [Outcome.ALLOW]).count == 1


def test_anything_but_an_encoded_histogram_is_a_value_error():
    good = histogram_of([0.01]).encode()
    for damaged in (b"", b"AAAA", b"*", good[:-8], b"5" + good[1:]):
        with pytest.raises(ValueError, match=r"."):
            LatencyHistogram(damaged)


def test_a_histogram_goes_when_nobody_holds_it():
    gc.disable()
    try:
        histogram = LatencyHistogram()
        histogram.record(0.01)
        made = weakref.ref(histogram._histogram)
        again = LatencyHistogram(histogram.encode())
        decoded = weakref.ref(again._histogram)
        assert again.count == 1
        del histogram, again
        assert made() is None
        assert decoded() is None
    finally:
        gc.enable()


@settings(max_examples=10)
@given(st.lists(st.floats(1e-6, 100.0), min_size=1, max_size=200))
def test_the_mean_is_the_librarys(values):
    histogram = LatencyHistogram()
    for value in values:
        histogram.record(value)
    assert histogram.mean == pytest.approx(histogram._histogram.get_mean_value() / 1e6)


@given(st.lists(st.dictionaries(st.integers(0, 2**46), st.integers(1, 10**6), max_size=30), max_size=4))
@example([{240: 1}])
def test_what_is_added_in_batches_is_what_the_library_would_have_recorded(batches):
    mine, theirs = LatencyHistogram(), HdrHistogram(16, 3600 * 10**9, 3)
    for batch in batches:
        cut = Counter[int]()
        for value, count in batch.items():
            cut[cut_nanoseconds(value / 1e9)] += count
        mine.add_cut(cut)
        mine.settle()
        for value, count in batch.items():
            # Seconds in floating point are a nanosecond off at times.
            nanoseconds = int(value / 1e9 * 1e9)
            theirs.record_value(min(max(nanoseconds, 16), 3600 * 10**9), count)
    assert LatencyHistogram(mine.encode()).encode() == mine.encode()
    assert mine.encode() == theirs.encode()
    assert mine.count == theirs.total_count
    assert mine.maximum == (theirs.get_max_value() / 1e6 if mine.count else 0)
