"""Firing in one process: slots take arrivals from a source as they become due, fire them, and have them counted."""

from __future__ import annotations

import gc
import time
from functools import partial
from pathlib import Path
from typing import Final

import gevent

from gatecrash.authorizers.contract import Answer, Outcome
from gatecrash.authorizers.redact import secrets_of
from gatecrash.authorizers.targets.opening import open_target
from gatecrash.authorizers.targets.protocol import PreparedTarget, Target
from gatecrash.firing.alarms import Alarms
from gatecrash.firing.arrivals import Arrival, Share
from gatecrash.firing.sources import Clock, ClosedSource, OpenSource, PhasesSource, Source
from gatecrash.firing.step_source import Probing
from gatecrash.generators.corpus import Corpus
from gatecrash.reports.plan.plan import OPEN, Plan
from gatecrash.reports.recording.clocks import ClockWatch
from gatecrash.reports.recording.latency import Pause, no_pause
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.tally import Tally

# The case, its outcome, and the response time in nanoseconds, cut to three digits.
Shown = tuple[int, Outcome, int]
_CLOCK_SECONDS: Final = 0.5
_COLLECTED_AFTER: Final = (50_000, 20, 50)


class Firing:
    """What the slots of one process share during one run; times are seconds since its start."""

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
        self.corpus = corpus
        self.in_flight = 0
        self._target = target
        self._prepared = target if isinstance(target, PreparedTarget) else None
        self._clock = clock
        self._started = clock()
        self._clocks = clocks or ClockWatch()
        self._clock_watcher = gevent.Greenlet(self._watch_clocks)
        self._alarms = Alarms()
        self.source = self._source_of(plan, share)
        self._add = self.source.add

    def _source_of(self, plan: Plan, share: Share) -> Source:
        """Return what says which arrivals there are: the one place that tells the models of load apart."""
        tally_of = partial(
            Tally,
            worker=share.position,
            secrets_of=lambda case_index: secrets_of(self.corpus.request(case_index)),
            expectation_of=lambda case_index: self.corpus.family_and_expectation(case_index)[1],
        )
        # Steps of a search and phases have no warm-up that the recording keeps apart.
        if plan.capacity is not None:
            tally = tally_of(warm_up=0.0, offered_rate=0.0)
            return Probing(plan, share, tally, self._elapsed, self._alarms, self.corpus.family_and_expectation)
        if plan.phases:
            tally = tally_of(warm_up=0.0, offered_rate=0.0)
            return PhasesSource(plan, share, tally, self._elapsed, lambda: self.in_flight)
        if plan.model == OPEN:
            tally = tally_of(warm_up=plan.warm_up, offered_rate=plan.rate)
            return OpenSource(plan, share, tally, self._elapsed, self._alarms)
        tally = tally_of(warm_up=plan.warm_up, offered_rate=0.0)
        return ClosedSource(plan, share, tally, self._elapsed, self._alarms)

    def start(self) -> None:
        """Begin the run."""
        self._started = self._clock()
        self.source.start()
        self._clock_watcher.start()
        if self._prepared is not None:
            # When an answer came is known however late it is read; when a request is sent is up to this process. So
            # before answers are read, which takes a while, arrivals that became due meanwhile are sent.
            self._prepared.call_before_reading(self.source.give_due)

    @property
    def elapsed(self) -> float:
        """Seconds since the run's start."""
        return self._elapsed()

    def _elapsed(self) -> float:
        return self._clock() - self._started

    @property
    def finished(self) -> bool:
        """Whether all that was planned for this process has been fired and answered, or dropped."""
        return self.source.exhausted and not self.in_flight

    def take_recording(self, pause: Pause = no_pause) -> Recording:
        """Return what was recorded since the last call, and start anew; firing goes on in the pauses."""
        self.corpus.release()
        return self.source.tally.take(pause)

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
                # Most answers are known: only where one is not does the target ask for the request itself.
                answer: Answer = self._prepared.invoke_prepared(body, partial(self.corpus.request, case_index))
                # At once: the next answer overwrites it.
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
            self.source.tally.add_timed_here()
        return case_index, answer.outcome, self._add(case_index, intended_start, sent, received, answer, phase)

    def _watch_clocks(self) -> None:
        while True:
            gevent.sleep(_CLOCK_SECONDS)
            self.source.tally.add_clock_jumps(self._clocks.look(self.elapsed))

    def stop(self) -> None:
        """End the schedule; arrivals that wait for a slot count as dropped."""
        self._clock_watcher.kill()
        self.source.stop()

    def close(self) -> None:
        """Stop, and give back the target's connections and the corpus."""
        self.stop()
        self._alarms.close()
        self._target.close()
        self.corpus.close()


def open_firing(plan: Plan, share: Share) -> Firing:
    """Return a firing that hasn't started yet; raises GatecrashError where its corpus or target can't be opened."""
    corpus = Corpus(Path(plan.corpus))
    target = open_target(plan.target, connections=max(1, plan.users))
    collect_seldom()
    return Firing(plan, share, corpus, target)


def collect_seldom() -> None:
    """Leave what is there by now, which stays, out of the search for garbage: it would hold firing or gathering up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)
