"""The oracles: from a ledger and what is known of the cases to findings. Pure folds, no input or output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from gatecrash.authorizers.contract import Answer, Demand, Expectation, Outcome
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.findings import ALSO_MAXIMUM, Finding
from gatecrash.reports.oracles.policy_checks import PolicyJudge
from gatecrash.reports.oracles.rules import Rule
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts
from gatecrash.reports.recording.sightings import CaseEntry, Sighting

_FAULT_RULES = {
    Outcome.INVALID_RESPONSE: rules.INVALID_ANSWER,
    Outcome.HANDLER_ERROR: rules.HANDLER_ERROR,
    Outcome.TIMED_OUT: rules.HANDLER_TIMEOUT,
}
_VIOLATIONS_KEPT = 1000
_RIGHT_KEPT = 100_000
_EXPECTATION_RULES = {
    Demand.DENY: rules.FAIL_OPEN,
    Demand.NOT_ISSUED: rules.NEVER_ISSUED,
    Demand.ALLOW: rules.WRONG_DENIAL,
    Demand.SAME: rules.EQUIVALENT_DIFFER,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One case that violates a rule: with which of its answers, and in how many exchanges."""

    rule: Rule
    cause: str
    case: CaseFacts
    exchanges: int
    answers: frozenset[str]
    outcomes: frozenset[Outcome] = frozenset()


@dataclass(slots=True)
class Group:
    """The violations of one rule with one cause, in the order of the cases; of some there is but the number."""

    rule: Rule
    cause: str
    violations: list[Violation] = field(default_factory=list)
    further_cases: int = 0
    further_exchanges: int = 0
    further_names: dict[str, None] = field(default_factory=dict)

    @property
    def exchanges(self) -> int:
        """How many exchanges violated the rule."""
        return sum(violation.exchanges for violation in self.violations) + self.further_exchanges

    @property
    def cases(self) -> int:
        """How many cases violated the rule."""
        return len(self.violations) + self.further_cases

    @property
    def names(self) -> dict[str, None]:
        """What these cases are called, each name once."""
        return dict.fromkeys(violation.case.full_name for violation in self.violations) | self.further_names

    def add(self, violation: Violation, kept: int | None = _VIOLATIONS_KEPT) -> None:
        """Add a violation; when so many are ``kept`` already, by its number alone."""
        if kept is None or len(self.violations) < kept:
            self.violations.append(violation)
            return
        self.further_cases += 1
        self.further_exchanges += violation.exchanges
        self.further_names[violation.case.full_name] = None


def judge(
    ledger: Ledger, facts: Callable[[int], CaseFacts], in_full: Callable[[int], CaseFacts] | None = None
) -> list[Finding]:
    """Judge every case of a ledger; returns one finding for each rule and cause, the most dangerous first.

    ``facts`` is asked of every case, and may leave out what findings alone show: request and reproducer. ``in_full``
    is asked of the cases that findings show.
    """
    return in_order(findings_of(Judge(ledger, facts).groups(_VIOLATIONS_KEPT), ledger, in_full))


def findings_of(
    groups: Iterable[Group], ledger: Ledger, in_full: Callable[[int], CaseFacts] | None = None
) -> list[Finding]:
    """Return the finding of each group, about its first case; ``in_full`` as in ``judge``."""
    found = []
    for group in groups:
        shown = group.violations[0]
        if in_full is not None:
            shown = replace(shown, case=in_full(shown.case.index))
        found.append(finding_of(group, ledger, shown))
    return found


def in_order(findings: list[Finding]) -> list[Finding]:
    """Return findings with the most dangerous first."""
    return sorted(
        findings,
        key=lambda finding: (-finding.rule.severity, finding.rule.code, -finding.exchanges, finding.cause),
    )


class Judge:
    """Judges a ledger as a whole, and single answers by what the ledger tells of valid requests."""

    def __init__(self, ledger: Ledger, facts: Callable[[int], CaseFacts]) -> None:
        self._ledger = ledger
        self._facts = facts
        self._policies = PolicyJudge(ledger, facts)

    def groups(self, kept: int | None = None) -> list[Group]:
        """Return all violations, grouped by rule and cause; of each group at most so many are kept, others counted."""
        groups: dict[tuple[str, str], Group] = {}
        # A million cases have few different answers and makings: what is right once is right each time.
        right: set[tuple[Any, ...]] = set()
        for index, entry in self._ledger:
            case = self._facts(index)
            alike = _alike(entry, case)
            if alike in right:
                continue
            is_right = True
            for violation in _violations(entry, case, self._ledger, self._policies):
                is_right = False
                key = (violation.rule.code, violation.cause)
                group = groups.setdefault(key, Group(violation.rule, violation.cause))
                group.add(violation, kept)
            if is_right and alike is not None and len(right) < _RIGHT_KEPT:
                right.add(alike)
        return list(groups.values())

    def violated_by(self, answer: Answer, case: CaseFacts, secrets: tuple[str, ...]) -> set[tuple[str, str]]:
        """Return the code and cause of each rule that one answer to a case violates by itself.

        ``secrets`` are those of the request: policies are compared as the ledger keeps them.
        """
        alone = Ledger()
        alone.add_answer(case.index, answer, secrets)
        found = _violations(alone.entry(case.index), case, alone, self._policies)
        return {(violation.rule.code, violation.cause) for violation in found}


