"""Phases shared among workers: every case once, in order, and nothing after the time."""

from hypothesis import given
from hypothesis import strategies as st

from gatecrash.firing.arrivals import Share, own_concurrency, phase_arrivals
from gatecrash.reports.plan.plan import Phase

PHASES = st.builds(
    Phase,
    name=st.just("steady"),
    cases=st.lists(st.integers(0, 99), max_size=60).map(tuple),
    concurrency=st.integers(1, 12),
    seconds=st.just(1000.0),
    rate=st.none() | st.floats(1, 500),
)


class Clock:
    """A clock that a test moves."""

    def __init__(self):
        self.now = 5.0

    def __call__(self):
        return self.now


def fired(phase, workers):
    return [list(phase_arrivals(phase, Share(place, workers), Clock())) for place in range(workers)]


@given(PHASES, st.integers(1, 6))
def test_all_workers_together_fire_every_case_once(phase, workers):
    arrivals = sorted(arrival for own in fired(phase, workers) for arrival in own)
    assert [arrival.number for arrival in arrivals] == list(range(len(phase.cases)))
    assert tuple(arrival.case for arrival in arrivals) == phase.cases


@given(PHASES, st.integers(1, 6))
def test_all_workers_together_fire_as_many_at_a_time_as_wanted(phase, workers):
    firing = [place for place, own in enumerate(fired(phase, workers)) if own]
    assert sum(own_concurrency(phase, Share(place, workers)) for place in firing) <= phase.concurrency


@given(PHASES, st.integers(1, 6))
def test_each_worker_keeps_its_part_of_the_rate(phase, workers):
    if phase.rate is None:
        return
    for own in fired(phase, workers):
        starts = [arrival.intended_start for arrival in own]
        gap = min(workers, phase.concurrency) / phase.rate
        assert starts == [5.0 + place * gap for place in range(len(starts))]


def test_one_at_a_time_is_fired_by_the_first_worker_alone():
    first, second = fired(Phase("sequential", (1, 2, 3), 1, 10.0), 2)
    assert [arrival.case for arrival in first] == [1, 2, 3]
    assert second == []


def test_a_phase_ends_with_its_time():
    clock = Clock()
    arrivals = phase_arrivals(Phase("sequential", (1, 2, 3), 1, 2.0), Share(0, 1), clock)
    assert next(arrivals).case == 1
    clock.now += 2.5
    assert list(arrivals) == []


def test_a_rate_that_is_too_slow_for_the_time_ends_it_too():
    arrivals = list(phase_arrivals(Phase("steady", (1,) * 100, 4, 2.0, 10.0), Share(0, 1), Clock()))
    assert [arrival.intended_start for arrival in arrivals][-1] == 7.0
    assert len(arrivals) == 21
