import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecrash.reports.comparison.comparison import ComparisonLimits
from gatecrash.reports.comparison.latency import compare_latencies
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.statistics.directions import Direction
from tests.reports.comparison_samples import recording_of


def changes(earlier, later, limits=None, **options):
    tables = compare_latencies(earlier, later, limits or ComparisonLimits(), LatencyKind.RESPONSE_TIME, **options)
    (judged,) = [table for table in tables if table.judged]
    return {change.name: change for change in judged.changes}


def test_everything_slower_is_worse_by_how_much_it_is():
    found = changes(recording_of(1), recording_of(2, scale=1.2))
    for name in ("p50", "p95"):
        assert found[name].direction is Direction.WORSE
        assert found[name].low < 0.2 < found[name].high
        assert found[name].change == pytest.approx(0.2, abs=0.05)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100), st.floats(0.8, 1.25))
def test_when_both_change_places_so_do_better_and_worse(seed, scale):
    one, two = recording_of(seed), recording_of(seed + 1000, scale=scale)
    forth, back = changes(one, two), changes(two, one)
    for name, change in forth.items():
        assert back[name].direction is change.direction.turned
        assert (1 + change.low) * (1 + back[name].high) == pytest.approx(1)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 100))
def test_a_run_is_the_same_as_itself(seed):
    run = recording_of(seed)
    for change in changes(run, run).values():
        assert (change.change, change.low, change.high) == (0, 0, 0)
        assert change.direction is Direction.SAME


def test_a_change_that_is_certain_but_small_is_the_same():
    one, two = recording_of(1, seconds=60), recording_of(2, seconds=60, scale=1.03)
    found = changes(one, two)["p50"]
    assert found.low > 0
    assert found.direction is Direction.SAME
    assert changes(one, two, ComparisonLimits(latency=0.01, latency_ms=0.1))["p50"].direction is Direction.WORSE


def test_fewer_milliseconds_than_asked_for_are_the_same():
    assert (
        changes(recording_of(1), recording_of(2, scale=1.2), ComparisonLimits(latency_ms=50))["p50"].direction
        is Direction.SAME
    )


def test_one_stall_moves_the_percentile_but_is_not_beyond_chance():
    calm, stalled = recording_of(1), recording_of(1)
    for second, table in ((7, 30), (8, 20)):
        for _ in range(table):
            stalled.latencies.record(next(iter(stalled.latencies))[0], 0.5, 0.5)
            stalled.series.second(second).service_times[150] += 1
            stalled.series.second(second).response_times[150] += 1
    change = changes(calm, stalled)["p99"]
    assert change.after > 2 * change.before
    assert change.direction is Direction.SAME


def test_pairs_of_the_same_moments_tell_smaller_changes_apart():
    """What disturbs both runs alike counts for neither."""
    one, two = recording_of(1, seconds=20), recording_of(1, seconds=20, scale=1.05)
    alone, paired = changes(one, two), changes(one, two, paired=True)
    assert paired["p50"].high - paired["p50"].low < 0.6 * (alone["p50"].high - alone["p50"].low)


def test_too_few_exchanges_and_too_few_seconds_are_not_judged():
    found = changes(recording_of(1, rate=20), recording_of(2, rate=20))
    assert found["p95"].direction is Direction.SAME
    assert found["p99"].direction is Direction.UNJUDGED
    assert found["p99"].reason == "one of the runs has 400 answered exchanges, 1,000 are needed"
    short = changes(recording_of(1, seconds=5), recording_of(2))
    assert short["p50"].reason == "one of the runs has 5 measured seconds, at least 8 are needed"


def test_throttles_are_no_latencies():
    # Were they counted, so many fast answers would lower the median.
    found = changes(recording_of(1), recording_of(1, throttled=0.3))
    assert found["p50"].direction is Direction.SAME


def test_the_warm_up_is_left_out():
    run = recording_of(1, warm_up=10)
    found = changes(run, recording_of(1))
    assert found["p50"].direction is Direction.SAME
    assert changes(recording_of(1, warm_up=15), run)["p50"].reason.startswith("one of the runs has 5 measured seconds")


def test_each_outcome_that_both_have_is_shown_beside():
    tables = compare_latencies(recording_of(1), recording_of(2), ComparisonLimits(), LatencyKind.SERVICE_TIME)
    assert [(table.kind, table.outcome, table.judged) for table in tables] == [
        ("service_time", None, True),
        ("service_time", "allow", False),
        ("service_time", "deny", False),
        ("response_time", None, False),
        ("response_time", "allow", False),
        ("response_time", "deny", False),
    ]
