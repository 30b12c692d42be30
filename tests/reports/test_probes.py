import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.capacity.bucket import Bucket, estimate_bucket
from gatecrash.reports.capacity.judging import Probe, ProbeStanding, design_effect, is_hopeless, judge_probe, slope_of
from gatecrash.reports.capacity.objectives import Objective, Objectives
from gatecrash.reports.capacity.probes import BINS_A_SECOND, ProbeCounts, Step, StepKind
from gatecrash.reports.recording import codec

STEP = Step(3, StepKind.BISECT, 100.0, 1.0, 6.0)
OBJECTIVES = Objectives()

EXCHANGES = st.lists(
    st.tuples(
        st.floats(0, 6.9),
        st.floats(0, 0.1),
        st.floats(0.001, 1.0),
        st.sampled_from([Outcome.ALLOW, Outcome.DENY, Outcome.THROTTLED, Outcome.TIMED_OUT]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=30,
)


def counted(exchanges, drops=()):
    counts = ProbeCounts(STEP, OBJECTIVES.latency)
    for start, wait, service, outcome, wrong, apart, cold in exchanges:
        counts.add_due(start)
        counts.add_lag(start, wait)
        counts.add_exchange(start, start + wait, start + wait + service, outcome, wrong=wrong, apart=apart, cold=cold)
        if wait > 0.05:
            counts.add_waited(start)
        counts.note_case(int(start * 10), right=not wrong)
    for start in drops:
        counts.add_due(start)
        counts.add_drop(start)
    return counts


def steady(rate=100.0, latency=0.02, *, growth=0.0, **outcomes):
    """Counts of even arrivals, each answered after ``latency`` plus ``growth`` for each second that has passed."""
    counts = ProbeCounts(STEP, OBJECTIVES.latency)
    for number in range(int(STEP.length * rate)):
        start = number / rate
        outcome = next((Outcome(name) for name, every in outcomes.items() if number % every == 0), Outcome.ALLOW)
        counts.add_due(start)
        done = start + latency + growth * start
        if done < STEP.length + 1:
            counts.add_exchange(start, start, done, outcome, wrong=False, apart=False, cold=False)
    return counts


@given(EXCHANGES, st.lists(st.floats(0, 6.9), max_size=5))
def test_counts_survive_the_way_to_the_master(exchanges, drops):
    counts = counted(exchanges, drops)
    again = ProbeCounts.decode(counts.encode())
    assert again.encode() == counts.encode()


@given(EXCHANGES, EXCHANGES)
def test_counts_of_two_workers_add_up_to_those_of_one(mine, theirs):
    one, other = counted(mine), counted(theirs)
    one.add(other)
    assert one.encode() == counted([*mine, *theirs]).encode()
    assert one.apart == counted([*mine, *theirs]).apart


def test_what_waits_for_an_answer_is_the_backlog():
    counts = counted([(0.05, 0.0, 0.5, Outcome.ALLOW, False, False, False)], drops=(0.2,))
    assert counts.backlogs()[:7] == [1, 1, 1, 1, 1, 0, 0]


def test_a_steady_rate_is_held():
    probe = judge_probe(steady(), OBJECTIVES, 10.0)
    assert probe.standing is ProbeStanding.HELD
    assert probe.arrivals == 600
    assert probe.answered_rate == pytest.approx(100, abs=1)
    assert probe.p95 == pytest.approx(20, rel=0.01)
    assert not probe.broken


@pytest.mark.parametrize(
    ("counts", "broken"),
    [
        (steady(latency=0.3), Objective.LATENCY),
        (steady(throttled=20), Objective.THROTTLES),
        (steady(timed_out=20), Objective.ERRORS),
        (steady(growth=0.1), Objective.SATURATION),
    ],
    ids=lambda value: value.value if isinstance(value, Objective) else "",
)
def test_each_objective_can_be_broken(counts, broken):
    probe = judge_probe(counts, OBJECTIVES, 0.0)
    assert probe.standing is ProbeStanding.BROKEN
    assert broken in probe.broken
    assert probe.leans_to_broken


def test_one_wrong_decision_is_enough_where_none_is_allowed():
    counts = steady()
    counts.add_exchange(2.0, 2.0, 2.01, Outcome.DENY, wrong=True, apart=False, cold=False)
    assert judge_probe(counts, OBJECTIVES, 0.0).broken == (Objective.WRONG_DECISIONS,)
    lenient = Objectives(wrong_rate=0.05)
    assert judge_probe(counts, lenient, 0.0).standing is ProbeStanding.HELD


def test_a_wrong_decision_of_a_case_that_was_wrong_at_rest_is_not_counted():
    counts = steady()
    counts.add_exchange(2.0, 2.0, 2.01, Outcome.DENY, wrong=True, apart=True, cold=False)
    assert judge_probe(counts, OBJECTIVES, 0.0).standing is ProbeStanding.HELD


def test_a_cold_start_is_no_late_answer():
    counts = steady()
    for number in range(100):
        counts.add_due(2.0 + number / 100)
        start = 2.0 + number / 100
        counts.add_exchange(start, start, start + 0.9, Outcome.ALLOW, wrong=False, apart=False, cold=True)
    probe = judge_probe(counts, OBJECTIVES, 0.0)
    assert probe.cold_starts == 100
    assert probe.standing is ProbeStanding.HELD
    assert probe.p99 == pytest.approx(20, rel=0.01)


def test_few_arrivals_leave_it_open():
    counts = counted([(1.0 + number / 10, 0.0, 0.01, Outcome.ALLOW, False, False, False) for number in range(20)])
    probe = judge_probe(counts, OBJECTIVES, 0.0)
    assert probe.standing is ProbeStanding.UNCLEAR
    assert not probe.leans_to_broken


def test_a_generator_that_is_late_or_out_of_cpu_is_the_limit():
    late = steady()
    for number in range(100):
        late.add_lag(1.0 + number / 20, 0.2)
    assert "late" in judge_probe(late, OBJECTIVES, 0.0).limited
    busy = steady()
    busy.cpu = 0.99
    assert "99%" in judge_probe(busy, OBJECTIVES, 0.0).limited
    assert judge_probe(steady(), OBJECTIVES, 0.0).limited == ""


@pytest.mark.parametrize(
    ("counts", "disturbed"),
    [
        # A backlog that began with the stall may last; a burst of 0.12 s can't make every tenth answer a throttle.
        (steady(latency=0.3), True),
        (steady(growth=0.1), True),
        (steady(throttled=20), True),
        (steady(throttled=5), False),
        (steady(timed_out=5), False),
    ],
)
def test_a_stall_is_blamed_only_for_what_it_can_have_done(counts, disturbed):
    assert not judge_probe(counts, OBJECTIVES, 0.0).disturbed
    for number in range(100):
        counts.add_lag(1.0 + number / 20, 0.12 if number == 20 else 0.001)
    probe = judge_probe(counts, OBJECTIVES, 0.0)
    assert not probe.limited
    assert probe.disturbed is disturbed


def waiting(latency=0.1, wait=0.4, *, hanging=0, **outcomes):
    """Counts of arrivals that waited for slots; every ``hanging``-th was never answered."""
    counts = ProbeCounts(STEP, OBJECTIVES.latency)
    for number in range(700):
        start = number / 100
        outcome = next((Outcome(name) for name, every in outcomes.items() if number % every == 0), Outcome.ALLOW)
        counts.add_due(start)
        counts.add_waited(start)
        if not hanging or number % hanging:
            times = (start, start + wait, start + wait + latency)
            counts.add_exchange(*times, outcome, wrong=False, apart=False, cold=False)
    return counts


@pytest.mark.parametrize(
    ("counts", "slots", "limited"),
    [
        (waiting(), 50, True),
        # There were as many slots as the rate needs.
        (waiting(), None, False),
        # The authorizer was late itself, left requests hanging, or broke something else.
        (waiting(latency=0.3), 50, False),
        (waiting(hanging=10), 50, False),
        (waiting(throttled=20), 50, False),
        # The latency asked for was kept to all the same.
        (waiting(wait=0.06), 50, False),
        (steady(latency=0.3), 50, False),
    ],
)
def test_a_want_of_slots_limits_only_what_is_answered_in_time(counts, slots, limited):
    probe = judge_probe(counts, OBJECTIVES, 0.0, slots=slots)
    assert bool(probe.limited) is limited
    if limited:
        assert probe.limited.startswith("600 of 600 arrivals found none of the 50 slots free")


def test_a_rate_is_not_held_where_a_worker_has_not_told_all_of_it():
    probe = judge_probe(steady(rate=50.0), OBJECTIVES, 0.0, workers=2, untold=1)
    assert probe.limited == "1 of 2 workers had not told all of it in time: 300 of about 600 arrivals are known"
    assert probe.disturbed
    assert codec.from_json(codec.to_json(probe), Probe) == probe


def test_what_comes_in_clusters_counts_for_less():
    assert design_effect([(5, 100)] * 10) == pytest.approx(1, abs=0.01)
    assert design_effect([(50, 100), *[(0, 100)] * 9]) > 20
    assert design_effect([(0, 100)] * 10) == 1
    assert design_effect([]) == 1


@given(st.floats(-5, 5), st.floats(-100, 100), st.integers(3, 50))
def test_a_straight_line_has_its_slope_without_error(slope, start, count):
    found, error = slope_of([start + slope * place for place in range(count)])
    assert found == pytest.approx(slope, abs=1e-6)
    assert error == pytest.approx(0, abs=1e-6)


def test_only_a_step_whose_last_answers_are_nearly_all_late_is_hopeless():
    late, good = steady(latency=0.5), steady()
    assert not is_hopeless(late, 2.0)
    assert is_hopeless(late, 5.0)
    assert not is_hopeless(good, 5.0)


@given(st.integers(20, 200), st.integers(5, 100))
def test_a_bucket_is_estimated_from_what_it_lets_through(rate, burst):
    offered, tokens = 2.5 * rate + 2 * burst, float(burst)
    counts = ProbeCounts(STEP, OBJECTIVES.latency)
    for number in range(int(STEP.length * offered)):
        start = number / offered
        tokens = min(max(burst, 1), tokens + rate / offered)
        outcome = Outcome.ALLOW if tokens >= 1 else Outcome.THROTTLED
        tokens -= outcome is Outcome.ALLOW
        counts.add_due(start)
        counts.add_exchange(start, start, start + 0.01, outcome, wrong=False, apart=False, cold=False)
    bucket = estimate_bucket(counts)
    assert bucket.rate == pytest.approx(rate, rel=0.05)
    assert bucket.burst == pytest.approx(burst, abs=3)
    assert codec.from_json(codec.to_json(bucket), Bucket) == bucket


def test_without_throttles_for_a_while_there_is_no_estimate():
    assert estimate_bucket(steady()) is None
    assert BINS_A_SECOND == 10
