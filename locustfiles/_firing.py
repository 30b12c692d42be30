"""Firing in one process: a scheduler greenlet hands arrivals to slots, slots fire and record."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import gevent
from gevent.queue import Empty, SimpleQueue

from authorizers.contract import Answer
from authorizers.redact import secrets_of
from authorizers.targets.protocol import PreparedTarget, Target
from generators.corpus import Corpus
from locustfiles._arrivals import Arrival, Share, schedule
from locustfiles._phases import own_concurrency, phase_arrivals
from locustfiles._statistics import BatchedStatistics
from reports.plan import OPEN, Plan
from reports.recording import Recording
from reports.records import Exchange

Clock = Callable[[], float]
_POLL_SECONDS: Final = 0.25
_PHASE_POLL_SECONDS: Final = 0.001


class Firing:
    """What the slots of one process share during one run.

    ``recording`` holds what was seen since it was last taken; times in it are seconds since the run's start.
    """

    def __init__(
        self, plan: Plan, share: Share, corpus: Corpus, target: Target, *, clock: Clock = time.perf_counter
    ) -> None:
        self.plan = plan
        self.share = share
        self.corpus = corpus
        self.recording = Recording()
        self.statistics = BatchedStatistics()
        self.in_flight = 0
        self.scheduled_all = False
        self._target = target
        self._prepared = target if isinstance(target, PreparedTarget) else None
        self._warm_up = 0.0 if plan.phases else plan.warm_up
        self._offered_rate = plan.rate if plan.model == OPEN and not plan.phases else 0.0
        self._patience = math.inf if plan.phases else plan.patience
        self._clock = clock
        self._queue: SimpleQueue[Arrival] = SimpleQueue()
        self._closed_number = share.position
        self._started = clock()
        self._cpu_started = time.process_time()
        self._scheduler = gevent.spawn(self._scheduled_by)

    @property
    def _scheduled_by(self) -> Callable[[], None]:
        if self.plan.phases:
            return self._fire_phases
        return self._schedule if self.plan.model == OPEN else self._wait_for_end

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
        return self.scheduled_all and self.in_flight == 0 and self._queue.empty()

    @property
    def queued(self) -> int:
        """How many arrivals wait for a slot."""
        return int(self._queue.qsize())

    def take_recording(self) -> Recording:
        """Return what was recorded since the last call, and start anew."""
        taken, self.recording = self.recording, Recording()
        return taken

    def next_arrival(self) -> Arrival | None:
        """Wait a moment for an arrival that is still worth firing; None when there was none."""
        if self.plan.model != OPEN and not self.plan.phases:
            return self._own_arrival()
        queue, patience = self._queue, self._patience
        try:
            while True:
                # Waiting with a time-out is dear: it isn't done where something is there.
                arrival: Arrival = queue.get(timeout=_POLL_SECONDS) if queue.empty() else queue.get_nowait()
                if self._clock() - self._started - arrival.intended_start <= patience:
                    return arrival
                self.recording.add_drop(arrival.intended_start)
        except Empty:
            return None

    def _own_arrival(self) -> Arrival | None:
        """Make the closed model's next arrival, which is intended for the moment at which its user is ready."""
        if self.scheduled_all:
            gevent.sleep(_POLL_SECONDS)
            return None
        number, self._closed_number = self._closed_number, self._closed_number + self.share.count
        return Arrival(number, self.elapsed)

    def fire(self, arrival: Arrival) -> Exchange:
        """Fire one arrival's case and record the exchange."""
        case_index = arrival.number % len(self.corpus) if arrival.case is None else arrival.case
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
        intended_start = arrival.intended_start
        exchange = Exchange(
            case_index,
            intended_start,
            sent,
            received,
            answer,
            intended_start < self._warm_up,
            self._offered_rate,
            self.share.position,
            arrival.phase,
        )
        self.recording.add_exchange(exchange, lambda: secrets_of(self.corpus.request(case_index)))
        return exchange

    def _schedule(self) -> None:
        for arrival in schedule(self.plan, self.share):
            wait = arrival.intended_start - self.elapsed
            if wait > 0:
                gevent.sleep(wait)
            warm_up = arrival.intended_start < self.plan.warm_up
            self.recording.add_arrival(arrival.intended_start, self.elapsed - arrival.intended_start, warm_up=warm_up)
            self._queue.put(arrival)
        self._wait_for_end()

    def _fire_phases(self) -> None:
        for phase in self.plan.phases:
            for arrival in phase_arrivals(phase, self.share, lambda: self.elapsed):
                while self.in_flight + self._queue.qsize() >= own_concurrency(phase, self.share):
                    gevent.sleep(_PHASE_POLL_SECONDS)
                if (wait := arrival.intended_start - self.elapsed) > 0:
                    gevent.sleep(wait)
                self.recording.add_arrival(self.elapsed, 0.0, warm_up=False)
                self._queue.put(arrival._replace(intended_start=self.elapsed))
            while self.in_flight or not self._queue.empty():
                gevent.sleep(_PHASE_POLL_SECONDS)
        self.scheduled_all = True

    def _wait_for_end(self) -> None:
        gevent.sleep(max(0.0, self.plan.length - self.elapsed))
        self.scheduled_all = True

    def stop(self) -> None:
        """End the schedule; arrivals that wait for a slot count as dropped."""
        self._scheduler.kill()
        while not self._queue.empty():
            self.recording.add_drop(self._queue.get().intended_start)

    def close(self) -> None:
        """Stop, and give back the target's connections and the corpus."""
        self.stop()
        self._target.close()
        self.corpus.close()
