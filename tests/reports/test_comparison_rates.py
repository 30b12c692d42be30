import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.reports.comparison.comparison import ComparisonLimits
from gatecrash.reports.comparison.rates import compare_rates, design_effect, difference_interval
from gatecrash.reports.statistics.directions import Direction
from tests.reports.comparison_samples import recording_of


def rates(earlier, later, **options):
    changes = compare_rates(earlier.series, later.series, ComparisonLimits(), **options)
    return {change.name: change for change in changes}


def test_the_interval_of_a_difference_is_newcombes():
    # Newcombe (1998), table II, example (a): 56/70 and 48/80, method 10, 95 %.
    assert difference_interval((48, 80), (56, 70), 1.0, 0.95) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(st.integers(0, 100), st.integers(0, 100), st.floats(1, 20))
def test_the_interval_turns_when_both_change_places(one, two, effect):
    low, high = difference_interval((one, 100), (two, 100), effect, 0.99)
    assert low <= (two - one) / 100 <= high
    assert difference_interval((two, 100), (one, 100), effect, 0.99) == pytest.approx((-high, -low))


def test_what_comes_in_bursts_has_an_effect():
    assert design_effect([1] * 40, [100] * 40) == 1.0
    assert design_effect([40] + [0] * 39, [100] * 40) > 20


def test_nothing_seen_has_no_effect():
    assert design_effect([0] * 40, [100] * 40) == 1.0


def test_a_point_more_throttles_are_worse_and_a_point_fewer_better():
    calm, busy = recording_of(1), recording_of(2, throttled=0.02)
    assert rates(calm, busy)["throttle_rate"].direction is Direction.WORSE
    assert rates(busy, calm)["throttle_rate"].direction is Direction.BETTER
    assert rates(busy, busy)["throttle_rate"].direction is Direction.SAME


def test_one_burst_of_throttles_is_no_difference_that_is_beyond_chance():
    calm, bursty = recording_of(1), recording_of(1)
    second = bursty.series.second(7)
    second.outcomes["throttled"] += 60
    change = rates(calm, bursty)["throttle_rate"]
    assert change.change > 0.02
    assert change.direction is Direction.SAME


def test_fewer_exchanges_a_second_are_worse():
    change = rates(recording_of(1), recording_of(1, rate=90))["achieved_rate"]
    assert change.direction is Direction.WORSE
    assert change.change == pytest.approx(-0.1)


def test_without_a_pace_there_is_no_achieved_rate():
    assert set(rates(recording_of(1), recording_of(1), pace=False)) == {"throttle_rate", "error_rate"}


def test_a_run_without_exchanges_is_not_judged():
    change = rates(recording_of(1), recording_of(1, seconds=0))["error_rate"]
    assert change.direction is Direction.UNJUDGED
    assert change.reason == "one of the runs has no exchange"
