"""The oracles: from a ledger and what is known of the cases to findings. Pure folds, no input or output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from authorizers.contract import Expectation, Outcome
from reports import findings
from reports.findings import Finding, Rule
from reports.ledger import CaseEntry, Ledger, Sighting
from reports.records import CaseFacts

_FAULT_RULES = {
    Outcome.INVALID_RESPONSE: findings.INVALID_ANSWER,
    Outcome.HANDLER_ERROR: findings.HANDLER_ERROR,
    Outcome.TIMED_OUT: findings.HANDLER_TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class _Violation:
    rule: Rule
    cause: str
    exchanges: int


def judge(ledger: Ledger, facts: Callable[[int], CaseFacts]) -> list[Finding]:
    """Judge every case of a ledger; returns one finding for each rule and cause, the most dangerous first.

    ``facts`` is asked only for cases that have a violation to report and for those whose expectation is needed.
    """
    grouped: dict[tuple[str, str], Finding] = {}
    for index, entry in ledger:
        known = facts(index)
        for violation in _violations(entry, known, ledger):
            key = (violation.rule.code, violation.cause)
            if key in grouped:
                first = grouped[key]
                grouped[key] = replace(first, exchanges=first.exchanges + violation.exchanges, cases=first.cases + 1)
            else:
                grouped[key] = _finding(violation, entry, known, ledger)
    return sorted(
        grouped.values(),
        key=lambda finding: (-finding.rule.severity, finding.rule.code, -finding.exchanges, finding.cause),
    )


def _finding(violation: _Violation, entry: CaseEntry, known: CaseFacts, ledger: Ledger) -> Finding:
    ordered = sorted(entry.sightings.values(), key=lambda sighting: (-sighting.count, sighting.identity))
    return Finding(
        rule=violation.rule,
        cause=violation.cause,
        exchanges=violation.exchanges,
        cases=1,
        case_index=known.index,
        case_name=f"{known.family}/{known.name}",
        expectation=known.expectation.value,
        request=known.request,
        reproducer=known.reproducer,
        answers=[_evidence(sighting, ledger) for sighting in ordered],
    )


def _evidence(sighting: Sighting, ledger: Ledger) -> dict[str, Any]:
    return {
        "outcome": sighting.outcome.value,
        "count": sighting.count,
        "first_second": round(sighting.first, 3),
        "last_second": round(sighting.last, 3),
        "workers": sorted(sighting.workers),
        "environments": sorted(sighting.environments),
        "cold_starts": sighting.cold_starts,
        "sample": ledger.samples.get(sighting.identity, {}),
    }


def _violations(entry: CaseEntry, known: CaseFacts, ledger: Ledger) -> Iterator[_Violation]:
    yield from _faults(entry, ledger)
    yield from _expectation(entry, known)
    yield from _agreement(entry, known)


def _faults(entry: CaseEntry, ledger: Ledger) -> Iterator[_Violation]:
    """Contract and robustness: an answer that is not acceptable, or none."""
    for sighting in entry.sightings.values():
        sample = ledger.samples.get(sighting.identity, {})
        rule = _FAULT_RULES.get(sighting.outcome)
        if rule is not None:
            yield _Violation(rule, sample.get("cause", ""), sighting.count)
        if "serialised_answer" in sample.get("notes", ()):
            yield _Violation(findings.SERIALISED_ANSWER, "", sighting.count)


def _expectation(entry: CaseEntry, known: CaseFacts) -> Iterator[_Violation]:
    """Expectation: a wrong decision, each said once.

    Faults are reported by what they are, and a valid request that is let in at other times as a disagreement;
    a request that must be denied has no excuse.
    """
    wrong = [
        sighting
        for sighting in entry.sightings.values()
        if known.expectation.is_met_by(sighting.outcome) is False and sighting.outcome not in _FAULT_RULES
    ]
    allowed = any(sighting.outcome is Outcome.ALLOW for sighting in entry.sightings.values())
    if wrong and (known.expectation is Expectation.DENY or not allowed):
        rule = findings.FAIL_OPEN if known.expectation is Expectation.DENY else findings.WRONG_DENIAL
        count = sum(sighting.count for sighting in wrong)
        yield _Violation(rule, f"{known.family}/{known.name}", count)


def _agreement(entry: CaseEntry, known: CaseFacts) -> Iterator[_Violation]:
    """Agreement: equal requests that got different answers; the rarer answers are the violating ones."""
    answers = entry.answers()
    outcomes = {sighting.outcome for sighting in answers}
    if len(outcomes) > 1:
        common = answers[0].outcome
        rarer = sum(sighting.count for sighting in answers if sighting.outcome is not common)
        names = " or ".join(sorted(outcome.value for outcome in outcomes))
        yield _Violation(findings.OUTCOME_CHANGED, names, rarer)
    allowed = [sighting for sighting in answers if sighting.outcome is Outcome.ALLOW]
    if len(allowed) > 1:
        rarer = sum(sighting.count for sighting in allowed[1:]) + entry.uncounted
        yield _Violation(findings.POLICY_CHANGED, known.family, rarer)
    if len(entry.principals) > 1 and len(outcomes) == 1:
        yield _Violation(findings.PRINCIPAL_CHANGED, known.family, entry.count)
