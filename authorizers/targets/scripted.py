"""A fake authorizer whose latency, throttles and decisions are scripted: for tests, gatecrash's own and yours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

from authorizers.answers import outcome_of
from authorizers.contract import Answer, AuthorizerRequest, Decision, Fault, Outcome

_OWN: Final = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*",'
    '"Resource":["arn:aws:iot:*:*:client/${iot:ClientId}","arn:aws:iot:*:*:topic/${iot:ClientId}/*"]}]}'
)


@dataclass(frozen=True, slots=True)
class Script:
    """What a scripted target does. Times in seconds, rates as shares between 0 and 1.

    From ``stall_at`` seconds after the first request on, for ``stall`` seconds, no request is answered: each waits
    for the stall's end. ``flip_rate`` is the share of allowed requests that are denied instead.
    """

    latency: float = 0.001
    jitter: float = 0.0
    stall_at: float | None = None
    stall: float = 0.0
    throttle_rate: float = 0.0
    error_rate: float = 0.0
    flip_rate: float = 0.0
    seed: int = 0


def allow_all(request: AuthorizerRequest) -> Answer:
    """Allow every request with a policy for the client that connects."""
    decision = Decision(True, "scripted", (_OWN,), 300, 86400)
    return Answer(outcome_of(request, decision), decision)


class ScriptedTarget:
    """A target that follows a script; ``decide`` answers what the script lets through, all allowed by default."""

    def __init__(
        self,
        script: Script | None = None,
        decide: Callable[[AuthorizerRequest], Answer] = allow_all,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._script = script or Script()
        self._decide = decide
        self._sleep = sleep
        self._clock = clock
        self._rng = Random(self._script.seed)
        self._lock = threading.Lock()
        self._first: float | None = None

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Answer as the script says."""
        script = self._script
        with self._lock:
            chance, spread = self._rng.random(), self._rng.random()
            now = self._clock()
            self._first = now if self._first is None else self._first
            elapsed = now - self._first
        self._sleep(script.latency + script.jitter * spread + self._stall_left(elapsed))
        if chance < script.throttle_rate:
            return Answer(Outcome.THROTTLED, fault=Fault("ThrottlingException", "Rate exceeded"))
        chance -= script.throttle_rate
        if chance < script.error_rate:
            return Answer(Outcome.HANDLER_ERROR, fault=Fault("InvalidResponseException", "scripted", "ScriptedError"))
        answer = self._decide(request)
        if answer.outcome is Outcome.ALLOW and chance - script.error_rate < script.flip_rate:
            return Answer(Outcome.DENY, Decision(False, "scripted", (), 300, 86400))
        return answer

    def _stall_left(self, elapsed: float) -> float:
        start = self._script.stall_at
        if start is None or not start <= elapsed < start + self._script.stall:
            return 0.0
        return start + self._script.stall - elapsed

    def description(self) -> dict[str, Any]:
        """Say what the script is."""
        return {"kind": "scripted", "client": "none", **asdict(self._script)}

    def close(self) -> None:
        """Nothing to give back."""
