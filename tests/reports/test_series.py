import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.series import Series, bucket_of, milliseconds_of
from tests.reports.samples import THROTTLED, allow, deny, exchange

EXCHANGES = st.builds(
    exchange,
    st.sampled_from([allow(), deny(), THROTTLED]),
    start=st.floats(0.0, 5.0),
    service=st.floats(0.0, 2.0),
    wait=st.floats(0.0, 2.0),
    warm_up=st.booleans(),
)


def series_of(exchanges):
    series = Series()
    for one in exchanges:
        series.add_exchange(one)
    return series


def plain(series):
    # Buckets as JSON has them: lists for tuples.
    return json.loads(json.dumps(list(series.rows())))


@given(st.lists(st.tuples(EXCHANGES, st.integers(0, 3)), max_size=30))
def test_merging_any_split_over_workers_equals_recording_in_one(exchanges):
    merged = Series()
    for worker in range(4):
        merged.add(series_of(one for one, owner in exchanges if owner == worker))
    assert list(merged.rows()) == list(series_of(one for one, _ in exchanges).rows())


@given(st.lists(EXCHANGES, max_size=20))
def test_encoding_round_trips(exchanges):
    series = series_of(exchanges)
    assert plain(Series.from_json(plain(series))) == plain(series)


def test_wrong_decisions_that_nobody_counted_are_not_none_at_all():
    series, other = series_of([exchange()]), series_of([exchange()])
    assert Series.from_json(plain(series)).second(0).wrong is None
    series.add(other)
    assert series.second(0).wrong is None
    other.second(0).add_wrong(0)
    series.add(Series.from_json(plain(other)))
    assert series.second(0).wrong == 0


@given(st.floats(1e-6, 3600.0))
def test_a_bucket_is_within_four_and_a_half_per_cent(seconds):
    assert milliseconds_of(bucket_of(seconds)) == pytest.approx(seconds * 1000.0, rel=0.0451)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1e-9])
def test_what_is_too_small_counts_in_the_smallest_bucket(seconds):
    assert bucket_of(seconds) == 0


def test_a_second_is_that_of_the_intended_start():
    series = series_of([exchange(start=1.9, wait=3.0), exchange(deny(), start=1.1)])
    assert [number for number, _ in series] == [1]
    assert series.count(Outcome.ALLOW) == series.count(Outcome.DENY) == 1
    second = series.second(1)
    assert second.percentile(second.response_times, 100) == pytest.approx(3010.0, rel=0.0451)
    assert second.percentile(second.service_times, 100) == pytest.approx(10.0, rel=0.0451)
    assert second.percentile(type(second.service_times)(), 50) is None
