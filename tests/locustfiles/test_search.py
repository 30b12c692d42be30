"""The search for capacity in simulated time, against authorizers whose capacity is known."""

from math import floor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatecrash.authorizers.targets.scripted import Script
from gatecrash.firing.search_decisions import rounded
from gatecrash.reports.capacity.objectives import Objective, Objectives
from gatecrash.reports.capacity.probes import StepKind
from tests.locustfiles.simulated import search

QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Where a rate is a hair beside the truth nobody can tell on which side: so far may an end be off.
HAIR = 1.01


def holds(result, truth):
    width = (result.high - result.low) / (result.high + result.low) * 2
    assert result.low / HAIR <= truth <= result.high * HAIR
    assert width <= 0.15
    assert result.sure
    assert not result.ended_by


@QUICK
@given(concurrency=st.integers(2, 30), latency=st.floats(0.01, 0.12))
def test_work_that_piles_up_is_found_for_any_concurrency_and_service_time(concurrency, latency):
    result, _ = search(Script(latency=latency, concurrency=concurrency))
    holds(result, concurrency / latency)
    assert {Objective.SATURATION, Objective.LATENCY} & set(result.binding)


@QUICK
@given(rate=st.floats(25, 600), burst=st.sampled_from([5, 50, 300]))
def test_a_token_bucket_is_found_whatever_was_saved_up(rate, burst):
    result, _ = search(Script(latency=0.02, bucket_rate=rate, bucket_burst=burst))
    holds(result, rate)
    assert result.binding[0] is Objective.THROTTLES
    assert result.bucket.rate == pytest.approx(rate, rel=0.05)
    # Rates before took some of what was saved up.
    assert result.bucket.burst <= burst + 3


@QUICK
@given(rate=st.floats(25, 600), share=st.sampled_from([0.02, 0.05, 0.3]))
def test_decisions_that_go_wrong_above_a_rate_are_found(rate, share):
    result, _ = search(Script(latency=0.02, wrong_above=rate, wrong_share=share))
    # The script counts the requests of two seconds, and those are whole ones.
    holds(result, floor(2 * rate) / 2)
    assert result.binding == (Objective.WRONG_DECISIONS,)


def test_one_that_slows_down_with_its_queue_is_held_up_to_the_latency_asked_for():
    script = Script(latency=0.02, slowdown=0.2)
    patient, _ = search(script, objectives=Objectives(latency=0.25))
    strict, _ = search(script, objectives=Objectives(latency=0.05))
    # In flight are rate x latency; latency = 0.02 s x (1 + 0.2 x in flight, this one not counted).
    assert patient.low <= 232 <= patient.high
    assert strict.low <= 160 <= strict.high
    assert Objective.LATENCY in strict.binding


def test_rates_double_are_bisected_and_both_ends_confirmed():
    result, process = search(Script(latency=0.04, concurrency=8))
    kinds = [step.kind for step in process.steps]
    assert kinds[0] is StepKind.REST
    doubled = [step.rate for step in process.steps if step.kind is StepKind.DOUBLE]
    assert doubled == [20, 40, 80, 160, 320]
    assert {step.rate for step in process.steps if step.kind is StepKind.CONFIRM} == {result.low, result.high}
    assert kinds.count(StepKind.RECOVER) == 1
    assert result.recovery.overload == 320
    assert 0 < result.recovery.seconds < 10


def test_arrivals_are_numbered_through_over_all_steps():
    _, process = search(Script(latency=0.04, concurrency=8))
    ends = 0
    for step in process.steps:
        assert step.first >= ends
        ends = step.first + step.arrivals


def test_what_limits_the_generator_is_never_given_as_the_authorizers_capacity():
    result, _ = search(Script(latency=0.01), cpu=0.97)
    assert result.low is None
    assert result.limited
    result, _ = search(Script(latency=0.01), lag=0.2)
    assert "late" in result.limited
    assert result.binding == ()


def test_the_highest_rate_to_be_tried_is_a_lower_bound():
    result, process = search(Script(latency=0.01), max_rate=100)
    assert result.low == 100
    assert result.high is None
    assert result.low is not None
    assert result.high is None or result.limited
    assert max(step.rate for step in process.steps) == 100


def test_it_goes_down_where_the_first_rate_is_too_high_already():
    result, _ = search(Script(latency=0.1, concurrency=1), objectives=Objectives(latency=0.5))
    holds(result, 10)


