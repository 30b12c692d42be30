"""The oracle of decay: decisions that are right at rates which are held, and wrong above them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.checks import Group, Violation, findings_of, in_order, judge
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts
from gatecrash.reports.recording.sightings import CaseEntry, Sighting


def judge_by_rate(
    ledger: Ledger,
    facts: Callable[[int], CaseFacts],
    held: float,
    in_full: Callable[[int], CaseFacts] | None = None,
) -> list[Finding]:
    """Judge what was seen at rates up to ``held``, in arrivals a second, as ever; and what went wrong above them.

    Errors and throttles above what is held are no findings: that they come there is what capacity means. Of the cases
    that findings show, the facts come from ``in_full`` where it is given, as in ``checks.judge``.
    """
    groups: dict[str, Group] = {}
    for index, entry in ledger:
        case = facts(index)
        for cause, sightings in _decayed(entry, case, held):
            count = sum(sighting.count for sighting in sightings)
            answers = frozenset(sighting.identity for sighting in sightings)
            violation = Violation(rules.DECAY, cause, case, count, answers)
            groups.setdefault(cause, Group(rules.DECAY, cause)).add(violation)
    found = findings_of(groups.values(), ledger, in_full)
    return in_order([*judge(ledger.up_to(held), facts, in_full), *found])


def _decayed(entry: CaseEntry, case: CaseFacts, held: float) -> Iterator[tuple[str, list[Sighting]]]:
    """Yield what a case was answered only above the held rates, by how it differs from what it was before."""
    decided = [sighting for sighting in entry.sightings if sighting.outcome.is_decision]
    before = [sighting for sighting in decided if sighting.traits.lowest_rate <= held]
    outcomes = {sighting.outcome for sighting in before}
    if len(outcomes) != 1:
        return
    usual = outcomes.pop()
    after = [sighting for sighting in decided if sighting.traits.lowest_rate > held]
    by_cause: dict[str, list[Sighting]] = {}
    for sighting in after:
        if sighting.outcome is not usual and case.expectation.is_met_by(sighting.outcome) is not True:
            by_cause.setdefault(f"{sighting.outcome.value} in place of {usual.value}", []).append(sighting)
        elif sighting.outcome is usual is Outcome.ALLOW and len(before) == 1:
            by_cause.setdefault("another policy", []).append(sighting)
    yield from by_cause.items()
