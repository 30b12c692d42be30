import random

import pytest

from gatecrash.reports.recording.latency import LatencyHistogram
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.distortion import distortions
from gatecrash.reports.run.lateness import judge_lag, judge_waiting

RANDOM = random.Random(7)


def histogram_of(seconds):
    histogram = LatencyHistogram()
    for value in seconds:
        histogram.record(value)
    return histogram


def latencies_of(seconds):
    return dict.fromkeys(LatencyKind, histogram_of(seconds))


TRUE = [RANDOM.lognormvariate(-4.8, 0.5) for _ in range(40_000)]


@pytest.mark.parametrize("mean", [0.0005, 0.002])
def test_the_distortion_is_about_how_far_the_lag_moved_the_true_percentiles(mean):
    lags = [RANDOM.expovariate(1 / mean) for _ in TRUE]
    true, measured = histogram_of(TRUE), histogram_of(a + b for a, b in zip(TRUE, lags, strict=True))
    for one in distortions(measured, [histogram_of(lags)], (50.0, 99.0)):
        moved = measured.percentile(one.percent) - true.percentile(one.percent)
        assert one.measured == pytest.approx(measured.percentile(one.percent), rel=0.002)
        assert one.raised == pytest.approx(moved, rel=0.35, abs=0.02 * one.measured)


def test_a_lag_that_is_met_twice_moves_them_about_twice_as_far():
    lag = histogram_of(RANDOM.expovariate(2000) for _ in range(5000))
    ((once,), (twice,)) = (distortions(histogram_of(TRUE), [lag] * times, (50.0,)) for times in (1, 2))
    assert twice.raised == pytest.approx(2 * once.raised, rel=0.1)


def test_nothing_is_distorted_by_nothing():
    nothing = LatencyHistogram()
    assert distortions(nothing, [histogram_of([0.1])], (50.0,)) == []
    assert distortions(histogram_of([0.1]), [nothing], (50.0,)) == []


@pytest.mark.parametrize(("service", "is_told"), [(0.001, True), (0.1, False)])
def test_a_lag_matters_where_latencies_are_short(service, is_told):
    lag = histogram_of([0.00002] * 950 + [0.002] * 50)
    invalid, degraded = judge_lag(lag, latencies_of([service] * 2000))
    assert (invalid, bool(degraded)) == ([], is_told)
    if is_told:
        assert "in 1 % of the time by 2 ms or more" in degraded[0]
        assert "of p99 of the service time (1 ms)" in degraded[0]


def test_where_the_kernel_timed_answers_only_requests_are_late():
    lag = histogram_of([0.00002] * 950 + [0.002] * 50)
    invalid, degraded = judge_lag(lag, latencies_of([0.001] * 2000), is_timed_by_kernel=True)
    assert invalid == []
    assert len(degraded) == 1
    assert "of p99 of the response time (1 ms)" in degraded[0]
    assert "service time" not in degraded[0]


def test_a_lag_while_nothing_was_due_makes_no_request_late():
    lag = histogram_of([0.00002] * 950 + [0.002] * 50)
    left_in_time = histogram_of([0.00003] * 2000)
    measured = {"latencies": latencies_of([0.001] * 2000), "delays": left_in_time}
    assert judge_lag(lag, **measured, is_timed_by_kernel=True) == ([], [])
    # Answers may have lain there unseen all the same.
    _, (sentence,) = judge_lag(lag, **measured)
    assert "of p99 of the service time (1 ms)" in sentence


def test_requests_that_waited_for_a_slot_are_not_put_down_to_the_lag():
    lag = histogram_of([0.00002] * 2000)
    waited = histogram_of([0.00002] * 1000 + [0.05] * 1000)
    measured = {"latencies": latencies_of([0.06] * 2000), "delays": waited}
    assert judge_lag(lag, **measured, is_timed_by_kernel=True) == ([], [])


def test_where_nobody_looked_at_the_lag_late_requests_are_not_put_down_to_it():
    delays = histogram_of([0.05] * 2000)
    for is_timed_by_kernel in (True, False):
        measured = {"latencies": latencies_of([0.06] * 2000), "delays": delays}
        assert judge_lag(LatencyHistogram(), **measured, is_timed_by_kernel=is_timed_by_kernel) == ([], [])


def test_requests_that_left_late_by_a_lag_are_told():
    late = histogram_of([0.00002] * 950 + [0.002] * 50)
    _, (sentence,) = judge_lag(late, latencies_of([0.003] * 2000), delays=late, is_timed_by_kernel=True)
    assert "in 1 % of the time by 2 ms or more" in sentence


def test_what_matters_to_nobody_is_not_told():
    lag = histogram_of([0.0003] * 2000)
    assert judge_lag(lag, latencies_of([0.001] * 2000), is_timed_by_kernel=True) == ([], [])


def test_percentiles_without_samples_enough_are_not_judged():
    lag = histogram_of([0.00002] * 950 + [0.002] * 50)
    assert judge_lag(lag, latencies_of([0.001] * 900)) == ([], [])


def test_a_median_that_is_mostly_the_generators_own_is_invalid():
    invalid, degraded = judge_lag(histogram_of([0.03] * 100), latencies_of([0.035] * 100))
    assert degraded == []
    assert "of p50 of the service time (35 ms)" in invalid[0]


def test_a_generator_that_stands_still_for_long_is_told_whatever_the_latency_is():
    invalid, degraded = judge_lag(histogram_of([0.0001] * 95 + [0.5] * 5), {})
    assert invalid == []
    assert "in 1 % of the time by 500 ms or more" in degraded[0]


def test_arrivals_that_found_no_free_slot_are_told_with_what_to_do():
    lag, latencies = histogram_of([0.0001] * 100), latencies_of([0.01] * 100)
    waited = histogram_of([0.0001] * 90 + [0.2] * 10)
    (sentence,) = judge_waiting(waited, lag, latencies)
    assert sentence.startswith("10.0% of the arrivals found no free slot")
    assert sentence.endswith("raise --users")
    assert judge_waiting(histogram_of([0.0001] * 1000 + [0.2] * 9), lag, latencies) == []


def test_arrivals_that_the_generators_lag_held_up_did_not_wait_for_a_slot():
    delays = histogram_of([0.0001] * 80 + [0.05] * 20)
    assert judge_waiting(delays, delays, latencies_of([0.01] * 100)) == []
    assert judge_waiting(LatencyHistogram(), LatencyHistogram(), {}) == []
