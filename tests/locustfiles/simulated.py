"""A capacity search in simulated time: the real search, control and judgement; only clock and calls are computed."""

from __future__ import annotations

import heapq
from dataclasses import replace

from gatecrash.authorizers.contract import Outcome
from gatecrash.authorizers.targets.scripted import Limits, Script
from gatecrash.firing.arrivals import Share, step_arrivals
from gatecrash.firing.messages import StepReport
from gatecrash.firing.search_control import CapacityControl
from gatecrash.reports.capacity.objectives import Objectives
from gatecrash.reports.capacity.probes import ProbeCounts
from gatecrash.reports.plan.facts import SearchLimits, SearchPlan, SearchRates
from gatecrash.reports.plan.plan import Plan

ONE = Share(0, 1)
SEARCH = SearchPlan(Objectives(), SearchRates(20.0, None, 10.0, 6.0, 2.0, 0.15), SearchLimits(None, None))


class SimulatedAuthorizer:
    """Answers as a script does, at the times at which its answers would come."""

    def __init__(self, script: Script, cases: int = 50, wrong_at_rest: frozenset[int] = frozenset()):
        self.limits = Limits(script)
        self.script = script
        self.cases = cases
        self.wrong_at_rest = wrong_at_rest
        self.turned = 0

    def answer(self, now: float, case: int) -> tuple[Outcome, bool, float]:
        """Return the outcome, whether it is wrong, and when it comes."""
        admission = self.limits.admit(now)
        if admission is None:
            return Outcome.THROTTLED, False, now + 0.0005
        done = now + admission.seconds
        if case in self.wrong_at_rest:
            return Outcome.DENY, True, done
        self.turned += admission.above
        wrong = admission.above and self.turned % round(1 / self.script.wrong_share) == 0
        return (Outcome.DENY if wrong else Outcome.ALLOW), wrong, done


class SimulatedProcess:
    """Fires the steps of a search at a simulated authorizer.

    ``lag`` is how late its waits end, in seconds, at rates of ``late_from`` a second and more. It has ``slots``.
    """

    def __init__(
        self,
        authorizer: SimulatedAuthorizer,
        objectives: Objectives,
        *,
        lag: float = 0.0,
        late_from: float = 0.0,
        cpu: float = 0.1,
    ):
        self.authorizer = authorizer
        self.objectives = objectives
        self.lag_when_late = lag
        self.late_from = late_from
        self.lag = 0.0
        self.slots = 10_000
        self.busy_until = []
        self.cpu = cpu
        self.now = 0.0
        self.plan = Plan("", "", {}, duration=1e9, capacity=SEARCH)
        self.steps = []
        self.pending = []
        self.next = None
        self.begun = 0.0
        self.counts: ProbeCounts | None = None

    def begin(self, step, apart, delay):
        self.steps.append(step)
        self.lag = self.lag_when_late if step.rate >= self.late_from else 0.0
        self.begun = self.now + delay
        self.known = apart
        self.counts = ProbeCounts(step, self.objectives.latency, cpu=self.cpu)
        self.arrivals = step_arrivals(self.plan, step, self.begun, ONE)
        self.next = next(self.arrivals, None)
        self.pending = []
        self.busy_until = []

    def end(self):
        self.next = None

    def advance(self, seconds):
        """Let time pass: arrivals become due, answers come back."""
        self.now += seconds
        if self.counts is None:
            return
        while self.next is not None and self.next.intended_start <= self.now:
            arrival, self.next = self.next, next(self.arrivals, None)
            start = arrival.intended_start - self.begun
            self.counts.add_due(start)
            self.counts.add_lag(start, self.lag)
            sent = self._take_slot(arrival.intended_start + self.lag, start)
            case = arrival.number % self.authorizer.cases
            done, outcome, wrong = self._fire(sent, case)
            heapq.heappush(self.busy_until, done)
            heapq.heappush(self.pending, (done, outcome, wrong, start, sent, case))
        while self.pending and self.pending[0][0] <= self.now:
            done, outcome, wrong, start, sent, case = heapq.heappop(self.pending)
            self.counts.add_exchange(
                start,
                sent - self.begun,
                done - self.begun,
                Outcome(outcome),
                wrong=wrong,
                apart=case in self.known,
                cold=False,
            )
            if self.counts.step.kind == "rest":
                self.counts.note_case(case, right=not wrong)

    def _take_slot(self, due, start):
        """Return when a slot is free for an arrival, ``start`` seconds after the step's start."""
        while self.busy_until and self.busy_until[0] <= due:
            heapq.heappop(self.busy_until)
        if len(self.busy_until) < self.slots:
            return due
        self.counts.add_waited(start)
        return heapq.heappop(self.busy_until)

    def _fire(self, sent, case):
        outcome, wrong, done = self.authorizer.answer(sent, case)
        return done, outcome.value, wrong

    def seen(self):
        late = self.now - self.begun > self.counts.step.length + self.objectives.latency + 0.3
        finished = self.next is None and not self.pending
        return StepReport(self.counts, closed=finished or late, finished=finished)


def search(
    script: Script,
    *,
    objectives: Objectives | None = None,
    limits=None,
    at_least=None,
    users=10_000,
    users_least=0,
    idle_workers=0,
    silent_in=frozenset(),
    **settings,
):
    """Carry out a search; returns its result and the process that fired.

    There are ``idle_workers`` besides, of which one tells nothing in steps whose numbers are ``silent_in``.
    """
    objectives = objectives or Objectives()
    process_settings = {name: settings.pop(name) for name in ("lag", "late_from", "cpu") if name in settings}
    authorizer = SimulatedAuthorizer(script, wrong_at_rest=settings.pop("wrong_at_rest", frozenset()))
    process = SimulatedProcess(authorizer, objectives, **process_settings)

    def sleep(seconds):
        process.slots = control.users
        process.advance(seconds)
        control.receive("local", process.seen())
        step = process.counts.step
        for name in idle[step.number in silent_in :]:
            control.receive(name, StepReport(ProbeCounts(step, objectives.latency), closed=True, finished=True))

    idle = [f"idle {number}" for number in range(idle_workers)]

    control = CapacityControl(
        SearchPlan(
            objectives,
            replace(SEARCH.search, **settings),
            replace(SEARCH.limits, **(limits or {})),
            at_least,
            users_least,
        ),
        begin=process.begin,
        end=process.end,
        workers=lambda: {"local", *idle},
        elapsed=lambda: process.now,
        sleep=sleep,
        users=users,
    )
    process.slots = process.slots_at_first = control.users
    control.run()
    return control.result, process