def finding_of(group: Group, ledger: Ledger, violation: Violation | None = None) -> Finding:
    """Make a finding of a group, shown by one of its violations (the first unless one is given)."""
    shown = violation or group.violations[0]
    case = shown.case
    entry = ledger.entry(case.index)
    ordered = sorted(entry.sightings, key=lambda sighting: (-sighting.count, sighting.identity))
    names, name = group.names, case.full_name
    return Finding(
        rule=group.rule,
        cause=group.cause,
        exchanges=group.exchanges,
        cases=group.cases,
        case_index=case.index,
        case_name=name,
        expectation=case.expectation.value,
        request=case.request,
        reproducer=case.reproducer,
        answers=[_evidence(sighting, ledger) for sighting in ordered],
        description=case.description,
        source=case.source,
        also=tuple(other for other in names if other != name)[:ALSO_MAXIMUM],
        phases=tuple(sorted({phase for sighting in entry.sightings for phase in sighting.phases})),
    )


def _evidence(sighting: Sighting, ledger: Ledger) -> dict[str, Any]:
    return {
        "outcome": sighting.outcome.value,
        "count": sighting.count,
        "first_second": round(sighting.first, 3),
        "last_second": round(sighting.last, 3),
        "workers": sorted(sighting.traits.workers),
        "environments": sorted(sighting.traits.environments),
        "cold_starts": sighting.cold_starts,
        "sample": ledger.samples.get(sighting.identity, {}),
    }


def _alike(entry: CaseEntry, case: CaseFacts) -> tuple[Any, ...] | None:
    """Return what is equal for cases on which all rules say the same; None for a case with several answers."""
    only = entry.only
    if only is None or len(entry.principals) > 1:
        return None
    making = (case.demand, case.family, case.name, case.identity, case.carrier, case.attacks, case.open_rights)
    return (only.identity, bool(only.phases), *making)


def _violations(entry: CaseEntry, case: CaseFacts, ledger: Ledger, policies: PolicyJudge) -> Iterator[Violation]:
    yield from _faults(entry, case, ledger)
    yield from _expectation(entry, case)
    yield from _agreement(entry, case)
    for rule, sightings in policies.judge(entry, case, ledger):
        yield _violation(rule, "" if case.is_valid else cause_of_change(case), case, sightings)


def _violation(rule: Rule, cause: str, case: CaseFacts, sightings: list[Sighting], more: int = 0) -> Violation:
    count = sum(sighting.count for sighting in sightings) + more
    outcomes = frozenset(sighting.outcome for sighting in sightings)
    return Violation(rule, cause, case, count, frozenset(sighting.identity for sighting in sightings), outcomes)


def _faults(entry: CaseEntry, case: CaseFacts, ledger: Ledger) -> Iterator[Violation]:
    """Contract and robustness: an answer that is not acceptable, or none."""
    for sighting in entry.sightings:
        sample = ledger.samples.get(sighting.identity, {})
        rule = _FAULT_RULES.get(sighting.outcome)
        if rule is not None:
            yield _violation(rule, sample.get("cause", ""), case, [sighting])
        if "serialised_answer" in sample.get("notes", ()):
            yield _violation(rules.SERIALISED_ANSWER, "", case, [sighting])


def _expectation(entry: CaseEntry, case: CaseFacts) -> Iterator[Violation]:
    """Expectation: a wrong decision, each said once.

    Faults are reported by what they are, and a valid request that is let in at other times as a disagreement;
    a request that must be denied has no excuse.
    """
    if case.demand is Demand.BETTER_DENIED:
        allowed = [sighting for sighting in entry.sightings if sighting.outcome is Outcome.ALLOW]
        if allowed:
            yield _violation(rules.BETTER_DENIED, cause_of_change(case), case, allowed)
        return
    wrong = [
        sighting
        for sighting in entry.sightings
        if case.expectation.is_met_by(sighting.outcome) is False and sighting.outcome not in _FAULT_RULES
    ]
    let_in = any(sighting.outcome is Outcome.ALLOW for sighting in entry.sightings)
    if wrong and (case.expectation is Expectation.DENY or not let_in):
        yield _violation(_EXPECTATION_RULES[case.demand], cause_of_change(case), case, wrong)


def cause_of_change(case: CaseFacts) -> str:
    """Return what is wrong with an authorizer that gets a case wrong, as its attack says; else the case's name."""
    if case.is_valid:
        return f"by {case.carrier}"
    return case.weakness or f"{case.family}/{case.name}"


def _agreement(entry: CaseEntry, case: CaseFacts) -> Iterator[Violation]:
    """Agreement: equal requests that got different answers; the rarer answers are the violating ones.

    A fault that comes now and then is told as a fault.
    """
    answers = [sighting for sighting in entry.answers() if sighting.outcome not in _FAULT_RULES]
    outcomes = {sighting.outcome for sighting in answers}
    if len(outcomes) > 1:
        common = answers[0].outcome
        names = " or ".join(sorted(outcome.value for outcome in outcomes))
        rarer = [sighting for sighting in answers if sighting.outcome is not common]
        yield _violation(rules.OUTCOME_CHANGED, names, case, rarer)
    allowed = [sighting for sighting in answers if sighting.outcome is Outcome.ALLOW]
    if len(allowed) > 1:
        yield _violation(rules.POLICY_CHANGED, "", case, allowed[1:], entry.uncounted)
    if len(entry.principals) > 1 and len(outcomes) == 1:
        yield _violation(rules.PRINCIPAL_CHANGED, "", case, answers)
