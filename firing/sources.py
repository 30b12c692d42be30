"""Where the arrivals of one process come from: a type for each model of load, with what it counts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from random import Random
from typing import Final

import gevent
from gevent.queue import Empty, SimpleQueue

from gatecrash.authorizers.contract import Answer
from gatecrash.firing.alarms import Alarms
from gatecrash.firing.arrivals import Arrival, Share, own_concurrency, phase_arrivals, schedule
from gatecrash.firing.slots import Slots
from gatecrash.reports.plan.plan import Plan
from gatecrash.reports.recording.tally import Tally

Clock = Callable[[], float]
_POLL_SECONDS: Final = 0.25
_PHASE_POLL_SECONDS: Final = 0.001
# Between two looks at the lag, on average: their distances differ, so that they keep no step with anything else.
_LAG_SECONDS: Final = 0.005


def _nothing() -> None:
    """Give nothing: there is nothing that could be due, or it is not this user's turn."""


class Source(ABC):
    """Says what to fire next, and counts it; times are seconds since the run's start, which ``elapsed`` gives.

    ``next_arrival`` waits for an arrival; it returns None when there is none for the moment. ``another`` is the same
    for whoever has just fired: None where a user first waits ``wait_time`` seconds. ``give_due`` gives arrivals that
    are due to free slots; only gevent's loop may call it. ``add`` counts an exchange as ``Tally.add`` does.

    These four are attributes, bound to whoever does the work: at full rate each call between would cost arrivals.
    """

    wait_time = 0.0
    next_arrival: Callable[[], Arrival | None]
    another: Callable[[], Arrival | None]
    give_due: Callable[[], None] = staticmethod(_nothing)
    add: Callable[[int, float, float, float, Answer, str], int]

    def __init__(self, plan: Plan, share: Share, tally: Tally, elapsed: Clock) -> None:
        self.tally = tally
        self.add = tally.add
        self._plan = plan
        self._share = share
        self._elapsed = elapsed
        self._is_over = False
        self._schedule = gevent.Greenlet(self._follow_schedule)

    def start(self) -> None:
        """Begin the schedule."""
        self._schedule.start()

    def stop(self) -> None:
        """End the schedule; arrivals that wait to be fired count as dropped. Safe to call again."""
        self._schedule.kill()

    @property
    def exhausted(self) -> bool:
        """Whether the schedule came to its end, and nothing of it waits to be fired."""
        return self._is_over

    @abstractmethod
    def _follow_schedule(self) -> None:
        """Do what there is to do until the schedule is over."""


class _Timed(Source):
    """A source whose schedule is over after the plan's length; until then the lag is watched.

    How late waits end of a greenlet that does nothing else is the lag: an answer lies in its socket as long before it
    is seen.
    """

    def __init__(self, plan: Plan, share: Share, tally: Tally, elapsed: Clock, alarms: Alarms) -> None:
        super().__init__(plan, share, tally, elapsed)
        self._alarms = alarms

    def _follow_schedule(self) -> None:
        """See how late a wait ends, at random moments.

        What was due while this process stood still is late too: a long halt counts by its length.
        """
        random, due = Random(self._share.position), self._elapsed()
        while due < self._plan.length:
            if (wait := due - self._elapsed()) > 0:
                self._alarms.sleep(wait)
            self._add_lag(due, self._elapsed() - due)
            due += _LAG_SECONDS * (0.5 + random.random())
        self.end()

    def end(self) -> None:
        """Fire nothing more: the schedule is over."""
        self._is_over = True

    def _add_lag(self, due: float, lag: float) -> None:
        self.tally.add_lag(due, lag)


