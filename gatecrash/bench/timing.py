"""Latency oracles for handlers in the laboratory: one request far slower than others, and ageing environments.

Machines are noisy, so nothing is compared with a number taken at another time: the request and a valid one, or the
old environment and a fresh one, take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from gatecrash.authorizers.contract import Answer, Outcome
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.bench.bench import LaboratoryBench, Shot, fire
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.rules import Rule

_TURNS: Final = 3
_SLOWER_TIMES: Final = 10
_SLOWER_SECONDS: Final = 0.1
_AGED_INVOCATIONS: Final = 4000
_AGED_SECONDS: Final = 3.0
_AGED_BATCH: Final = 200
_COMPARED: Final = 40
_AGED_TIMES: Final = 2.5
_AGED_SLOWER_SECONDS: Final = 30e-6


@dataclass(frozen=True, slots=True)
class Slowness:
    """A rule that a request's time violates: ``seconds`` beside the ``usual`` ones, medians of interleaved turns."""

    rule: Rule
    seconds: float
    usual: float
    times: int
    answer: Answer

    @property
    def in_words(self) -> str:
        """The times in words."""
        least = "more than " if self.answer.outcome is Outcome.TIMED_OUT else ""
        return f"{least}{_milliseconds(self.seconds)}, a valid request in its place {_milliseconds(self.usual)}"


def slowness_of(bench: LaboratoryBench, shot: Shot, valid: Shot) -> Slowness | None:
    """Compare a request with a valid one, in turns and each in fresh environments; None when it is not far slower."""
    slow, usual, last = [], [], None
    for _ in range(_TURNS):
        # The first invocation warms an environment up; only the request itself is timed.
        control = bench.fresh([valid, valid])[-1]
        usual.append(_seconds(control))
        last = bench.fresh([valid, shot])[-1]
        slow.append(_seconds(last))
        if last.outcome is Outcome.TIMED_OUT:
            return Slowness(rules.HANDLER_TIMEOUT, LAMBDA_SECONDS_MAXIMUM, median(usual), len(slow), last)
        if min(slow) < max(_SLOWER_SECONDS, _SLOWER_TIMES * min(usual)):
            return None
    assert last is not None  # noqa: S101 - there is at least one turn
    return Slowness(rules.SLOW_REQUEST, median(slow), median(usual), _TURNS, last)


def ageing_of(
    bench: LaboratoryBench, shots: Sequence[Shot], usual_seconds: float, elapsed: Callable[[], float]
) -> Slowness | None:
    """Compare an environment that served thousands of requests with a fresh one; None when it is not far slower.

    ``shots`` are fired in turn to age it, the first of them is timed; one takes ``usual_seconds``. ``elapsed`` tells
    seconds.
    """
    started, served = elapsed(), 0
    batch = max(1, min(_AGED_BATCH, int(0.5 / max(usual_seconds, 1e-6))))
    compared = max(3, min(_COMPARED, int(1.0 / max(usual_seconds, 1e-6))))
    with bench.environment() as aged, bench.environment() as fresh:
        while served < _AGED_INVOCATIONS and elapsed() - started < _AGED_SECONDS:
            fire(aged, [shots[(served + place) % len(shots)] for place in range(batch)], LAMBDA_SECONDS_MAXIMUM)
            served += batch
            bench.requests += batch
        old, new, last = [], [], None
        fire(fresh, [shots[0]], LAMBDA_SECONDS_MAXIMUM)
        for _ in range(compared):
            last = fire(aged, [shots[0]], LAMBDA_SECONDS_MAXIMUM)[0]
            old.append(_seconds(last))
            new.append(_seconds(fire(fresh, [shots[0]], LAMBDA_SECONDS_MAXIMUM)[0]))
    assert last is not None  # noqa: S101 - there is at least one comparison
    if median(old) < max(_AGED_TIMES * median(new), median(new) + _AGED_SLOWER_SECONDS):
        return None
    return Slowness(rules.AGEING, median(old), median(new), served, last)


def _seconds(answer: Answer) -> float:
    return answer.invocation.handler_seconds if answer.invocation else 0.0


def _milliseconds(seconds: float) -> str:
    milliseconds = 1000 * seconds
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"
