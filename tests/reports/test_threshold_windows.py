"""Thresholds over windows, and how much it takes to judge any: no stall hides, and chance alone fails nothing."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.plan.facts import PlanFacts
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.series import Second, bucket_of
from gatecrash.reports.run.summary import summarise
from gatecrash.reports.thresholds.judging import Evidence, Standing, judge_threshold
from gatecrash.reports.thresholds.measures import samples_of
from gatecrash.reports.thresholds.parsing import parse
from tests.reports.course_samples import series
from tests.reports.samples import run_of

FAST, SLOW, LIMIT = 0.01, 1.0, "250ms"


def second_of(*, fast=0, slow=0, throttled=0, dropped=0):
    """A second of so many arrivals; throttles come back fast."""
    times = Counter({bucket_of(FAST): fast + throttled, bucket_of(SLOW): slow})
    unanswered = Counter({bucket_of(FAST): throttled})
    return Second(
        Counter({Outcome.ALLOW.value: fast + slow, Outcome.THROTTLED.value: throttled}),
        Counter(times),
        Counter(times),
        fast + slow + throttled + dropped,
        dropped,
        unanswered_service_times=unanswered,
        unanswered_response_times=Counter(unanswered),
    )


def judged(text, seconds, planned_rate=100.0):
    evidence = Evidence(Recording(), list(enumerate(seconds)), float(len(seconds)), planned_rate)
    return judge_threshold(parse(text, "here"), evidence)


def test_a_stall_that_loses_an_arrival_does_not_hide():
    seconds = [second_of(fast=100) for _ in range(30)]
    seconds[20] = second_of(fast=79, slow=20, dropped=1)
    failed = judged(f"latency.p95 < {LIMIT} over 2s", seconds)
    assert (failed.standing, failed.second) == (Standing.FAILED, 19)


def test_a_stall_in_which_next_to_nothing_is_answered_cannot_be_told():
    seconds = [second_of(fast=100) for _ in range(30)]
    seconds[20] = seconds[21] = second_of(slow=1, dropped=99)
    one = judged(f"latency.p95 < {LIMIT} over 2s", seconds)
    assert (one.standing, one.second) == (Standing.NOT_JUDGED, 0)
    assert one.reason == (
        "1 of 29 stretches of 2 s can't be told; "
        "from second 20 on, 2 exchanges are too few: p95 needs 200, at least half of them"
    )
    # The others were measured, and are shown.
    assert one.value == pytest.approx(10, rel=0.05)


def test_fast_throttles_hide_no_slow_answers():
    seconds = [second_of(fast=200) for _ in range(10)]
    seconds[5] = second_of(slow=5, throttled=195)
    assert judged(f"latency.max < {LIMIT} over 1s", seconds).standing is Standing.FAILED
    seconds[5] = second_of(slow=120, throttled=2280)
    for kind in ("response_time", "service_time"):
        failed = judged(f"latency.p95{{kind={kind}}} < {LIMIT} over 1s", seconds)
        assert (failed.standing, failed.second) == (Standing.FAILED, 5)


def test_a_stretch_in_which_nothing_was_due_tells_nothing_but_of_how_much_there_was():
    seconds = [second_of(fast=100), Second(), Second(), second_of(fast=100)]
    for text in (f"latency.p50 < {LIMIT} over 1s", "throttle_rate < 5% over 1s", "achieved_rate > 90% over 1s"):
        assert judged(text, seconds).standing is Standing.HELD
    for text in ("exchanges > 0 over 1s", "achieved_rate > 0/s over 1s"):
        assert judged(text, seconds).standing is Standing.FAILED
    assert judged("drop_rate < 5% over 1s", [Second(), Second()]).reason == "nothing was due"


SECONDS = st.builds(
    second_of,
    **{name: st.integers(0, 300) for name in ("fast", "slow", "throttled", "dropped")},
)
TEXTS = st.sampled_from(
    [
        *(f"latency.{name} < {LIMIT}" for name in ("p50", "p95", "p99", "mean", "max")),
        *("throttle_rate < 10%", "throttle_rate < 1%", "drop_rate == 0%", "outcome_rate{outcome=allow} > 50%"),
    ]
)


@given(TEXTS, st.integers(1, 4), st.lists(SECONDS, min_size=4, max_size=12))
def test_what_holds_over_a_window_holds_in_every_stretch_in_which_something_was_due(text, window, seconds):
    one = judged(f"{text} over {window}s", seconds)
    alone = [
        judged(f"{text} over {window}s", seconds[start : start + window]) for start in range(len(seconds) - window + 1)
    ]
    told = [stretch.standing for stretch in alone if stretch.reason != "nothing was due"]
    if Standing.FAILED in told:
        assert one.standing is Standing.FAILED
    else:
        assert (one.standing is Standing.HELD) == (set(told) == {Standing.HELD})


@given(
    st.integers(1, 3),
    st.lists(st.integers(0, 100), min_size=3, max_size=6),
    st.integers(0, 10),
)
def test_no_stall_that_fills_a_window_passes_however_much_of_it_is_lost(window, answered, before):
    """Arrivals at an even pace; in the stall some are answered late, and all others are dropped."""
    usual = [second_of(fast=200) for _ in range(before + 1)]
    stall = [second_of(slow=count, dropped=200 - count) for count in answered]
    one = judged(f"latency.p95 < {LIMIT} over {window}s", [*usual, *stall, *usual])
    assert one.standing is not Standing.HELD


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        (f"latency.p95 < {LIMIT} over 2s", 100),
        (f"latency.p50 < {LIMIT} over 5s", 10),
        ("throttle_rate < 1% over 2s", 100),
        ("error_rate < 20% over 5s", 10),
    ],
)
def test_arrivals_at_random_fail_nothing_where_a_window_holds_just_what_is_needed(text, rate):
    for seed in range(10):
        rng = random.Random(seed)
        seconds = [second_of(fast=poisson(rng, rate)) for _ in range(60)]
        assert judged(text, seconds, rate).standing is Standing.HELD, seed


def poisson(rng, mean):
    """Count arrivals of one second by their exponential distances."""
    count, elapsed = 0, rng.expovariate(mean)
    while elapsed < 1:
        count, elapsed = count + 1, elapsed + rng.expovariate(mean)
    return count


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("latency.p95 < 1s", 200),
        ("latency.p50 < 1s", 20),
        ("latency.p50 < 1s over 5s", 50),
        ("latency.max < 1s over 5s", 1),
        ("throttle_rate < 1%", 200),
        ("throttle_rate <= 0.1%", 2000),
        ("error_rate < 20%", 50),
        ("error_rate == 0%", 50),
        ("outcome_rate{outcome=allow} > 99%", 200),
        ("exchanges > 5", 0),
        ("achieved_rate > 95%", 0),
    ],
)
def test_a_share_needs_so_many_exchanges_that_one_is_at_most_half_of_what_the_limit_leaves(text, needed):
    assert samples_of(parse(text, "here")) == needed


@pytest.mark.parametrize("count", [1, 49])
def test_a_rate_of_few_exchanges_is_not_judged_whatever_it_is(count):
    recording = Recording()
    recording.outcomes = Counter({Outcome.THROTTLED.value: count})
    one = judge_threshold(parse("throttle_rate < 20%", "here"), Evidence(recording, [], 1.0, None))
    assert one.standing is Standing.NOT_JUDGED
    assert one.reason == (f"{count} exchange{'s are' if count > 1 else ' is'} too few: throttle_rate < 20% needs 50")


def test_no_stretch_has_the_second_in_it_that_the_end_cuts_short():
    recording = Recording()
    recording.series = series(10, lambda _: FAST)
    last = recording.series.second(10)
    last.planned, last.outcomes = 3, Counter({Outcome.ALLOW.value: 3})
    recording.outcomes = Counter({Outcome.ALLOW.value: 1003})
    run = run_of(recording)
    settings = {"thresholds": {"hold": ["throttle_rate < 5% over 1s"]}}
    run = replace(run, info=replace(run.info, plan=PlanFacts(rate=100.0, duration=10.03), settings=settings))
    assert [one.standing for one in summarise(run).thresholds] == [Standing.HELD]
