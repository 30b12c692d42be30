"""Latency oracles for handlers in the laboratory: one request far slower than others, and ageing environments.

Machines are noisy, so nothing is compared with a number taken at another time: the request and a valid one, or the
old environment and a fresh one, take turns.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, NamedTuple

from gatecrash.authorizers.contract import Answer, Outcome
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.redact import secrets_of
from gatecrash.bench.bench import LaboratoryBench, Shot, Shots, fire_in
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.checks import Group, Violation, cause_of_change, finding_of
from gatecrash.reports.oracles.findings import Classification, Confirmation, Finding
from gatecrash.reports.oracles.rules import Rule
from gatecrash.reports.recording.ledger import Ledger

_CANDIDATES: Final = 4
_TURNS: Final = 3
_SLOWER_TIMES: Final = 10
_SLOWER_SECONDS: Final = 0.1
_AGED_INVOCATIONS: Final = 4000
_AGED_SECONDS: Final = 3.0
_AGED_BATCH: Final = 200
_COMPARED: Final = 40
_AGED_TIMES: Final = 2.5
_AGED_SLOWER_SECONDS: Final = 30e-6


class SlowCase(NamedTuple):
    """A case that was far slower than others, and how many exchanges there had been by then."""

    case_index: int
    exchange: int


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
    slow, usual = [], []
    for _ in range(_TURNS):
        # The first invocation warms an environment up; only the request itself is timed.
        usual.append(bench.fire([valid, valid])[-1].handler_seconds)
        answer = bench.fire([valid, shot])[-1]
        slow.append(answer.handler_seconds)
        if answer.outcome is Outcome.TIMED_OUT:
            return Slowness(rules.HANDLER_TIMEOUT, LAMBDA_SECONDS_MAXIMUM, median(usual), len(slow), answer)
        if min(slow) < max(_SLOWER_SECONDS, _SLOWER_TIMES * min(usual)):
            return None
    return Slowness(rules.SLOW_REQUEST, median(slow), median(usual), _TURNS, answer)


def ageing_of(bench: LaboratoryBench, shots: Sequence[Shot], usual_seconds: float) -> Slowness | None:
    """Compare an environment that served thousands of requests with a fresh one; None when it is not far slower.

    ``shots`` are fired in turn to age it, the first of them is timed; one takes ``usual_seconds``.
    """
    ends, served = time.monotonic() + _AGED_SECONDS, 0
    batch = max(1, min(_AGED_BATCH, int(0.5 / max(usual_seconds, 1e-6))))
    compared = max(3, min(_COMPARED, int(1.0 / max(usual_seconds, 1e-6))))
    with bench.environment() as aged, bench.environment() as fresh:
        while served < _AGED_INVOCATIONS and time.monotonic() < ends:
            fire_in(aged, [shots[(served + place) % len(shots)] for place in range(batch)])
            served += batch
            bench.requests += batch
        old, new = [], []
        fire_in(fresh, [shots[0]])
        for _ in range(compared):
            answer = fire_in(aged, [shots[0]])[0]
            old.append(answer.handler_seconds)
            new.append(fire_in(fresh, [shots[0]])[0].handler_seconds)
    if median(old) < max(_AGED_TIMES * median(new), median(new) + _AGED_SLOWER_SECONDS):
        return None
    return Slowness(rules.AGEING, median(old), median(new), served, answer)


def slow_findings(
    bench: LaboratoryBench, shots: Shots, slow: Sequence[SlowCase], valid: Sequence[int], *, deadline: float
) -> list[Finding]:
    """Look again at the cases that were slow: at most one finding of each rule, since one cause slows many requests.

    ``deadline`` is on the monotonic clock.
    """
    indices = {case.case_index for case in slow}
    control = next((index for index in valid if index not in indices), None)
    if control is None:
        return []
    candidates = sorted(indices, key=lambda index: (len(shots.facts(index).attacks), index))
    names = dict.fromkeys(shots.facts(index).full_name for index in candidates)
    findings: dict[str, Finding] = {}
    for index in candidates[:_CANDIDATES]:
        if time.monotonic() > deadline:
            break
        slowness = slowness_of(bench, shots.of(index), shots.of(control))
        if slowness is not None and slowness.rule.code not in findings:
            finding = _finding(slowness, shots, index, cause_of_change(shots.facts(index)))
            findings[slowness.rule.code] = replace(
                finding,
                exchanges=len(candidates),
                cases=len(candidates),
                first_exchange=min(case.exchange for case in slow),
                also=tuple(name for name in names if name != finding.case_name),
            )
        if rules.HANDLER_TIMEOUT.code in findings:
            # The same texts, only shorter, are slow for the same reason.
            break
    return list(findings.values())


def ageing_findings(
    bench: LaboratoryBench, shots: Shots, indices: Sequence[int], usual_seconds: float
) -> list[Finding]:
    """Age an environment with valid and denied requests, and compare it with a fresh one, twice."""
    fired = [shots.of(index) for index in indices]
    if not fired or ageing_of(bench, fired, usual_seconds) is None:
        return []
    slowness = ageing_of(bench, fired, usual_seconds)
    if slowness is None:
        return []
    confirmation = Confirmation.of(Classification.AFTER_MANY, 2, 2, slowness.times)
    return [replace(_finding(slowness, shots, indices[0], ""), confirmation=confirmation)]


def _finding(slowness: Slowness, shots: Shots, index: int, cause: str) -> Finding:
    ledger, case = Ledger(), shots.facts(index)
    ledger.add_answer(index, slowness.answer, secrets_of(shots.corpus.request(index)))
    violation = Violation(slowness.rule, cause, case, 1, ledger.entry(index).identities)
    return replace(
        finding_of(Group(slowness.rule, cause, [violation]), ledger),
        measured=slowness.in_words,
        confirmation=Confirmation.of(Classification.DETERMINISTIC, slowness.times, slowness.times),
        size=len(case.attacks),
    )


def _milliseconds(seconds: float) -> str:
    milliseconds = 1000 * seconds
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"
