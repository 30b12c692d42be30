"""Firing the steps of a capacity search in one process: its part of each rate, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from gevent.event import Event

from authorizers.contract import Answer, Expectation
from locustfiles._arrivals import Arrival, Share, step_arrivals
from reports.plan import Plan
from reports.probes import ERRORS, ProbeCounts, Step, StepKind
from reports.tally import Tally

_POLL_SECONDS: Final = 0.25
_LAST_ANSWERS_SECONDS: Final = 0.3
_NO_ARRIVALS: Final[tuple[Arrival, ...]] = ()


class Probing:
    """The steps that one process fires, one after the other; ``elapsed`` gives seconds since the run's start.

    The tally is told what was due and what was dropped.
    """

    def __init__(self, plan: Plan, share: Share, tally: Tally, elapsed: Callable[[], float]) -> None:
        assert plan.capacity is not None  # noqa: S101 - there is nothing to search else
        self._plan = plan
        self._share = share
        self._latency: float = plan.capacity["objectives"]["latency"]
        self._tally = tally
        self._elapsed = elapsed
        self._arrivals: Iterator[Arrival] = iter(_NO_ARRIVALS)
        self._begins = Event()
        self._start = 0.0
        self._cpu = (0.0, 0.0)
        self._waiting = self._in_flight = 0
        self._exhausted = True
        self._known: frozenset[int] = frozenset()
        self.counts: ProbeCounts | None = None

    def begin(self, step: Step, apart: frozenset[int], delay: float) -> None:
        """Fire a step, ``delay`` seconds from now on; ``apart`` are the cases that were answered wrongly at rest."""
        self.end()
        self._known = apart
        self.counts = ProbeCounts(step, self._latency)
        self._start = self._elapsed() + delay
        self._cpu = (time.process_time(), time.perf_counter())
        self._arrivals, self._exhausted = step_arrivals(self._plan, step, self._start, self._share), False
        self._waiting = self._in_flight = 0
        begins, self._begins = self._begins, Event()
        begins.set()

    def end(self) -> None:
        """Fire nothing more of the step; arrivals that were due and had no slot count as dropped."""
        now = self._elapsed()
        for arrival in self._arrivals:
            if self.counts is None or arrival.intended_start > now:
                break
            self._due(self.counts, arrival.intended_start)
            self._drop(self.counts, arrival.intended_start)
        self._arrivals, self._exhausted = iter(_NO_ARRIVALS), True
        begins, self._begins = self._begins, Event()
        begins.set()

    def _due(self, counts: ProbeCounts, start: float) -> None:
        counts.add_due(start - self._start)
        self._tally.add_planned(start)

    def _drop(self, counts: ProbeCounts, start: float) -> None:
        counts.add_drop(start - self._start)
        self._tally.add_drop(start)

    @property
    def finished(self) -> bool:
        """Whether all arrivals of the step were answered or dropped."""
        return self._exhausted and not self._waiting and not self._in_flight

    def next_arrival(self) -> Arrival | None:
        """Wait for the next arrival of the step that is still worth firing; None when there is none for the moment."""
        counts, begins = self.counts, self._begins
        if counts is None:
            begins.wait(_POLL_SECONDS)
            return None
        for arrival in self._arrivals:
            late = self._elapsed() - arrival.intended_start
            if late < 0.0:
                self._waiting += 1
                ended = begins.wait(-late)
                if self.counts is not counts:
                    return None
                self._waiting -= 1
                if ended:
                    return None
                self._due(counts, arrival.intended_start)
                counts.add_lag(arrival.intended_start - self._start, self._elapsed() - arrival.intended_start)
                self._in_flight += 1
                return arrival
            self._due(counts, arrival.intended_start)
            if late <= self._plan.patience:
                self._in_flight += 1
                return arrival
            self._drop(counts, arrival.intended_start)
        self._exhausted = True
        begins.wait(_POLL_SECONDS)
        return None

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
            counts.note_case(case_index, right=not (wrong or answer.outcome in ERRORS))

    def add_lag(self, due: float, lag: float) -> None:
        """Count how late a wait ended; ``due`` in seconds since the run's start."""
        if self.counts is not None and not self._exhausted:
            self.counts.add_lag(due - self._start, lag)

    @property
    def elapsed(self) -> float:
        """Seconds since the step's start; below 0 before it."""
        return self._elapsed() - self._start

    @property
    def closed(self) -> bool:
        """Whether the step's counts are complete, but for what would be late anyway."""
        return self.counts is not None and (
            self.finished or self.elapsed > self.counts.step.length + self._latency + _LAST_ANSWERS_SECONDS
        )

    def snapshot(self) -> ProbeCounts | None:
        """Return what was counted of the step so far."""
        if self.counts is not None and not self._exhausted:
            cpu, clock = time.process_time() - self._cpu[0], time.perf_counter() - self._cpu[1]
            self.counts.cpu = cpu / clock if clock > 1 else 0.0
        return self.counts