class SlotSource(_Timed):
    """A source whose arrivals are given to slots when they are due."""

    def __init__(self, plan: Plan, share: Share, tally: Tally, elapsed: Clock, alarms: Alarms) -> None:
        super().__init__(plan, share, tally, elapsed, alarms)
        self._slots = Slots(alarms, elapsed, self._accept)
        self.next_arrival = self.another = self._slots.take
        self.give_due = self._slots.give_due

    def stop(self) -> None:
        """End the schedule, and send all slots that wait away with nothing."""
        super().stop()
        self._drop_overdue()
        self._slots.release()

    def _drop_overdue(self) -> None:
        """Give nothing more out; arrivals that were due and had no slot count as dropped."""
        for arrival in self._slots.end():
            self._drop(arrival)

    @abstractmethod
    def _accept(self, arrival: Arrival, late: float, lag: float | None) -> bool:
        """Count an arrival whose turn has come, and say whether it is still worth firing."""

    @abstractmethod
    def _drop(self, arrival: Arrival) -> None:
        """Count an arrival that is not fired."""


class OpenSource(SlotSource):
    """The open model: arrivals by their schedule, whatever becomes of those before."""

    def start(self) -> None:
        """Begin the schedule and its stages."""
        self._slots.begin(schedule(self._plan, self._share))
        stage_start = self._plan.warm_up
        for stage in self._plan.stages:
            gevent.spawn_later(stage_start, self.tally.offer, stage.rate)
            stage_start += stage.seconds
        super().start()

    @property
    def exhausted(self) -> bool:
        """Whether the schedule came to its end, and all of it was given out."""
        return self._is_over and self._slots.exhausted

    def _accept(self, arrival: Arrival, late: float, _: float | None) -> bool:
        if late <= self._plan.patience:
            self.tally.add_arrival(arrival.intended_start, late)
            return True
        self._drop(arrival)
        return False

    def _drop(self, arrival: Arrival) -> None:
        self.tally.add_planned(arrival.intended_start)
        self.tally.add_drop(arrival.intended_start)


class ClosedSource(_Timed):
    """The closed model: each user fires when it is ready, and waits before it fires again."""

    def __init__(self, plan: Plan, share: Share, tally: Tally, elapsed: Clock, alarms: Alarms) -> None:
        super().__init__(plan, share, tally, elapsed, alarms)
        self.wait_time = plan.wait_time
        self.next_arrival = self._own_arrival
        self.another = _nothing
        self._number = share.position
        self._is_stopped = False

    def _own_arrival(self) -> Arrival | None:
        """Return an arrival that is intended for this moment, at which its user is ready."""
        if self._is_over or self._is_stopped:
            gevent.sleep(_POLL_SECONDS)
            return None
        number, self._number = self._number, self._number + self._share.count
        return Arrival(number, self._elapsed())

    def stop(self) -> None:
        """Have no user fire again."""
        super().stop()
        self._is_stopped = True


class PhasesSource(Source):
    """Phases of given cases, one after the other; ``in_flight`` gives how many requests of this process are."""

    def __init__(self, plan: Plan, share: Share, tally: Tally, elapsed: Clock, in_flight: Callable[[], int]) -> None:
        super().__init__(plan, share, tally, elapsed)
        self._in_flight = in_flight
        self._queue: SimpleQueue[Arrival] = SimpleQueue()
        self.next_arrival = self.another = self._queued_arrival

    def _queued_arrival(self) -> Arrival | None:
        try:
            arrival: Arrival = self._queue.get(timeout=_POLL_SECONDS)
        except Empty:
            return None
        return arrival

    def _follow_schedule(self) -> None:
        for phase in self._plan.phases:
            concurrency = own_concurrency(phase, self._share)
            for arrival in phase_arrivals(phase, self._share, self._elapsed):
                self._wait_for_fewer_than(concurrency)
                if (wait := arrival.intended_start - self._elapsed()) > 0:
                    gevent.sleep(wait)
                self.tally.add_planned(self._elapsed())
                self._queue.put(arrival._replace(intended_start=self._elapsed()))
            self._wait_for_fewer_than(1)
        self._is_over = True

    def _wait_for_fewer_than(self, concurrency: int) -> None:
        while self._in_flight() + self._queue.qsize() >= concurrency:
            gevent.sleep(_PHASE_POLL_SECONDS)

    def stop(self) -> None:
        """End the schedule; what waits in the queue counts as dropped."""
        super().stop()
        while not self._queue.empty():
            self.tally.add_drop(self._queue.get().intended_start)

    @property
    def exhausted(self) -> bool:
        """Whether all phases came to their end."""
        return self._is_over and self._queue.empty()