def test_where_nothing_is_held_it_says_so():
    result, process = search(Script(latency=1.0))
    assert result.low is None
    assert result.high is not None
    assert result.complete
    assert min(step.rate for step in process.steps) >= 20 / 16


@pytest.mark.parametrize(("limit", "word"), [({"seconds": 40}, "40 s"), ({"requests": 900}, "900 requests")])
def test_a_limit_ends_the_search_before_it_is_passed(limit, word):
    result, process = search(Script(latency=0.04, concurrency=8), limits=limit)
    assert word in result.ended_by
    assert result.complete
    assert not result.sure
    assert process.now <= limit.get("seconds", 1e9)
    assert sum(step.arrivals for step in process.steps) <= limit.get("requests", 1e9)


def test_cases_that_are_wrong_at_rest_are_told_and_not_counted_again():
    result, _ = search(Script(latency=0.04, concurrency=8), wrong_at_rest=frozenset({3, 7}))
    assert result.apart == 2
    holds(result, 200)


def test_a_wrong_decision_that_is_allowed_doesnt_break_a_rate():
    script = Script(latency=0.02, wrong_above=100, wrong_share=0.05, concurrency=10)
    strict, _ = search(script)
    lenient, _ = search(script, objectives=Objectives(wrong_rate=0.1))
    holds(strict, 100)
    holds(lenient, 500)


def test_a_drain_comes_first_once_throttles_are_what_limits():
    _, process = search(Script(latency=0.02, bucket_rate=150, bucket_burst=300))
    drained = [step for step in process.steps if step.drain]
    assert drained
    # More than was saved up is fired at more than is let through.
    assert all((step.drain_rate - 150) * step.drain >= 300 for step in drained)


@given(st.floats(0.001, 1e6))
def test_rates_have_four_digits(rate):
    assert rounded(rate) == pytest.approx(rate, rel=0.0005)


def test_a_rate_that_was_broken_while_the_generator_stood_still_is_fired_again():
    _, calm = search(Script(latency=0.04, concurrency=8))
    _, stalled = search(Script(latency=0.04, concurrency=8), lag=0.06, objectives=Objectives(latency=2.0))
    for process, times in ((calm, 1), (stalled, 3)):
        doubled = [step.rate for step in process.steps if step.kind is StepKind.DOUBLE]
        assert doubled.count(max(doubled)) == times


def test_a_want_of_slots_is_the_generators_limit_and_more_slots_are_the_cure():
    script = Script(latency=0.1)
    result, _ = search(script, users=50)
    # Fifty slots fire 500 a second at most where each answer takes a tenth of a second.
    assert 400 <= result.low <= 500
    assert "none of the 50 slots free" in result.limited
    assert "--users" in result.limited
    assert result.binding == ()
    result, _ = search(script, users=500, max_rate=640)
    assert (result.low, result.high, result.limited) == (640, None, "")


@pytest.mark.parametrize("users", [60, 200, 10_000])
def test_slots_that_are_busy_because_answers_are_late_are_the_authorizers_limit(users):
    # In flight are so many that each waits for more than the latency asked for.
    result, _ = search(Script(latency=0.04, concurrency=8), users=users)
    assert result.limited == ""
    holds(result, 200)


def test_there_are_as_many_slots_as_are_asked_for_and_some_for_each_worker():
    _, few = search(Script(latency=0.01), max_rate=100)
    assert few.slots_at_first == 20
    _, asked = search(Script(latency=0.01), max_rate=100, users_least=300)
    assert asked.slots_at_first == asked.slots == 300
    _, spread = search(Script(latency=0.01), max_rate=100, idle_workers=49)
    assert spread.slots_at_first == 200


def test_a_rate_that_a_worker_has_not_told_all_of_is_fired_again():
    script = Script(latency=0.04, concurrency=8)
    result, process = search(script, idle_workers=1, silent_in=frozenset({3}))
    (untold,) = [probe for probe in result.probes if probe.untold]
    assert untold.limited.startswith("1 of 2 workers had not told all of it in time")
    assert [step.rate for step in process.steps if step.kind is StepKind.DOUBLE].count(untold.rate) == 2
    assert result.limited == ""
    holds(result, 200)


def test_rates_that_a_worker_never_tells_all_of_are_never_held():
    result, _ = search(Script(latency=0.01), idle_workers=1, silent_in=frozenset(range(4, 1000)))
    # What they tell of the same rate for longer is not known either.
    assert result.low is None
    assert "had not told all" in result.limited
