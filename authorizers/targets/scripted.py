"""A fake authorizer whose latency, throttles and decisions are scripted: for tests, gatecrash's own and yours."""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from gatecrash.authorizers.answers import outcome_of
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Decision, Fault, Outcome

_OWN: Final = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*",'
    '"Resource":["arn:aws:iot:*:*:client/${iot:ClientId}","arn:aws:iot:*:*:topic/${iot:ClientId}/*"]}]}'
)
# Over so many seconds a rate is taken.
_RATE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Script:
    """What a scripted target does. Times in seconds, rates as shares between 0 and 1.

    From ``stall_at`` seconds after the first request on, for ``stall`` seconds, no request is answered: each waits
    for the stall's end. ``flip_rate`` is the share of allowed requests that are denied instead.

    What it holds can be limited in four ways: by ``concurrency`` requests at a time, others wait in their order; by a
    token bucket that fills at ``bucket_rate`` a second and holds ``bucket_burst``, others are throttled; by
    ``wrong_above`` requests a second, beyond which ``wrong_share`` of the decisions are turned round; and by
    ``slowdown``, the part of the latency that each other request in flight adds.
    """

    latency: float = 0.001
    jitter: float = 0.0
    stall_at: float | None = None
    stall: float = 0.0
    throttle_rate: float = 0.0
    error_rate: float = 0.0
    flip_rate: float = 0.0
    concurrency: int | None = None
    bucket_rate: float | None = None
    bucket_burst: float = 0.0
    wrong_above: float | None = None
    wrong_share: float = 0.05
    slowdown: float = 0.0
    seed: int = 0


class Admission(NamedTuple):
    """What becomes of a request that is let in: how long it takes, and whether there are too many a second."""

    seconds: float
    above: bool


class Limits:
    """What a script can hold at a time. Not safe for threads: whoever uses it holds a lock.

    A request is in flight exactly as long as the script says. Whoever waits for it may wake late, on a machine that has
    other things to do: what the script holds doesn't depend on that.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._free_at = [0.0] * (script.concurrency or 0)
        self._tokens = script.bucket_burst
        self._filled: float | None = None
        self._recent: deque[float] = deque()
        self._ends: list[float] = []

    def admit(self, now: float, more: float = 0.0) -> Admission | None:
        """Let a request in that comes ``now`` and takes ``more`` than is usual, in seconds; None where it is throttled.

        ``now`` never goes back.
        """
        script = self._script
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
        if script.bucket_rate is not None and not self._takes_token(now, script.bucket_rate):
            return None
        seconds = script.latency * (1 + script.slowdown * len(self._ends))
        if self._free_at:
            # Who waits longest goes first: each goes to the place that is free first.
            finish = max(now, heapq.heappop(self._free_at)) + seconds
            heapq.heappush(self._free_at, finish)
            seconds = finish - now
        heapq.heappush(self._ends, now + seconds + more)
        return Admission(seconds + more, self._is_above(now))

    def _takes_token(self, now: float, rate: float) -> bool:
        if self._filled is not None:
            # A bucket that holds less than one call would never let any through.
            self._tokens = min(max(1.0, self._script.bucket_burst), self._tokens + (now - self._filled) * rate)
        self._filled = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def _is_above(self, now: float) -> bool:
        if self._script.wrong_above is None:
            return False
        self._recent.append(now)
        while self._recent[0] <= now - _RATE_SECONDS:
            self._recent.popleft()
        return len(self._recent) > self._script.wrong_above * _RATE_SECONDS


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
        self._limits = Limits(self._script)

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Answer as the script says."""
        script = self._script
        with self._lock:
            chance, spread = self._rng.random(), self._rng.random()
            now = self._clock()
            self._first = now if self._first is None else self._first
            admission = self._limits.admit(now, script.jitter * spread + self._stall_left(now - self._first))
        if admission is None:
            return Answer(Outcome.THROTTLED, fault=Fault("ThrottlingException", "Rate exceeded"))
        self._sleep(admission.seconds)
        return self._answer(request, chance, turned=spread < script.wrong_share and admission.above)

    def _answer(self, request: AuthorizerRequest, chance: float, *, turned: bool) -> Answer:
        script = self._script
        if chance < script.throttle_rate:
            return Answer(Outcome.THROTTLED, fault=Fault("ThrottlingException", "Rate exceeded"))
        chance -= script.throttle_rate
        if chance < script.error_rate:
            return Answer(Outcome.HANDLER_ERROR, fault=Fault("InvalidResponseException", "scripted", "ScriptedError"))
        answer = self._decide(request)
        if answer.outcome is Outcome.ALLOW and (turned or chance - script.error_rate < script.flip_rate):
            return Answer(Outcome.DENY, Decision(False, "scripted", (), 300, 86400))
        return answer

    def _stall_left(self, elapsed: float) -> float:
        start = self._script.stall_at
        if start is None or not start <= elapsed < start + self._script.stall:
            return 0.0
        return start + self._script.stall - elapsed

    def close(self) -> None:
        """Nothing to give back."""
