"""From groups of violations to findings: each is confirmed, classified, made small, and told once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.authorizers.redact import secrets_of
from gatecrash.bench.bench import OutOfBudgetError
from gatecrash.bench.literals import words_digest
from gatecrash.fuzzing.confirmation import Bad, Confirmed, Confirmer, bad_answers
from gatecrash.fuzzing.fuzz_run import FuzzRun
from gatecrash.fuzzing.groups import BY_CHANGE, regroup
from gatecrash.generators.attacks import dictionary
from gatecrash.generators.attacks.implications import broader
from gatecrash.generators.cases import Recipe
from gatecrash.generators.minimise import shrink_recipe
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.checks import Group, Judge, Violation, cause_of_change, finding_of, in_order
from gatecrash.reports.oracles.findings import Classification, Finding
from gatecrash.reports.oracles.rules import BY_CODE, Rule, Severity
from gatecrash.reports.recording.identities import identity_of
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts

# With these the answer depends on what went before or goes on beside it, whatever rule the single answer violates.
_STATE: Final = frozenset(Classification) - {Classification.DETERMINISTIC, Classification.TIME_BOUNDARY}
_BY_REQUEST: Final = frozenset(
    {
        rules.WRONG_DENIAL,
        rules.EQUIVALENT_DIFFER,
        rules.WIDE_POLICY,
        rules.FOREIGN_RIGHTS,
        rules.INJECTED_POLICY,
    }
)
_BROKEN_ORACLES: Final = frozenset({rules.Oracle.ROBUSTNESS, rules.Oracle.CONTRACT})
_VIOLATIONS_TRIED: Final = 3
_AFTERWARDS: Final = frozenset({Classification.AFTER_ANOTHER, Classification.AFTER_MANY})
_DICTIONARY: Final = f"{dictionary.FAMILY.name}/"
_SHRINKABLE: Final = frozenset({Classification.DETERMINISTIC, Classification.AFTER_ANOTHER})
_SURENESS: Final = tuple(Classification)
NOW_AND_THEN_CAUSE: Final = "what must be denied is let in now and then"
STATE_CAUSE: Final = "an earlier request in the same environment changes the answer"


@dataclass(slots=True)
class _Proven:
    """A group with the violation that shows it, how surely, and the recipe it came down to."""

    group: Group
    violation: Violation
    confirmed: Confirmed
    rule: Rule
    cause: str
    recipe: Recipe | None = None
    facts: CaseFacts | None = None


def prove(run: FuzzRun) -> list[Finding]:
    """Return the findings of a run, each proven by firing it again, the most dangerous first."""
    judge = Judge(run.ledger, run.shots.facts)
    groups = judge.groups()
    if run.broken is not None:
        # What a broken target answers to attacks tells nothing: only how it breaks.
        groups = [group for group in groups if group.rule.oracle in _BROKEN_ORACLES]
    return in_order([*_Prover(run, judge).prove(groups), *run.timed])


class _Prover:
    """Proves groups, all of them within the time that the settings leave for it."""

    def __init__(self, run: FuzzRun, judge: Judge) -> None:
        seconds = run.settings.fuzz.confirm_seconds
        self._run = run
        self._bench = run.bench
        self._shots = run.shots
        self._ledger = run.ledger
        self._observer = run.observer
        self._judge = judge
        self._deadline = time.monotonic() + max(seconds / 2, seconds - run.timing_seconds)
        self._confirmer = Confirmer(run.bench, run.shots.of)
        self._setups: list[tuple[int, ...]] = []

    def prove(self, groups: Sequence[Group]) -> list[Finding]:
        """Return the findings of all groups; those with the same cause become one."""
        ordered = sorted(regroup(groups), key=lambda group: (-group.rule.severity, group.rule.code, -group.exchanges))
        if ordered:
            self._run.say(f"  confirming and shrinking {len(ordered)} kinds of violation")
        proven: dict[tuple[str, str], list[_Proven]] = {}
        for number, group in enumerate(ordered):
            left = max(0.0, self._deadline - time.monotonic())
            proof = self._prove(group, min(4.0, left / (len(ordered) - number) * 3))
            proven.setdefault((proof.rule.code, proof.cause), []).append(proof)
        _join_consequences(proven)
        return _without_echoes([self._finding(same) for same in proven.values()])

    def _prove(self, group: Group, seconds: float) -> _Proven:
        for violation in sorted(group.violations, key=_plainness)[:_VIOLATIONS_TRIED]:
            confirmed = self._confirm(violation, seconds / _VIOLATIONS_TRIED)
            if confirmed.classification is not Classification.NOT_SEEN_AGAIN:
                break
        else:
            count = self._ledger.entry(violation.case.index).count
            shown = min(violation.exchanges, count)
            confirmed = Confirmed.of(Classification.NOT_SEEN_AGAIN, shown, count)
        if confirmed.setup and confirmed.setup not in self._setups:
            self._setups.append(confirmed.setup)
        rule, cause = _rule_and_cause(violation, confirmed)
        proven = _Proven(group, violation, confirmed, rule, cause)
        self._shrink(proven)
        if proven.facts is not None and rule is violation.rule and cause == violation.cause:
            # Which of several changes is the cause shows when the others are gone.
            proven.cause = cause_of_change(proven.facts) if rule.oracle in BY_CHANGE else cause
        return proven

    def _confirm(self, violation: Violation, seconds: float) -> Confirmed:
        if violation.rule.severity is Severity.NOTE and violation.rule is not rules.BETTER_DENIED:
            count = self._ledger.entry(violation.case.index).count
            exchanges = min(violation.exchanges, count)
            kind = Classification.DETERMINISTIC if exchanges == count else Classification.FLAKY
            return Confirmed.of(kind, exchanges, count)
        try:
            bad, answers = self._bad(violation)
        except OutOfBudgetError:
            return Confirmed.of(Classification.NOT_SEEN_AGAIN, 0, 1)
        before = self._observer.before(violation.case.index, answers)
        return self._confirmer.confirm(violation, bad, before, self._likely_setups(violation), seconds=seconds)

    def _bad(self, violation: Violation) -> tuple[Bad, frozenset[str]]:
        """Return the test for a bad answer, and which of the answers in the ledger are bad.

        For a disagreement these are all but the one that the request gets when nothing went before it: the most
        frequent one may be the wrong one.
        """
        index = violation.case.index
        if violation.rule.oracle is not rules.Oracle.AGREEMENT:
            secrets = secrets_of(self._shots.of(index).request)
            return bad_answers(violation, self._judge, secrets), violation.answers
        usual = self._confirmer.usual_answer(index)
        others = self._ledger.entry(index).identities - {usual}
        return lambda answer: answer.outcome.is_answer and identity_of(answer) != usual, others

    def _likely_setups(self, violation: Violation) -> list[tuple[int, ...]]:
        """Return short sequences that often are the cause: a valid request of the same device, or of another."""
        identity = violation.case.identity
        own = [index for index in self._run.book.valid if self._shots.facts(index).identity == identity]
        others = [index for index in self._run.book.valid if self._shots.facts(index).identity != identity]
        likely = [*self._setups, *((index,) for index in own[:4]), *((index,) for index in others[:2])]
        return [setup for setup in dict.fromkeys(likely) if setup != (violation.case.index,)]

    def _shrink(self, proven: _Proven) -> None:
        """Look for a smaller request that shows the same; where it shows only now and then, it stays as it is."""
        if proven.confirmed.classification not in _SHRINKABLE:
            return
        violation = proven.violation
        if violation.rule.oracle is rules.Oracle.AGREEMENT or violation.rule.severity is Severity.NOTE:
            return
        setup = [self._shots.of(index) for index in proven.confirmed.setup]
        any_cause = violation.rule.oracle in BY_CHANGE and len(violation.case.attacks) > 1
        wanted = (violation.rule.code, violation.cause)

        def shows(recipe: Recipe) -> bool:
            if time.monotonic() > self._deadline:
                return False
            shot, facts = self._shots.make(recipe, violation.case.index)
            if not self._bench.can_fire(shot.view):
                return False
            answer = self._bench.fire([*setup, shot])[-1]
            violated = self._judge.violated_by(answer, facts, secrets_of(shot.request))
            return wanted in violated or (any_cause and wanted[0] in {code for code, _ in violated})

        maker = self._shots.maker
        recipe = self._shots.recipe(violation.case.index)
        try:
            proven.recipe = shrink_recipe(
                recipe, maker.profile, maker.attacks, shows, trials=self._run.settings.fuzz.shrink_requests
            )
        except OutOfBudgetError:
            return
        proven.facts = self._shots.make(proven.recipe, violation.case.index)[1]

    def _finding(self, same: list[_Proven]) -> Finding:
        """Make one finding of all groups with the same rule and cause, shown by the surest of them."""
        shown = min(same, key=lambda proof: _SURENESS.index(proof.confirmed.classification))
        group = Group(shown.rule, shown.cause, [violation for proof in same for violation in proof.group.violations])
        finding = finding_of(group, self._ledger, shown.violation)
        setup = [self._setup_step(index) for index in shown.confirmed.setup]
        recipe = shown.recipe or self._shots.recipe(shown.violation.case.index)
        more: dict[str, Any] = {"setup": setup} if setup else {}
        recipes = [recipe, *(self._shots.recipe(index) for index in shown.confirmed.setup)]
        if any(mutation.attack.startswith(_DICTIONARY) for part in recipes for mutation in part.mutations):
            more["words"] = words_digest(self._shots.maker.words)
        reproducer = {**finding.reproducer, **more}
        finding = replace(
            finding,
            reproducer=reproducer,
            confirmation=shown.confirmed.confirmation,
            size=len(recipe.mutations),
            first_exchange=self._first_exchange(group),
        )
        return self._with_smaller_request(finding, shown, more)

    def _with_smaller_request(self, finding: Finding, shown: _Proven, more: dict[str, Any]) -> Finding:
        """Show the smallest request in place of the one that was seen, with the answer that it gets."""
        if shown.recipe is None or shown.facts is None:
            return finding
        facts, index = shown.facts, shown.violation.case.index
        if shown.recipe == self._shots.recipe(index):
            return replace(finding, shrunk=True)
        shot, _ = self._shots.make(shown.recipe, index)
        before = [self._shots.of(other) for other in shown.confirmed.setup]
        try:
            answer = self._bench.fire([*before, shot])[-1]
        except OutOfBudgetError:
            return finding
        ledger = Ledger()
        ledger.add_answer(index, answer, secrets_of(shot.request))
        smaller = finding_of(Group(finding.rule, finding.cause, [replace(shown.violation, case=facts)]), ledger)
        return replace(
            finding,
            case_name=smaller.case_name,
            expectation=smaller.expectation,
            request=smaller.request,
            reproducer={**smaller.reproducer, **more},
            answers=smaller.answers,
            description=smaller.description,
            source=smaller.source,
            shrunk=True,
        )

    def _setup_step(self, index: int) -> dict[str, Any]:
        meta = self._shots.meta(index)
        return {"name": f"{meta.family}/{meta.name}", "recipe": dict(meta.recipe)} | (
            {"view": meta.view} if meta.view else {}
        )

    def _first_exchange(self, group: Group) -> int | None:
        if group.rule.oracle is rules.Oracle.AGREEMENT:
            firsts = [self._observer.first_disagreement(violation.case.index) for violation in group.violations]
        else:
            firsts = [self._observer.first(violation.case.index, violation.answers) for violation in group.violations]
        return min((first for first in firsts if first is not None), default=None)


def _join_consequences(proven: dict[tuple[str, str], list[_Proven]]) -> None:
    """Put weaknesses that follow from a broader one to it: which they are shows when changes were made smaller."""
    causes = {cause: (code, cause) for code, cause in proven if BY_CODE[code].kind is rules.FindingKind.FAIL_OPEN}
    for key in list(proven):
        cause = broader(key[1], causes) if key[1] in causes else None
        if cause is not None and causes[cause] in proven:
            proven[causes[cause]] += proven.pop(key)


def _plainness(violation: Violation) -> tuple[int, bool]:
    return len(violation.case.attacks), "view" in violation.case.reproducer


def _rule_and_cause(violation: Violation, confirmed: Confirmed) -> tuple[Rule, str]:
    """Return the rule and cause under which a confirmed violation is told.

    What shows only after other requests, or now and then, is no property of this request: it is told as a
    disagreement, or as one fail-open whatever attack met it first.
    """
    classification = confirmed.classification
    if classification not in _STATE:
        return violation.rule, violation.cause
    if violation.rule in _BY_REQUEST:
        denied = violation.outcomes - {Outcome.ALLOW}
        return (rules.OUTCOME_CHANGED, "allow or deny") if denied else (rules.POLICY_CHANGED, "")
    if violation.rule.kind is rules.FindingKind.FAIL_OPEN and violation.rule.severity > Severity.NOTE:
        return rules.FAIL_OPEN, STATE_CAUSE if classification in _AFTERWARDS else NOW_AND_THEN_CAUSE
    return violation.rule, violation.cause


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """Leave out disagreements that a fail-open with the same cause tells already."""
    remembered = any(finding.cause == STATE_CAUSE for finding in findings)
    return [
        finding
        for finding in findings
        if not (remembered and finding.rule is rules.OUTCOME_CHANGED and finding.expectation == Expectation.DENY)
    ]
