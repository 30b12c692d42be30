"""Carries a capacity search out: has each step fired by all firing processes, judges it, and keeps the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gatecrash.firing.messages import StepReport
from gatecrash.firing.search_decisions import Search, SearchEnd
from gatecrash.reports.capacity.answer import Capacity, ColdStarts, Recovery, bad_until
from gatecrash.reports.capacity.bucket import Bucket, estimate_bucket
from gatecrash.reports.capacity.judging import Probe, is_hopeless, judge_probe
from gatecrash.reports.capacity.objectives import SLOTS_FACTOR
from gatecrash.reports.capacity.probes import ProbeCounts, Step, StepKind
from gatecrash.reports.plan.facts import SearchPlan
from gatecrash.reports.recording.latency import LatencyHistogram

_DELAY_SECONDS: Final = 0.2
_TICK_SECONDS: Final = 0.1
_DRAINED_SECONDS: Final = 15.0
_CLOSED_SECONDS: Final = 5.0
_COOL_DOWN_SECONDS: Final = 0.5
_RECOVERED_SECONDS: Final = 3.0
_SLOTS_LEAST: Final = 20
# Arrivals of a worker's share don't come as evenly as all together.
_SLOTS_EACH: Final = 4

Begin = Callable[[Step, frozenset[int], float], None]


class CapacityControl:
    """Lives where the run folder is written. ``begin`` has all processes fire a step, ``end`` has them stop it.

    ``workers`` gives the names of those that fire; ``elapsed`` seconds since the run's start. Of the ``users`` only as
    many are there as a rate needs, and at least those that the settings ask for, and some for each worker.
    """

    def __init__(
        self,
        plan: SearchPlan,
        *,
        begin: Begin,
        end: Callable[[], None],
        workers: Callable[[], set[str]],
        elapsed: Callable[[], float],
        sleep: Callable[[float], None],
        users: int,
    ) -> None:
        self._objectives = plan.objectives
        self._search = Search(plan)
        self._limits = plan.limits
        self._begin, self._end, self._workers = begin, end, workers
        self._elapsed, self._sleep = elapsed, sleep
        self._number = -1
        self._started = 0.0
        self._seen: dict[str, StepReport] = {}
        self._fired = 0
        self._overload: tuple[float, float] | None = None
        self._cold = LatencyHistogram()
        self._apart: frozenset[int] = frozenset()
        self._users_most = users
        self._users_least = plan.users_least
        self._asked: set[str] = set()
        self.users = self._users_for(0.0)
        self.result = Capacity(self._objectives, at_least=plan.at_least)

    def receive(self, worker: str, seen: StepReport) -> None:
        """Take what a process tells of the step; what it tells of an earlier one counts for nothing."""
        if seen.counts.step.number == self._number:
            self._seen[worker] = seen

    def run(self) -> None:
        """Search until the answer is known or a limit is reached."""
        steps = self._search.steps()
        step, reason = next(steps), ""
        while not (reason := self._limit_of(step)):
            probe, bucket = self._fire(replace(step, first=self._fired))
            try:
                step = steps.send((probe, bucket))
            except StopIteration:
                break
            self._keep(self._search.end())
            # A recovery is watched from its first moment on.
            if step.kind is not StepKind.RECOVER:
                self._wait_for_answers()
        self.finish(reason)

    def finish(self, reason: str) -> None:
        """Keep what is known by now as the result; ``reason`` is what ended the search before it was done."""
        if not self.result.complete:
            self._keep(self._search.end())
            self.result = replace(self.result, complete=True, ended_by=reason)

    def _keep(self, end: SearchEnd) -> None:
        low, high = end.low, end.high
        self.result = replace(
            self.result,
            low=low.rate if low else None,
            high=high.rate if high else None,
            sure=end.sure,
            limited=high.limited if high else "",
            binding=high.broken if high and not high.limited else (),
        )

    def _limit_of(self, step: Step) -> str:
        seconds, requests = self._limits.seconds, self._limits.requests
        if seconds is not None and self._elapsed() + step.length > seconds:
            return f"the time limit of {seconds:g} s"
        if requests is not None and self._fired + step.arrivals > requests:
            return f"the limit of {requests:,.0f} requests"
        return ""

    def _fire(self, step: Step) -> tuple[Probe, Bucket | None]:
        """Have a step fired to its end, and judge it."""
        self._seen, self._number = {}, step.number
        self._fired += step.arrivals
        self.users = max(self.users, self._users_for(max(step.rate, step.drain_rate)))
        self._asked = set(self._workers())
        self._started = self._elapsed() + _DELAY_SECONDS
        self._begin(step, self._apart, _DELAY_SECONDS)
        while (now := self._elapsed() - self._started) < step.length:
            self._sleep(_TICK_SECONDS)
            if self._may_end(step, now):
                self._end()
                step = replace(step, seconds=round(now - step.measured_from, 1))
                break
        limit = step.length + self._objectives.latency + _CLOSED_SECONDS
        while not self._all_told(lambda seen: seen.closed) and self._elapsed() - self._started < limit:
            self._sleep(_TICK_SECONDS)
        return self._judge(step)

    def _busy_at(self, rate: float) -> float:
        """Return how many slots are busy at a rate where answers take as long as is looked at."""
        return rate * self._objectives.latency * SLOTS_FACTOR

    def _users_for(self, rate: float) -> int:
        least = max(self._users_least, _SLOTS_EACH * len(self._workers()))
        return min(self._users_most, max(least, int(self._busy_at(rate)) + _SLOTS_LEAST))

    def _all_told(self, what: Callable[[StepReport], bool]) -> bool:
        return all(name in self._seen and what(self._seen[name]) for name in self._workers())

    def _may_end(self, step: Step, now: float) -> bool:
        """Say whether a step has told all it can before its time is over."""
        if step.kind is StepKind.REST or now < step.measured_from + 1:
            return False
        so_far = ProbeCounts(step, self._objectives.latency)
        for seen in self._seen.values():
            so_far.add_bins(seen.counts)
        if step.kind is not StepKind.RECOVER:
            return is_hopeless(so_far, now)
        told = now - self._objectives.latency
        return told - bad_until(so_far, self._objectives, told) > _RECOVERED_SECONDS

    def _counts(self, step: Step) -> ProbeCounts:
        """Return the counts of all processes together."""
        total = ProbeCounts(step, self._objectives.latency)
        for seen in self._seen.values():
            total.add(seen.counts)
        return total

    def _judge(self, step: Step) -> tuple[Probe, Bucket | None]:
        counts = self._counts(step)
        untold = [name for name in self._asked if name not in self._seen or not self._seen[name].closed]
        probe = judge_probe(
            counts,
            self._objectives,
            self._started,
            slots=self._users_most if self._busy_at(step.rate) > self._users_most else None,
            workers=len(self._asked),
            untold=len(untold),
        )
        bucket = None if step.drain else estimate_bucket(counts)
        self._cold.add(counts.cold)
        if step.kind is StepKind.REST:
            self._apart = counts.apart
        elif step.kind is StepKind.RECOVER:
            self._note_recovery(step, counts)
        elif probe.leans_to_broken:
            self._overload = (step.rate, self._started + step.length)
        self.result = replace(
            self.result,
            probes=(*self.result.probes, probe),
            bucket=self.result.bucket or bucket,
            apart=len(self._apart),
            cold_starts=ColdStarts.of(self._cold) if self._cold.count else None,
        )
        return probe, bucket

    def _note_recovery(self, step: Step, counts: ProbeCounts) -> None:
        if self._overload is None:
            return
        rate, ended = self._overload
        before, watched = self._started - ended, step.length - self._objectives.latency
        last = bad_until(counts, self._objectives, watched)
        seconds = round(before + last, 2) if watched - last > _RECOVERED_SECONDS / 2 else None
        self.result = replace(self.result, recovery=Recovery(rate, step.rate, seconds, round(before + watched, 2)))

    def _wait_for_answers(self) -> None:
        """Let what is in flight come back before the next step."""
        limit = self._elapsed() + _DRAINED_SECONDS
        while not self._all_told(lambda seen: seen.finished) and self._elapsed() < limit:
            self._sleep(_TICK_SECONDS)
        self._sleep(_COOL_DOWN_SECONDS)
