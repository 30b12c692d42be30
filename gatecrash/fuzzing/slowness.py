"""Findings about time: requests that were far slower than others, and environments that age."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from gatecrash.authorizers.redact import secrets_of
from gatecrash.bench.bench import LaboratoryBench
from gatecrash.bench.shots import Shots
from gatecrash.bench.timing import Slowness, ageing_of, slowness_of
from gatecrash.fuzzing.sweeping import SlowCase
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.checks import Group, Violation, cause_of_change, finding_of
from gatecrash.reports.oracles.findings import Classification, Confirmation, Finding
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts, Exchange

_CANDIDATES: Final = 4


def slow_findings(
    bench: LaboratoryBench,
    shots: Shots,
    slow: Sequence[SlowCase],
    valid: Sequence[int],
    *,
    deadline: float,
) -> list[Finding]:
    """Look again at the cases that were slow: at most one finding of each rule, since one cause slows many requests.

    ``deadline`` is on the monotonic clock.
    """
    control = next((index for index in valid if index not in {one.case_index for one in slow}), None)
    if control is None:
        return []
    candidates = sorted({one.case_index for one in slow}, key=lambda index: (len(shots.facts(index).attacks), index))
    found: dict[str, Finding] = {}
    for index in candidates[:_CANDIDATES]:
        if time.monotonic() > deadline:
            break
        seen = slowness_of(bench, shots.of(index), shots.of(control))
        if seen is not None and seen.rule.code not in found:
            case = shots.facts(index)
            names = dict.fromkeys(f"{shots.facts(other).family}/{shots.facts(other).name}" for other in candidates)
            finding = _finding(seen, case, cause_of_change(case), len(candidates), shots)
            first = min(one.exchange for one in slow)
            found[seen.rule.code] = replace(
                finding, first_exchange=first, also=tuple(name for name in names if name != finding.case_name)
            )
        if rules.HANDLER_TIMEOUT.code in found:
            # The same texts, only shorter, are slow for the same reason.
            break
    return list(found.values())


def ageing_findings(
    bench: LaboratoryBench, shots: Shots, indices: Sequence[int], usual_seconds: float, elapsed: Callable[[], float]
) -> list[Finding]:
    """Age an environment with valid and denied requests, and compare it with a fresh one, twice."""
    if not indices:
        return []
    fired = [shots.of(index) for index in indices]
    if ageing_of(bench, fired, usual_seconds, elapsed) is None:
        return []
    seen = ageing_of(bench, fired, usual_seconds, elapsed)
    if seen is None:
        return []
    confirmation = Confirmation.of(Classification.AFTER_MANY, 2, 2, seen.times)
    return [_finding(seen, shots.facts(indices[0]), "", 1, shots, confirmation)]


def _finding(
    seen: Slowness, case: CaseFacts, cause: str, cases: int, shots: Shots, confirmation: Confirmation | None = None
) -> Finding:
    ledger = Ledger()
    ledger.add_exchange(
        Exchange(case.index, 0.0, 0.0, seen.seconds, seen.answer, False, 0.0, 0),
        lambda: secrets_of(shots.corpus.request(case.index)),
    )
    ((_, entry),) = ledger
    outcomes = frozenset(sighting.outcome for sighting in entry.sightings.values())
    violation = Violation(seen.rule, cause, case, cases, frozenset(entry.sightings), outcomes)
    finding = finding_of(Group(seen.rule, cause, [violation]), ledger)
    return replace(
        finding,
        cases=cases,
        measured=seen.in_words,
        confirmation=confirmation or Confirmation.of(Classification.DETERMINISTIC, seen.times, seen.times),
        size=len(case.attacks),
    )
