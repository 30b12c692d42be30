"""Runs to compare, made of few exchanges."""

from dataclasses import replace
from random import Random

from gatecrash.authorizers.contract import Expectation
from gatecrash.reports.comparison.compare import ComparedRun, Known, compare
from gatecrash.reports.comparison.comparison import ComparisonLimits
from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.run.folder import RunState, StoredRun
from gatecrash.reports.run.summary import summarise
from tests.reports.samples import INFO, THROTTLED, allow, deny, exchange, facts, policy, statement

PLAN = PlanFacts(model="open", rate=100.0, duration=20.0, warm_up=0.0)
RUN_INFO = replace(
    INFO,
    plan=PLAN,
    corpus=CorpusFacts("d1", "c1", cases=500, profile="jwt", valid_share=0.5, generation=1),
)


def expected(index):
    return facts(Expectation.DENY if index % 3 == 0 else Expectation.ALLOW, index=index, name=f"case_{index}")


KNOWN = Known(expected, expected)


def answer_of(case):
    return deny() if case % 3 == 0 else allow(policy(statement(f"client/device-{case}")))


def recording_of(seed, *, seconds=20, rate=100, scale=1.0, throttled=0.0, cases=500, answers=None, warm_up=0):
    """Return a recording with log-normal latencies of 20 ms; ``answers`` are other ones for some cases."""
    rng, recording = Random(seed), Recording()
    other = answers or {}
    for number in range(seconds * rate):
        start, case = number / rate, number % cases
        answer = THROTTLED if rng.random() < throttled else other.get(case) or answer_of(case)
        made = exchange(
            answer,
            case=case,
            start=start,
            service=0.02 * scale * rng.lognormvariate(0, 0.2),
            warm_up=start < warm_up,
        )
        recording.add_arrival(start, 0.0, warm_up=start < warm_up)
        recording.add_exchange(made, tuple)
    return recording


def part(recording, *, info=RUN_INFO, findings=(), place="runs/one", **state):
    state_of_run = RunState(**{"elapsed": 20.0, "complete": True, **state})
    return ComparedRun(summarise(StoredRun(info, state_of_run, recording, list(findings))), recording, place)


def compared(earlier, later, known=KNOWN, limits=None, **options):
    return compare(earlier, later, limits or ComparisonLimits(), known, **options)
