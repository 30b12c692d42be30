"""The policy oracle and the relation of equal rights: what the policies of a ledger's answers give, and to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from gatecrash.authorizers.contract import Demand, Outcome
from gatecrash.authorizers.policy import allows_anything, grants
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.rights import KnownRights, Pair, strange_rights
from gatecrash.reports.oracles.rules import Rule
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts
from gatecrash.reports.recording.sightings import CaseEntry, Sighting

# Where an environment had seen nothing before, no other request can have left its mark on the answer.
ALONE: Final = "alone"
_CLIENT_IDS: Final = "mqtt_client_id"
_Rights = tuple[frozenset[Pair], frozenset[Pair]]
_strange = lru_cache(maxsize=4096)(strange_rights)


class PolicyJudge:
    """Judges the policies of answers by what valid requests of the same identity were given."""

    def __init__(self, ledger: Ledger, facts: Callable[[int], CaseFacts]) -> None:
        self._known = KnownRights()
        self._by_carrier: dict[tuple[int, str], set[_Rights]] = {}
        learnt: set[tuple[int, str, str]] = set()
        for index, entry in ledger:
            if (usual := _usual(entry)) is None:
                continue
            case = facts(index)
            if case.is_valid and case.identity is not None:
                lesson = (case.identity, case.carrier, usual.identity)
                if lesson in learnt:
                    continue
                learnt.add(lesson)
                documents = _documents(usual, ledger)
                self._known.learn(case.identity, documents)
                self._by_carrier.setdefault((case.identity, case.carrier), set()).add(_rights(documents))

    def judge(self, entry: CaseEntry, case: CaseFacts, ledger: Ledger) -> Iterator[tuple[Rule, list[Sighting]]]:
        """Yield each rule that the policies of a case's answers violate, with these answers, sampled in ``ledger``."""
        found: dict[str, tuple[Rule, list[Sighting]]] = {}
        for sighting in entry.sightings:
            documents = _documents(sighting, ledger)
            for rule in self._violated(sighting, documents, case):
                found.setdefault(rule.code, (rule, []))[1].append(sighting)
        yield from found.values()

    def _violated(self, sighting: Sighting, documents: tuple[str, ...], case: CaseFacts) -> Iterator[Rule]:
        if sighting.outcome is Outcome.DENY and allows_anything(documents):
            yield rules.ALLOWING_DENIAL
        if sighting.outcome not in {Outcome.ALLOW, Outcome.REFUSED_BY_POLICY}:
            return
        identity = case.identity
        strange = set(_strange(documents))
        if identity is None or case.is_valid:
            if strange:
                yield rules.WIDE_POLICY
        elif strange - self._known.own_strange(identity) or self._known.gives_longer_names(identity, documents):
            yield rules.INJECTED_POLICY
        if identity is not None and _bound_to_identity(case) and self._known.gives_foreign(identity, documents):
            yield rules.FOREIGN_RIGHTS
        if case.demand is Demand.SAME and sighting.outcome is Outcome.ALLOW and identity is not None:
            usual = self._by_carrier.get((identity, case.carrier), set())
            if len(usual) == 1 and _rights(documents) not in usual:
                yield rules.EQUIVALENT_DIFFER


def _documents(sighting: Sighting, ledger: Ledger) -> tuple[str, ...]:
    sample = ledger.samples.get(sighting.identity, {})
    return tuple(sample.get("decision", {}).get("policyDocuments", ()))


def _bound_to_identity(case: CaseFacts) -> bool:
    """Say whether the answer to a case may only have rights of its own identity.

    A request that must be denied is somebody else's as a rule: that it was allowed is told already.
    """
    if case.open_rights:
        return False
    return case.demand not in {Demand.DENY, Demand.NOT_ISSUED} or case.family == _CLIENT_IDS


def _usual(entry: CaseEntry) -> Sighting | None:
    """Return the answer that shows what a valid request is given: where it came alone, or the most frequent."""
    allowed = [sighting for sighting in entry.sightings if sighting.outcome is Outcome.ALLOW]
    return max(allowed, key=lambda one: (one.phases.get(ALONE, 0), one.count, one.identity), default=None)


@lru_cache(maxsize=4096)
def _rights(documents: tuple[str, ...]) -> _Rights:
    return frozenset(grants(documents)), frozenset(_strange(documents))
