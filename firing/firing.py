"""Firing in one process: slots take arrivals as they become due, fire them, and have them counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

import gevent
from gevent.queue import Empty, SimpleQueue

from gatecrash.authorizers.contract import Answer, Outcome
from gatecrash.authorizers.redact import secrets_of
from gatecrash.authorizers.targets.protocol import PreparedTarget, Target
from gatecrash.firing.alarms import Alarms
from gatecrash.firing.arrivals import Arrival, Share, schedule
from gatecrash.firing.phases import own_concurrency, phase_arrivals
from gatecrash.firing.probing import Probing
from gatecrash.firing.slots import Slots
from gatecrash.generators.corpus import Corpus
from gatecrash.locustfiles._statistics import BatchedStatistics
from gatecrash.reports.capacity.probes import Step, StepKind
from gatecrash.reports.recording.clocks import ClockWatch
from gatecrash.reports.recording.latency import Pause, no_pause
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.tally import Tally
from gatecrash.reports.run.plan import OPEN, Plan

Clock = Callable[[], float]
# The case, its outcome, and the response time in nanoseconds, cut to three digits.
Shown = tuple[int, Outcome, int]
_POLL_SECONDS: Final = 0.25
_PHASE_POLL_SECONDS: Final = 0.001
# Between two looks at the lag, on average: their distances differ, so that they keep no step with anything else.
_LAG_SECONDS: Final = 0.005
_CLOCK_SECONDS: Final = 0.5


class Firing:
    """What the slots of one process share during one run; times are seconds since its start.

    How late waits end of a greenlet that does nothing else is the lag: an answer lies in its socket as long before it
    is seen.
    """

    def __init__(
        self,
        plan: Plan,
        share: Share,
        corpus: Corpus,
        target: Target,
        *,
        clock: Clock = time.perf_counter,
        clocks: ClockWatch | None = None,
    ) -> None:
        self.plan = plan
        self.share = share
        self.corpus = corpus
        self.statistics = BatchedStatistics()
        self.in_flight = 0
        self.scheduled_all = False
        is_open = plan.model == OPEN and not plan.phases and not plan.capacity
        self.is_slot_model = is_open or bool(plan.phases) or bool(plan.capacity)
        self._tally = Tally(
            worker=share.position,
            warm_up=0.0 if plan.phases or plan.capacity else plan.warm_up,
            offered_rate=plan.rate if is_open else 0.0,
            secrets_of=lambda case_index: secrets_of(corpus.request(case_index)),
            expectation_of=lambda case_index: corpus.family_and_expectation(case_index)[1],
        )
        self._alarms = Alarms()
        self._clocks = clocks or ClockWatch()
        self.probing = Probing(plan, share, self._tally, self._alarms, self._elapsed) if plan.capacity else None
        self._slots = Slots(self._alarms, self._elapsed, self._accept)
        self._rate = 0.0
        self._turning = gevent.Greenlet()
        self._target = target
        self._prepared = target if isinstance(target, PreparedTarget) else None
        self._clock = clock
        self._stopped = False
        self._queue: SimpleQueue[Arrival] = SimpleQueue()
        self._closed_number = share.position
        self._started = clock()
        if is_open:
            self._slots.begin(schedule(plan, share))
        self._scheduler = gevent.spawn(self._fire_phases if plan.phases else self._watch_time)
        self._clock_watcher = gevent.spawn(self._watch_clocks)
        start = plan.warm_up
        for stage in plan.stages:
            gevent.spawn_later(start, self._tally.offer, stage.rate)
            start += stage.seconds
        self.next_arrival: Callable[[], Arrival | None]
        if self.probing is not None:
            self.next_arrival = self.probing.next_arrival
        elif plan.phases:
            self.next_arrival = self._queued_arrival
        else:
            self.next_arrival = self._slots.take if is_open else self._own_arrival
        if self._prepared is not None:
            # When an answer came is known however late it is read; when a request is sent is up to this process.
            self._prepared.call_before_reading((self.probing or self._slots).give_due)

    @property
    def elapsed(self) -> float:
        """Seconds since the run's start."""
        return self._elapsed()

    def _elapsed(self) -> float:
        return self._clock() - self._started

    @property
    def finished(self) -> bool:
        """Whether all that was planned for this process has been fired and answered, or dropped."""
        return self.scheduled_all and self._slots.exhausted and not self.in_flight and self._queue.empty()

    def take_recording(self, pause: Pause = no_pause) -> Recording:
        """Return what was recorded since the last call, and start anew; firing goes on in the pauses."""
        self.corpus.release()
        return self._tally.take(pause)

    def _accept(self, arrival: Arrival, late: float, _: float | None) -> bool:
        """Count an arrival whose turn has come, and say whether it is still worth firing."""
        if late <= self.plan.patience:
            self._tally.add_arrival(arrival.intended_start, late)
            return True
        self._drop(arrival)
        return False

    def _drop(self, arrival: Arrival) -> None:
        self._tally.add_planned(arrival.intended_start)
        self._tally.add_drop(arrival.intended_start)

    def _queued_arrival(self) -> Arrival | None:
        """Wait a moment for an arrival of a phase; None when there was none."""
        try:
            arrival: Arrival = self._queue.get(timeout=_POLL_SECONDS)
        except Empty:
            return None
        return arrival

    def _own_arrival(self) -> Arrival | None:
        """Make the closed model's next arrival, which is intended for the moment at which its user is ready."""
        if self.scheduled_all or self._stopped:
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
                moment = self._prepared.received
            else:
                request = self.corpus.request(case_index)
                sent = clock() - started
                answer, moment = self._target.invoke(request), None
            # An answer has come when the kernel has it, however long it takes until this process is told.
            received = clock() - started if moment is None else max(moment - started, sent)
        finally:
            self.in_flight -= 1
        if moment is None:
            self._tally.add_timed_here()
        if self.probing is not None:
            _, expectation = self.corpus.family_and_expectation(case_index)
            self.probing.add(case_index, intended_start, sent, received, answer, expectation)
        return case_index, answer.outcome, self._tally.add(case_index, intended_start, sent, received, answer, phase)

    def begin_step(self, step: Step, apart: frozenset[int], delay: float) -> None:
        """Fire a step of a capacity search, ``delay`` seconds from now on."""
        assert self.probing is not None  # noqa: S101 - steps come in a capacity search only
        # What an overload does to the answers lasts a while: until a step is measured, they count for the higher rate.
        self._turning.kill()
        self._tally.offer(max(self._rate, step.rate, step.drain_rate))
        if step.kind is not StepKind.RECOVER:
            self._rate = step.rate
            self._turning = gevent.spawn_later(delay + step.measured_from, self._tally.offer, step.rate)
        self.probing.begin(step, apart, delay)

    def end_step(self) -> None:
        """Fire nothing more of the step."""
        self._turning.kill()
        if self.probing is not None:
            self.probing.end()

    def end_search(self) -> None:
        """Fire nothing more: the search is over."""
        self.end_step()
        self.scheduled_all = True

    def _watch_time(self) -> None:
        """See how late a wait ends, at random moments until the schedule is over.

        What was due while this process stood still is late too: a long halt counts by its length.
        """
        random, due = Random(self.share.position), self.elapsed
        while due < self.plan.length:
            if (wait := due - self.elapsed) > 0:
                self._alarms.sleep(wait)
            if self.probing is not None:
                self.probing.add_lag(due, self.elapsed - due)
            else:
                self._tally.add_lag(due, self.elapsed - due)
            due += _LAG_SECONDS * (0.5 + random.random())
        self.end_search()

    def _watch_clocks(self) -> None:
        while True:
            gevent.sleep(_CLOCK_SECONDS)
            self._tally.add_clock_jumps(self._clocks.look(self.elapsed))

    def _fire_phases(self) -> None:
        for phase in self.plan.phases:
            for arrival in phase_arrivals(phase, self.share, lambda: self.elapsed):
                while self.in_flight + self._queue.qsize() >= own_concurrency(phase, self.share):
                    gevent.sleep(_PHASE_POLL_SECONDS)
                if (wait := arrival.intended_start - self.elapsed) > 0:
                    gevent.sleep(wait)
                self._tally.add_planned(self.elapsed)
                self._queue.put(arrival._replace(intended_start=self.elapsed))
            while self.in_flight or not self._queue.empty():
                gevent.sleep(_PHASE_POLL_SECONDS)
        self.scheduled_all = True

    def stop(self) -> None:
        """End the schedule; arrivals that wait for a slot count as dropped."""
        self._stopped = True
        self._scheduler.kill()
        self._clock_watcher.kill()
        self.end_step()
        while not self._queue.empty():
            self._tally.add_drop(self._queue.get().intended_start)
        for arrival in self._slots.end():
            self._drop(arrival)
        self._slots.release()
        if self.probing is not None:
            self.probing.release()

    def close(self) -> None:
        """Stop, and give back the target's connections and the corpus."""
        self.stop()
        self._alarms.close()
        self._target.close()
        self.corpus.close()
