"""Firing in one process: slots take arrivals as they become due, fire them, and have them counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

import gevent
from gevent.queue import Empty, SimpleQueue

from authorizers.contract import Answer, Outcome
from authorizers.redact import secrets_of
from authorizers.targets.protocol import PreparedTarget, Target
from generators.corpus import Corpus
from locustfiles._arrivals import Arrival, Share, schedule
from locustfiles._phases import own_concurrency, phase_arrivals
from locustfiles._statistics import BatchedStatistics
from reports.plan import OPEN, Plan
from reports.recording import Recording
from reports.tally import Tally

Clock = Callable[[], float]
# The case, its outcome, and the response time in nanoseconds, cut to three digits.
Shown = tuple[int, Outcome, int]
_POLL_SECONDS: Final = 0.25
_PHASE_POLL_SECONDS: Final = 0.001
_LAG_SECONDS: Final = 0.01


class Firing:
    """What the slots of one process share during one run; times are seconds since its start.

    In the open model each slot takes the next arrival of the schedule and waits until it is due. How late such waits
    end, and those of a greenlet that does nothing else, is the lag: it says whether this process keeps up.
    """

    def __init__(
        self, plan: Plan, share: Share, corpus: Corpus, target: Target, *, clock: Clock = time.perf_counter
    ) -> None:
        self.plan = plan
        self.share = share
        self.corpus = corpus
        self.statistics = BatchedStatistics()
        self.in_flight = 0
        self.scheduled_all = False
        is_open = plan.model == OPEN and not plan.phases
        self.is_slot_model = is_open or bool(plan.phases)
        self._tally = Tally(
            worker=share.position,
            warm_up=0.0 if plan.phases else plan.warm_up,
            offered_rate=plan.rate if is_open else 0.0,
            secrets_of=lambda case_index: secrets_of(corpus.request(case_index)),
        )
        self._target = target
        self._prepared = target if isinstance(target, PreparedTarget) else None
        self._clock = clock
        self._arrivals = schedule(plan, share) if is_open else iter(())
        self._has_more = is_open
        self._waiting = 0
        self._stopped = False
        self._queue: SimpleQueue[Arrival] = SimpleQueue()
        self._closed_number = share.position
        self._started = clock()
        self._cpu_started = time.process_time()
        self._scheduler = gevent.spawn(self._fire_phases if plan.phases else self._watch_time)
        self.next_arrival: Callable[[], Arrival | None]
        if plan.phases:
            self.next_arrival = self._queued_arrival
        else:
            self.next_arrival = self._due_arrival if is_open else self._own_arrival

    @property
    def elapsed(self) -> float:
        """Seconds since the run's start."""
        return self._clock() - self._started

    @property
    def cpu(self) -> float:
        """The share of one core that this process used since the run's start."""
        return (time.process_time() - self._cpu_started) / max(self.elapsed, 1e-9)

    @property
    def finished(self) -> bool:
        """Whether all that was planned for this process has been fired and answered, or dropped."""
        busy = self._has_more or self._waiting or self.in_flight or not self._queue.empty()
        return self.scheduled_all and not busy

    def take_recording(self) -> Recording:
        """Return what was recorded since the last call, and start anew."""
        self.corpus.release()
        return self._tally.take()

    def _due_arrival(self) -> Arrival | None:
        """Wait for the next arrival that is still worth firing; None when there is no further one."""
        clock, started, tally = self._clock, self._started, self._tally
        for arrival in self._arrivals:
            late = clock() - started - arrival.intended_start
            if late < 0.0:
                self._waiting += 1
                try:
                    gevent.sleep(-late)
                finally:
                    self._waiting -= 1
                if self._stopped:
                    return None
                tally.add_arrival(arrival.intended_start, clock() - started - arrival.intended_start)
                return arrival
            tally.add_planned(arrival.intended_start)
            if late <= self.plan.patience:
                return arrival
            tally.add_drop(arrival.intended_start)
        self._has_more = False
        gevent.sleep(_POLL_SECONDS)
        return None

    def _queued_arrival(self) -> Arrival | None:
        """Wait a moment for an arrival of a phase; None when there was none."""
        try:
            arrival: Arrival = self._queue.get(timeout=_POLL_SECONDS)
        except Empty:
            return None
        return arrival

    def _own_arrival(self) -> Arrival | None:
        """Make the closed model's next arrival, which is intended for the moment at which its user is ready."""
        if self.scheduled_all:
            gevent.sleep(_POLL_SECONDS)
            return None
        number, self._closed_number = self._closed_number, self._closed_number + self.share.count
        return Arrival(number, self.elapsed)

    def fire(self, arrival: Arrival) -> Shown:
        """Fire one arrival's case and have it counted."""
        number, intended_start, case, phase = arrival
        case_index = number % len(self.corpus) if case is None else case
        clock, started = self._clock, self._started
        self.in_flight += 1
        try:
            if self._prepared is not None:
                body = self.corpus.body(case_index)
                sent = clock() - started
                answer: Answer = self._prepared.invoke_prepared(body, partial(self.corpus.request, case_index))
            else:
                request = self.corpus.request(case_index)
                sent = clock() - started
                answer = self._target.invoke(request)
            received = clock() - started
        finally:
            self.in_flight -= 1
        return case_index, answer.outcome, self._tally.add(case_index, intended_start, sent, received, answer, phase)

    def _watch_time(self) -> None:
        """See how late a wait ends, until the schedule is over."""
        while (left := self.plan.length - self.elapsed) > 0:
            due = self.elapsed + min(left, _LAG_SECONDS)
            gevent.sleep(max(0.0, due - self.elapsed))
            if self.plan.model == OPEN:
                self._tally.add_lag(due, self.elapsed - due)
        self.scheduled_all = True

    def _fire_phases(self) -> None:
        for phase in self.plan.phases:
            for arrival in phase_arrivals(phase, self.share, lambda: self.elapsed):
                while self.in_flight + self._queue.qsize() >= own_concurrency(phase, self.share):
                    gevent.sleep(_PHASE_POLL_SECONDS)
                if (wait := arrival.intended_start - self.elapsed) > 0:
                    gevent.sleep(wait)
                self._tally.add_arrival(self.elapsed, 0.0)
                self._queue.put(arrival._replace(intended_start=self.elapsed))
            while self.in_flight or not self._queue.empty():
                gevent.sleep(_PHASE_POLL_SECONDS)
        self.scheduled_all = True

    def stop(self) -> None:
        """End the schedule; arrivals that wait for a slot count as dropped."""
        self._stopped = True
        self._scheduler.kill()
        while not self._queue.empty():
            self._tally.add_drop(self._queue.get().intended_start)
        now = self.elapsed
        for arrival in self._arrivals:
            if arrival.intended_start > now:
                break
            self._tally.add_planned(arrival.intended_start)
            self._tally.add_drop(arrival.intended_start)
        self._arrivals, self._has_more = iter(()), False

    def close(self) -> None:
        """Stop, and give back the target's connections and the corpus."""
        self.stop()
        self._target.close()
        self.corpus.close()
