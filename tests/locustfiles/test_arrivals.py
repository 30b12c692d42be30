from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.firing.arrivals import Share, due_after, schedule, step_arrivals
from gatecrash.reports.capacity.probes import Step, StepKind
from gatecrash.reports.plan.plan import POISSON, Plan, Stage


def plan(**values):
    return Plan(run_folder="runs/x", corpus="corpus", target={"kind": "scripted"}, **values)


PLANS = st.builds(
    plan,
    arrivals=st.sampled_from(["even", POISSON]),
    rate=st.floats(1, 200),
    duration=st.floats(0.1, 5),
    warm_up=st.floats(0, 2),
    seed=st.integers(0, 10),
)


def test_even_arrivals_are_one_over_the_rate_apart():
    starts = [arrival.intended_start for arrival in schedule(plan(rate=4, warm_up=0, duration=1), Share(0, 1))]
    assert starts == [0, 0.25, 0.5, 0.75]


def test_the_warm_up_comes_before_the_duration():
    starts = [arrival.intended_start for arrival in schedule(plan(rate=1, warm_up=2, duration=3), Share(0, 1))]
    assert starts == [0, 1, 2, 3, 4]


def test_even_arrivals_do_not_drift_over_hours():
    last = max(schedule(plan(rate=0.1, warm_up=0, duration=360_000), Share(0, 1)))
    assert last.intended_start == 359_990


def test_poisson_arrivals_keep_the_rate_on_the_average_and_vary_in_their_gaps():
    starts = [a.intended_start for a in schedule(plan(rate=100, duration=100, arrivals=POISSON), Share(0, 1))]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert 0.0095 < mean < 0.0105
    # An exponential distribution's deviation is its mean.
    assert 0.9 < deviation / mean < 1.1


STAGES = st.lists(st.builds(Stage, st.just("stage"), rate=st.floats(1, 200), seconds=st.floats(0.1, 5)), max_size=3)


@given(st.floats(1, 200), st.floats(0, 2), STAGES, st.floats(0, 20))
def test_what_is_due_after_a_moment_is_what_the_schedule_has_left(rate, warm_up, stages, moment):
    one = plan(rate=rate, warm_up=warm_up, duration=3.0, stages=tuple(stages))
    left = sum(arrival.intended_start >= moment for arrival in schedule(one, Share(0, 1)))
    # Of each rate at most one more arrival fits in than its share of a second.
    assert due_after(one, moment) == pytest.approx(left, abs=1.01 * (len(stages) + 1))


@given(PLANS, st.integers(1, 5))
def test_workers_share_the_schedule_whatever_their_number(one, count):
    whole = list(schedule(one, Share(0, 1)))
    shared = sorted(arrival for place in range(count) for arrival in schedule(one, Share(place, count)))
    assert shared == whole


@given(PLANS)
def test_arrivals_come_in_order_within_the_plan_and_the_same_each_time(one):
    arrivals = list(schedule(one, Share(0, 1)))
    assert arrivals == list(schedule(one, Share(0, 1)))
    assert arrivals == sorted(arrivals)
    assert all(0 <= arrival.intended_start < one.length for arrival in arrivals)


STEPS = st.builds(
    Step,
    number=st.integers(0, 3),
    kind=st.just(StepKind.BISECT),
    rate=st.floats(1, 200),
    warm_up=st.floats(0, 1),
    seconds=st.floats(0.1, 3),
    drain_rate=st.floats(1, 200),
    drain=st.sampled_from([0.0, 0.5]),
    first=st.integers(0, 1000),
)


@given(PLANS, STEPS, st.floats(0, 100), st.integers(1, 5))
def test_workers_share_a_step_whatever_their_number(one, step, start, count):
    whole = list(step_arrivals(one, step, start, Share(0, 1)))
    shared = sorted(a for place in range(count) for a in step_arrivals(one, step, start, Share(place, count)))
    assert shared == sorted(whole)
    assert all(start <= arrival.intended_start < start + step.length + 1e-6 for arrival in whole)


@given(STEPS)
def test_an_even_step_fires_its_rates_one_after_the_other(step):
    arrivals = list(step_arrivals(plan(), step, 0.0, Share(0, 1)))
    assert [arrival.number for arrival in arrivals] == list(range(step.first, step.first + len(arrivals)))
    measured = [arrival for arrival in arrivals if arrival.intended_start >= step.drain]
    assert len(measured) == pytest.approx(step.rate * (step.warm_up + step.seconds), abs=1)
    assert len(arrivals) <= step.arrivals + 2
