"""Firing the steps of a capacity search in one process: its part of each rate, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from gatecrash.authorizers.contract import Answer, Expectation
from gatecrash.firing.alarms import Alarms
from gatecrash.firing.arrivals import Arrival, Share, step_arrivals
from gatecrash.firing.slots import Slots
from gatecrash.reports.capacity.probes import ProbeCounts, Step, StepKind
from gatecrash.reports.recording.tally import Tally
from gatecrash.reports.run.plan import Plan

_LAST_ANSWERS_SECONDS: Final = 0.3


class Probing:
    """The steps that one process fires, one after the other; ``elapsed`` gives seconds since the run's start.

    The tally is told what was due and what was dropped.
    """

    def __init__(self, plan: Plan, share: Share, tally: Tally, alarms: Alarms, elapsed: Callable[[], float]) -> None:
        assert plan.capacity is not None  # noqa: S101 - there is nothing to search else
        self._plan = plan
        self._share = share
        self._latency = plan.capacity.objectives.latency
        self._tally = tally
        self._elapsed = elapsed
        self._slots = Slots(alarms, elapsed, self._accept)
        self._start = 0.0
        # Seconds since the step's start until which there is something to fire.
        self._until = 0.0
        self._cpu = (0.0, 0.0)
        self._in_flight = 0
        self._known: frozenset[int] = frozenset()
        self.counts: ProbeCounts | None = None

    def begin(self, step: Step, apart: frozenset[int], delay: float) -> None:
        """Fire a step, ``delay`` seconds from now on; ``apart`` are the cases that were answered wrongly at rest."""
        self.end()
        self._known = apart
        self.counts = ProbeCounts(step, self._latency)
        self._start = self._elapsed() + delay
        self._until = step.length
        self._cpu = (time.process_time(), time.perf_counter())
        self._in_flight = 0
        self._slots.begin(step_arrivals(self._plan, step, self._start, self._share))

    def end(self) -> None:
        """Fire nothing more of the step; arrivals that were due and had no slot count as dropped."""
        self._until = min(self._until, self.elapsed)
        for arrival in self._slots.end():
            if self.counts is not None:
                self.counts.add_waited(arrival.intended_start - self._start)
                self._due(self.counts, arrival.intended_start)
                self._drop(self.counts, arrival.intended_start)

    def _due(self, counts: ProbeCounts, start: float) -> None:
        counts.add_due(start - self._start)
        self._tally.add_planned(start)

    def _drop(self, counts: ProbeCounts, start: float) -> None:
        counts.add_drop(start - self._start)
        self._tally.add_drop(start)

    @property
    def finished(self) -> bool:
        """Whether all arrivals of the step were answered or dropped."""
        return self._slots.exhausted and not self._in_flight

    def next_arrival(self) -> Arrival | None:
        """Wait for the next arrival of the step that is still worth firing; None when there is none for the moment."""
        return self._slots.take()

    def give_due(self) -> None:
        """Give arrivals that are due to free slots; only gevent's loop may call it."""
        self._slots.give_due()

    def _accept(self, arrival: Arrival, late: float, lag: float | None) -> bool:
        """Count an arrival whose turn has come, and say whether it is still worth firing."""
        counts, start = self.counts, arrival.intended_start
        assert counts is not None  # noqa: S101 - no arrival without a step
        self._due(counts, start)
        if lag is not None:
            counts.add_lag(start - self._start, lag)
        else:
            counts.add_waited(start - self._start)
        if late <= self._plan.patience:
            self._in_flight += 1
            return True
        self._drop(counts, start)
        return False

    def release(self) -> None:
        """Send all slots that wait away with nothing."""
        self._slots.release()

    def add(
        self, case_index: int, start: float, sent: float, received: float, answer: Answer, expectation: Expectation
    ) -> None:
        """Count an exchange; times are seconds since the run's start."""
        counts, began = self.counts, self._start
        if counts is None or start < began:
            return
        self._in_flight -= 1
        wrong = expectation.is_met_by(answer.outcome) is False
        cold = answer.invocation is not None and answer.invocation.cold_start
        apart = case_index in self._known
        times = (start - began, sent - began, received - began)
        counts.add_exchange(*times, answer.outcome, wrong=wrong, apart=apart, cold=cold)
        if counts.step.kind is StepKind.REST:
            counts.note_case(case_index, right=not (wrong or answer.outcome.is_error))

    def add_lag(self, due: float, lag: float) -> None:
        """Count how late a wait ended; ``due`` in seconds since the run's start."""
        if self.counts is not None and not self._slots.exhausted:
            self.counts.add_lag(due - self._start, lag)

    @property
    def elapsed(self) -> float:
        """Seconds since the step's start; below 0 before it."""
        return self._elapsed() - self._start

    @property
    def closed(self) -> bool:
        """Whether the step's counts are complete, but for what would be late anyway."""
        return self.counts is not None and (self.finished or self._is_over)

    @property
    def _is_over(self) -> bool:
        """Whether whatever isn't answered yet would be late."""
        return self.elapsed > self._until + self._latency + _LAST_ANSWERS_SECONDS

    def snapshot(self) -> ProbeCounts | None:
        """Return what was counted of the step so far; arrivals that wait for a slot still when it is over are dropped.

        So what is told of a step that is closed has all of its arrivals, however many slots hang.
        """
        if self.counts is not None and not self._slots.exhausted:
            cpu, clock = time.process_time() - self._cpu[0], time.perf_counter() - self._cpu[1]
            self.counts.cpu = cpu / clock if clock > 1 else 0.0
            if self._is_over:
                self.end()
        return self.counts
