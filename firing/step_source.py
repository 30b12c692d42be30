"""Firing the steps of a capacity search in one process: its part of each rate, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import gevent

from gatecrash.authorizers.contract import Answer, Expectation
from gatecrash.firing.alarms import Alarms
from gatecrash.firing.arrivals import Arrival, Share, step_arrivals
from gatecrash.firing.messages import StepReport
from gatecrash.firing.sources import Clock, SlotSource
from gatecrash.reports.capacity.probes import ProbeCounts, Step, StepKind
from gatecrash.reports.plan.plan import Plan
from gatecrash.reports.recording.tally import Tally

_LAST_ANSWERS_SECONDS: Final = 0.3
_NO_STEP: Final = Step(-1, StepKind.REST, rate=0.0, warm_up=0.0, seconds=0.0)


class Probing(SlotSource):
    """The steps that one process fires, one after the other.

    ``facts_of`` gives a case's family and expectation. The tally is told what was due and what was dropped.
    """

    def __init__(
        self,
        plan: Plan,
        share: Share,
        tally: Tally,
        elapsed: Clock,
        alarms: Alarms,
        facts_of: Callable[[int], tuple[str, Expectation]],
    ) -> None:
        super().__init__(plan, share, tally, elapsed, alarms)
        assert plan.capacity is not None  # noqa: S101 - there is nothing to search else
        self._latency = plan.capacity.objectives.latency
        self._facts_of = facts_of
        self.add = self._add
        self._offered_rate = 0.0
        self._turning = gevent.Greenlet()
        self._counts = ProbeCounts(_NO_STEP, self._latency)
        self._step_start = 0.0
        # Seconds since the step's start until which there is something to fire.
        self._until = 0.0
        self._cpu_at_start = (0.0, 0.0)
        self._in_flight = 0
        self._wrong_at_rest: frozenset[int] = frozenset()

    def begin_step(self, step: Step, apart: frozenset[int], delay: float) -> None:
        """Fire a step, ``delay`` seconds from now on; ``apart`` are the cases that were answered wrongly at rest."""
        self.end_step()
        self._offer(step, delay)
        self._wrong_at_rest = apart
        self._counts = ProbeCounts(step, self._latency)
        self._step_start = self._elapsed() + delay
        self._until = step.length
        self._cpu_at_start = (time.process_time(), time.perf_counter())
        self._in_flight = 0
        self._slots.begin(step_arrivals(self._plan, step, self._step_start, self._share))

    def _offer(self, step: Step, delay: float) -> None:
        # What an overload does to the answers lasts a while: until a step is measured, they count for the higher rate.
        self.tally.offer(max(self._offered_rate, step.rate, step.drain_rate))
        if step.kind is not StepKind.RECOVER:
            self._offered_rate = step.rate
            self._turning = gevent.spawn_later(delay + step.measured_from, self.tally.offer, step.rate)

    def end_step(self) -> None:
        """Fire nothing more of the step; arrivals that were due and had no slot count as dropped."""
        self._turning.kill()
        self._drop_overdue()

    def _drop_overdue(self) -> None:
        self._until = min(self._until, self._step_elapsed)
        super()._drop_overdue()

    def end(self) -> None:
        """Fire nothing more: the search is over."""
        self.end_step()
        super().end()

    def stop(self) -> None:
        """End the search, and send all slots that wait away with nothing."""
        self._turning.kill()
        super().stop()

    def _due(self, start: float) -> None:
        self._counts.add_due(start - self._step_start)
        self.tally.add_planned(start)

    def _drop(self, arrival: Arrival) -> None:
        """Count an arrival that was due and had no slot as long as the step lasted."""
        self._counts.add_waited(arrival.intended_start - self._step_start)
        self._due(arrival.intended_start)
        self._drop_due(arrival.intended_start)

    def _drop_due(self, start: float) -> None:
        self._counts.add_drop(start - self._step_start)
        self.tally.add_drop(start)

    def _accept(self, arrival: Arrival, late: float, lag: float | None) -> bool:
        counts, start = self._counts, arrival.intended_start
        self._due(start)
        if lag is not None:
            counts.add_lag(start - self._step_start, lag)
        else:
            counts.add_waited(start - self._step_start)
        if late <= self._plan.patience:
            self._in_flight += 1
            return True
        self._drop_due(start)
        return False

    def _add(self, case_index: int, start: float, sent: float, received: float, answer: Answer, phase: str) -> int:
        counts, began = self._counts, self._step_start
        # What comes of an earlier step is too late to count for it.
        if start >= began:
            self._in_flight -= 1
            _, expectation = self._facts_of(case_index)
            wrong = expectation.is_met_by(answer.outcome) is False
            cold = answer.invocation is not None and answer.invocation.cold_start
            apart = case_index in self._wrong_at_rest
            times = (start - began, sent - began, received - began)
            counts.add_exchange(*times, answer.outcome, wrong=wrong, apart=apart, cold=cold)
            if counts.step.kind is StepKind.REST:
                counts.note_case(case_index, right=not (wrong or answer.outcome.is_error))
        return self.tally.add(case_index, start, sent, received, answer, phase)

    def _add_lag(self, due: float, lag: float) -> None:
        if not self._slots.exhausted:
            self._counts.add_lag(due - self._step_start, lag)

    @property
    def _step_elapsed(self) -> float:
        """Seconds since the step's start; below 0 before it."""
        return self._elapsed() - self._step_start

    def report(self) -> StepReport:
        """Return what was counted of the step so far; arrivals that wait for a slot still when it is over are dropped.

        So what is told of a step that is closed has all of its arrivals, however many slots hang.
        """
        # Whatever isn't answered yet would be late.
        is_over = self._step_elapsed > self._until + self._latency + _LAST_ANSWERS_SECONDS
        if not self._slots.exhausted:
            cpu, clock = time.process_time() - self._cpu_at_start[0], time.perf_counter() - self._cpu_at_start[1]
            self._counts.cpu = cpu / clock if clock > 1 else 0.0
            if is_over:
                self._drop_overdue()
        finished = self._slots.exhausted and not self._in_flight
        return StepReport(self._counts, closed=is_over or finished, finished=finished)
