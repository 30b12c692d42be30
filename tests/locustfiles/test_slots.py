import time
from itertools import count

import gevent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecrash.firing.alarms import Alarms
from gatecrash.firing.arrivals import Arrival
from gatecrash.firing.slots import Slots


class Given:
    """Slots with a clock of their own, and what they were given: number, slot, and seconds late."""

    def __init__(self, accept=lambda arrival: True):
        self.alarms = Alarms()
        self.started = time.perf_counter()
        self.accepted, self.given, self.lags, self.greenlets = [], [], [], []
        self.slots = Slots(self.alarms, lambda: time.perf_counter() - self.started, self._accept)
        self._is_fired = accept

    def _accept(self, arrival, late, lag):
        self.accepted.append(arrival.number)
        self.lags.append((late, lag))
        return self._is_fired(arrival)

    def spawn(self, slots, busy=0.0):
        def take(slot):
            for _ in count():
                if (arrival := self.slots.take()) is not None:
                    late = time.perf_counter() - self.started - arrival.intended_start
                    self.given.append((arrival.number, slot, late))
                    gevent.sleep(busy)

        self.greenlets += [gevent.spawn(take, slot) for slot in range(slots)]
        gevent.sleep(0)

    def wait_until_exhausted(self):
        with gevent.Timeout(20):
            while not self.slots.exhausted:
                gevent.sleep(0.002)
        gevent.sleep(0.005)

    def close(self):
        gevent.killall(self.greenlets)
        self.alarms.close()


@pytest.fixture
def given_out():
    made = Given()
    yield made
    made.close()


def arrivals(*starts):
    return [Arrival(number, start) for number, start in enumerate(starts)]


def test_the_slot_that_became_free_last_is_given_the_next_arrival(given_out):
    given_out.spawn(50)
    given_out.slots.begin(arrivals(*(0.02 + number * 0.004 for number in range(20))))
    given_out.wait_until_exhausted()
    assert [number for number, _, _ in given_out.given] == list(range(20))
    # A slot is free again at once: of fifty slots hardly more than one has anything to do.
    assert len({slot for _, slot, _ in given_out.given}) <= 5


def test_arrivals_of_one_moment_go_to_as_many_slots(given_out):
    given_out.slots.begin(arrivals(*[0.03] * 10))
    given_out.spawn(10, busy=0.05)
    given_out.wait_until_exhausted()
    assert sorted(slot for _, slot, _ in given_out.given) == list(range(10))
    assert all(lag == late for late, lag in given_out.lags)


def test_what_waits_for_a_slot_is_late_by_no_fault_of_the_loop(given_out):
    given_out.slots.begin(arrivals(0.01, 0.02, 0.03))
    given_out.spawn(1, busy=0.05)
    given_out.wait_until_exhausted()
    assert [number for number, _, _ in given_out.given] == [0, 1, 2]
    assert given_out.lags[0][1] is not None
    assert [lag for _, lag in given_out.lags[1:]] == [None, None]
    assert given_out.given[2][2] > 0.05


def test_what_is_not_accepted_is_given_to_nobody():
    made = Given(accept=lambda arrival: arrival.number % 2 == 0)
    made.slots.begin(arrivals(*(number / 500 for number in range(10))))
    made.spawn(3)
    made.wait_until_exhausted()
    made.close()
    assert made.accepted == list(range(10))
    assert [number for number, _, _ in made.given] == [0, 2, 4, 6, 8]


def test_new_arrivals_replace_those_before_even_when_they_are_due_earlier(given_out):
    given_out.spawn(3)
    for _ in range(20):
        given_out.slots.begin(arrivals(30.0, 31.0))
    begun = time.perf_counter() - given_out.started
    given_out.slots.begin([Arrival(7, begun + 0.02), Arrival(8, begun + 0.03)])
    given_out.wait_until_exhausted()
    assert [number for number, _, _ in given_out.given] == [7, 8]
    assert max(late for _, _, late in given_out.given) < 5


def test_an_alarm_for_arrivals_that_were_called_off_gives_nothing_out_early(given_out):
    given_out.spawn(3)
    given_out.slots.begin(arrivals(0.02))
    given_out.slots.begin([Arrival(9, 0.08)])
    given_out.wait_until_exhausted()
    assert [number for number, _, _ in given_out.given] == [9]
    assert given_out.given[0][2] >= 0


def test_a_slot_that_is_killed_while_it_waits_is_given_nothing(given_out):
    given_out.slots.begin(arrivals(0.05, 0.06))
    given_out.spawn(3)
    gevent.killall(given_out.greenlets[1:])
    given_out.wait_until_exhausted()
    assert [(number, slot) for number, slot, _ in given_out.given] == [(0, 0), (1, 0)]


def test_the_end_returns_what_was_due_and_sends_the_waiting_away(given_out):
    given_out.slots.begin(arrivals(0.0, 0.001, 30.0))
    gevent.sleep(0.01)
    waiting = gevent.spawn(given_out.slots.take)
    gevent.sleep(0.005)
    assert waiting.successful()
    assert waiting.value.number == 0
    for_good = [gevent.spawn(given_out.slots.take) for _ in range(3)]
    gevent.sleep(0.005)
    assert [greenlet.ready() for greenlet in for_good] == [True, False, False]
    given_out.slots.begin(arrivals(0.0, 0.001, 30.0))
    assert [arrival.number for arrival in given_out.slots.end()] == [0, 1]
    given_out.slots.release()
    gevent.joinall(for_good, timeout=5)
    assert [greenlet.value for greenlet in for_good[1:]] == [None, None]


@settings(max_examples=40, deadline=None)
@given(
    gaps=st.lists(st.floats(0, 0.004), min_size=1, max_size=30),
    slots=st.integers(1, 8),
    busy=st.sampled_from([0.0, 0.001, 0.004]),
)
def test_every_arrival_is_given_once_in_order_and_never_early(gaps, slots, busy):
    made, start, planned = Given(), 0.0, []
    for number, gap in enumerate(gaps):
        start += gap
        planned.append(Arrival(number, start))
    made.slots.begin(planned)
    made.spawn(slots, busy)
    made.wait_until_exhausted()
    made.close()
    assert [number for number, _, _ in made.given] == list(range(len(gaps)))
    assert min(late for _, _, late in made.given) >= 0


def test_what_is_due_can_be_given_out_before_the_alarm(given_out):
    given_out.spawn(3, busy=0.2)
    given_out.slots.begin(arrivals(0.05, 0.05, 0.15))
    time.sleep(0.1)
    gevent.get_hub().loop.run_callback(given_out.slots.give_due)
    gevent.sleep(0)
    gevent.sleep(0)
    assert [number for number, _, _ in given_out.given] == [0, 1]
    given_out.wait_until_exhausted()
    assert [number for number, _, _ in given_out.given] == [0, 1, 2]


def test_nothing_is_given_out_before_it_is_due_or_without_a_free_slot(given_out):
    given_out.slots.begin(arrivals(0.0, 30.0))
    given_out.slots.give_due()
    assert given_out.accepted == []
    given_out.spawn(1)
    gevent.sleep(0.01)
    assert given_out.accepted == [0]
    given_out.slots.give_due()
    assert given_out.accepted == [0]
