"""Made-up exchanges and runs that the tests of the reports share."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from functools import cache
from typing import Any

from gatecrash.authorizers.contract import Answer, Decision, Demand, Expectation, Fault, Invocation, Outcome
from gatecrash.reports.oracles import checks
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo, TargetFacts
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import CaseFacts, Exchange
from gatecrash.reports.recording.workers import WorkerFacts
from gatecrash.reports.report import Report
from gatecrash.reports.run.folder import RunState, StoredRun
from gatecrash.reports.run.summary import Summary, summarise

HOSTILE = "<script>alert(1)</script> [bold]\x1b[31m \u202e \ud800 </script><!-- & \"'"


def statement(resource: str = "client/sensor-1", **more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": "iot:Connect",
        "Resource": f"arn:aws:iot:eu-west-1:123456789012:{resource}",
        **more,
    }


def policy(*statements: dict[str, Any], **spelling: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, **spelling)


def decision(*documents: str, authenticated: bool = True, principal: str = "sensor1", refresh: int = 300) -> Decision:
    return Decision(authenticated, principal, documents or (policy(statement()),), refresh, 3600)


def allow(*documents: str, cold: bool = False, notes: tuple[str, ...] = (), **more: Any) -> Answer:
    return Answer(Outcome.ALLOW, decision(*documents, **more), None, Invocation("env-1", cold, 0.001), notes)


def deny() -> Answer:
    return Answer(Outcome.DENY, decision(policy(), authenticated=False), None, Invocation("env-2", False, 0.001))


def fault(outcome: Outcome, code: str = "SomeException", message: str = "", kind: str | None = None) -> Answer:
    return Answer(outcome, None, Fault(code, message, kind))


THROTTLED = fault(Outcome.THROTTLED, "ThrottlingException", "Rate exceeded")


def exchange(
    answer: Answer | None = None,
    *,
    case: int = 0,
    start: float = 0.0,
    service: float = 0.01,
    wait: float = 0.0,
    warm_up: bool = False,
    worker: int = 0,
) -> Exchange:
    """Return an exchange that was sent ``wait`` seconds late and took ``service`` seconds."""
    sent = start + wait
    return Exchange(case, start, sent, sent + service, answer or allow(), warm_up, 100.0, worker)


def facts(expectation: Expectation = Expectation.OPEN, *, index: int = 0, name: str = "some_name", **request: Any):
    body = request or {"mqttContext": {"clientId": "sensor-1"}}
    demand = {Expectation.ALLOW: Demand.ALLOW, Expectation.DENY: Demand.DENY, Expectation.OPEN: Demand.ANY}
    return CaseFacts(index, demand[expectation], "family", name, body, {"index": 2})


def ledger_of(*answers: Answer, case: int = 0) -> Ledger:
    ledger = Ledger()
    for number, answer in enumerate(answers):
        ledger.add_exchange(exchange(answer, case=case, start=float(number)), tuple)
    return ledger


def judged(expectation: Expectation, *answers: Answer) -> list[Finding]:
    return checks.judge(ledger_of(*answers), lambda index: facts(expectation, index=index))


def codes(found: list[Finding]) -> list[str]:
    return [finding.rule.code for finding in found]


INFO = RunInfo(
    name="steady",
    started_at="2025-01-02T03:04:05Z",
    seed=7,
    plan=PlanFacts(rate=100.0, duration=30.0, warm_up=5.0),
    target=TargetFacts(
        kind="local",
        authorizer="sample-authorizer",
        client="wire",
        handler="/samples/jwt_authorizer.py:handler",
        dialect="test_invoke",
    ),
    corpus=CorpusFacts(digest="9f86d081884c7d659a2feaa0c55ad015", cases=400),
    versions={"gatecrash": "0.1.0", "python": "3.11.7"},
    settings={"target": {"memory": 512, "environments": 4}, "users": 50},
)


def run_of(recording: Recording, known: CaseFacts | None = None, **state: Any) -> StoredRun:
    state_of_run = RunState(**{"elapsed": 35.0, "complete": True, **state})
    shown = known or facts()
    found = checks.judge(recording.ledger, lambda index: replace(shown, index=index))
    return StoredRun(INFO, state_of_run, recording, found)


def good_recording(count: int = 300) -> Recording:
    recording = Recording()
    for number in range(count):
        start = 5.0 + number / 10.0
        recording.add_arrival(start, 0.0001, warm_up=False)
        recording.add_exchange(exchange(deny() if number % 3 else allow(), case=number % 3, start=start), tuple)
    return recording


def in_report(made: Summary | Report) -> Report:
    """Return what writers take: the report of a run that was compared with none, unless it is one already."""
    return made if isinstance(made, Report) else Report(made)


@cache
def good_summary() -> Summary:
    return summarise(run_of(good_recording()))


@cache
def empty_summary() -> Summary:
    return summarise(run_of(Recording(), elapsed=0.0, complete=False))


@cache
def busy_run() -> StoredRun:
    """Half a minute at 100/s with throttles, a stall of one second, dropped arrivals, and wrong answers."""
    rng = random.Random(1)
    recording = Recording()
    for number in range(3500):
        start = number / 100.0
        warm_up = start < 5.0
        recording.add_arrival(start, rng.expovariate(3000.0), warm_up=warm_up)
        if 18.2 < start < 18.25:
            recording.add_drop(start)
            continue
        stall = max(0.0, 18.0 - start) if 17.0 < start < 18.0 else 0.0
        service = rng.lognormvariate(-4.6, 0.4) * (4 if start < 1 else 1)
        made = exchange(
            _busy_answer(rng, number, start),
            case=number % 400,
            start=start,
            service=service,
            wait=stall,
            warm_up=warm_up,
        )
        recording.add_exchange(made, tuple)
    known = {
        8: facts(Expectation.DENY, index=8, name="alg_none", token="*** (212 characters)", **_HOSTILE_CONTEXT),
        9: facts(Expectation.ALLOW, index=9, name="valid"),
    }
    found = checks.judge(recording.ledger, lambda index: known.get(index) or facts(index=index))
    return StoredRun(INFO, RunState(elapsed=35.0, complete=True, workers=2, cpu=0.42), recording, found)


WORKERS = (
    WorkerFacts("host-a", 11, 0, cpu=0.42, exchanges=1700, reported=35.0, heard=35.0, silence=1.1),
    WorkerFacts(f"host-b {HOSTILE}", 12, 1, 0.3, 900, 18.0, 18.4, 16.6, 850, lost=True),
)


@cache
def distributed_summary() -> Summary:
    """A run of two workers, one of them lost."""
    state = replace(busy_run().state, workers_lost=1, worker_facts=WORKERS, master_cpu=0.07)
    return summarise(replace(busy_run(), state=state))


@cache
def busy_summary() -> Summary:
    return summarise(busy_run())


_HOSTILE_CONTEXT = {
    "httpContext": {"headers": {"Authorization": "*** (219 characters)"}, "queryString": "?a=***"},
    "mqttContext": {"clientId": HOSTILE, "username": "sensor-8"},
}


def _busy_answer(rng: random.Random, number: int, start: float) -> Answer:
    case = number % 400
    if 24 < start < 27 and rng.random() < 0.4:
        return THROTTLED
    if case == 8:
        return allow(policy(statement("client/sensor-8"))) if number % 3 else deny()
    if case == 9:
        return fault(Outcome.HANDLER_ERROR, "InvalidResponseException", "'sub': KeyError", "KeyError")
    return allow(cold=number < 4) if case % 4 else deny()
