"""Runs whose authorizer is scripted and whose noise is real: pieces of what ``tests.quality.noise`` recorded.

A scripted authorizer answers within a log-normal time, as one behind a network does. To each exchange the noise that
was recorded at the same moment of a real run is added, so that stalls, slow spells and the difference from one run to
the next are those of a machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from gatecrash.authorizers.contract import Answer, Decision, Demand, Fault, Outcome
from gatecrash.reports.comparison.compare import ComparedRun
from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo, TargetFacts
from gatecrash.reports.recording.records import CaseFacts
from gatecrash.reports.recording.tally import Tally
from gatecrash.reports.run.folder import RunState, StoredRun
from gatecrash.reports.run.summary import summarise
from tests.quality.noise import RATE, NoiseRun

CASES = 5000
_SIGMA = 0.35
_ALLOWED_SHARE = 0.7
_THROTTLED = Answer(Outcome.THROTTLED, fault=Fault("ThrottlingException", "Rate exceeded"))
_DENIAL = Answer(Outcome.DENY, Decision(False, "device", (), 300, 86400))


@dataclass(frozen=True)
class Script:
    """What an authorizer of a synthetic run does: it takes ``median`` seconds, and 1.8 times that in one of twenty.

    ``slower`` is by how much its 95th percentile is higher, its median being the same; ``all_slower`` by how much every
    exchange takes longer. ``throttle_rate`` is a share; throttles come in bursts of ``burst`` on average. ``flipped``
    cases get the other decision.
    """

    median: float = 0.025
    slower: float = 0.0
    all_slower: float = 0.0
    throttle_rate: float = 0.0
    burst: float = 1.0
    flipped: frozenset[int] = frozenset()


def facts(case: int) -> CaseFacts:
    """Return what is known of a case: seven of ten must be let in."""
    demand = Demand.ALLOW if _is_allowed(case) else Demand.DENY
    return CaseFacts(case, demand, "family", f"case_{case}", {"mqttContext": {"clientId": f"device-{case}"}}, {})


def _is_allowed(case: int) -> bool:
    return case % 10 < _ALLOWED_SHARE * 10


def _allowance(case: int) -> Answer:
    statement = {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"arn:aws:iot:::client/device-{case}"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return Answer(Outcome.ALLOW, Decision(True, "device", (policy,), 300, 86400))


_ALLOWANCES = [_allowance(case) for case in range(CASES)]


def _answer(case: int, script: Script) -> Answer:
    return _ALLOWANCES[case] if _is_allowed(case) is not (case in script.flipped) else _DENIAL


def latencies_of(noise: Sequence[NoiseRun], rng: Random, script: Script) -> list[float]:
    """Return response times in seconds, one an arrival."""
    made = [
        (rng.lognormvariate(0, _SIGMA) * script.median + disturbed) * (1 + script.all_slower)
        for piece in noise
        for disturbed in piece.latencies
    ]
    if not script.slower:
        return made
    # From the median on more and more, so that the 95th percentile is higher by exactly as much.
    for place, number in enumerate(sorted(range(len(made)), key=made.__getitem__)):
        made[number] *= 1 + script.slower * max(0.0, place / len(made) - 0.5) / 0.45
    return made


def _throttles(script: Script, rng: Random) -> Callable[[], bool]:
    """Return what says of one exchange after the other whether it is throttled."""
    state = False
    stay = 1 - 1 / script.burst
    begin = script.throttle_rate * (1 - stay) / (1 - script.throttle_rate)

    def following() -> bool:
        nonlocal state
        state = rng.random() < (stay if state and script.burst > 1 else begin if script.burst > 1 else 0.0)
        return state

    if script.burst > 1:
        return following
    return lambda: rng.random() < script.throttle_rate


def synthetic_run(noise: Sequence[NoiseRun], script: Script, seed: str) -> ComparedRun:
    """Return a run over all pieces of noise, one after the other."""
    rng = Random(seed)
    tally = Tally(worker=0, warm_up=0.0, offered_rate=RATE, secrets_of=lambda _: ())
    throttled = _throttles(script, rng)
    latencies = latencies_of(noise, rng, script)
    for number, latency in enumerate(latencies):
        start, case = number / RATE, number % CASES
        is_throttled = throttled()
        answer, took = (_THROTTLED, 0.002) if is_throttled else (_answer(case, script), latency)
        tally.add_arrival(start, 0.0)
        tally.add(case, start, start, start + took, answer, "")
    recording = tally.take()
    seconds = len(latencies) / RATE
    info = RunInfo(
        name="synthetic",
        started_at="2026-11-01T00:00:00+00:00",
        seed=1,
        plan=PlanFacts(model="open", rate=RATE, duration=seconds, warm_up=0.0),
        target=TargetFacts("scripted"),
        corpus=CorpusFacts("synthetic", cases=CASES),
        versions={},
    )
    stored = StoredRun(info, RunState(elapsed=seconds, complete=True), recording, [])
    return ComparedRun(summarise(stored), recording, "synthetic")
