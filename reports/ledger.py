"""The ledger: for each case every distinct answer that was seen, how often, when and by whom.

What makes two answers the same is decided here, in ``identity_of``: the outcome; for a decision also its
canonical policies; for a fault its code and cause. The principal and the lifetimes are followed apart, because
they may change lawfully from call to call.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from authorizers import wire
from authorizers.contract import Answer, Decision, Fault, Outcome
from authorizers.policy import canonical
from authorizers.redact import pseudonymise, redact_text
from reports.records import Exchange

# An authorizer that answers anew each time must not fill the memory: what comes after is only counted.
DISTINCT_ANSWERS_MAXIMUM: Final = 16
SAMPLES_MAXIMUM: Final = 2000
_VARIANTS_MAXIMUM: Final = 2
_NAMES_MAXIMUM: Final = 8
_IDENTITIES_KEPT: Final = 16_384
_RULE: Final = re.compile(r"\b(principalId|policyDocuments|refreshAfterInSeconds|disconnectAfterInSeconds)\b")


def _digest(*parts: bytes) -> str:
    return hashlib.blake2b(b"\0".join(parts), digest_size=8).hexdigest()


def contract_rule(message: str) -> str:
    """Name the part of the answer's contract that an InvalidResponseException's message speaks of."""
    found = _RULE.search(message)
    return found[1] if found else "format"


def cause_of(answer: Answer) -> str:
    """Name the cause of a fault without anything that the request put into it; empty for a decision."""
    fault = answer.fault
    if fault is None:
        return ""
    if answer.outcome is Outcome.INVALID_RESPONSE:
        return contract_rule(fault.message)
    return fault.error_type or fault.code


def identity_of(answer: Answer) -> str:
    """Return the digest that is equal for equal answers."""
    if answer.decision is None:
        return _fault_identity(answer.outcome, cause_of(answer))
    return _decision_identity(answer.outcome, answer.decision.policy_documents)


@lru_cache(maxsize=_IDENTITIES_KEPT)
def _fault_identity(outcome: Outcome, cause: str) -> str:
    return _digest(outcome.encode(), cause.encode())


@lru_cache(maxsize=_IDENTITIES_KEPT)
def _decision_identity(outcome: Outcome, policy_documents: tuple[str, ...]) -> str:
    return _digest(outcome.encode(), canonical(policy_documents))


@lru_cache(maxsize=_IDENTITIES_KEPT)
def _principal_digest(principal_id: str) -> str:
    return _digest(principal_id.encode("utf-8", "surrogatepass"))


@dataclass(slots=True)
class Sighting:
    """How often one answer was seen; times in seconds since the run's start, rates in arrivals a second."""

    outcome: Outcome
    identity: str
    count: int = 0
    first: float = 0.0
    last: float = 0.0
    lowest_rate: float = 0.0
    highest_rate: float = 0.0
    workers: set[int] = field(default_factory=set)
    environments: set[str] = field(default_factory=set)
    cold_starts: int = 0
    phases: Counter[str] = field(default_factory=Counter)

    @classmethod
    def first_of(cls, exchange: Exchange, identity: str) -> Sighting:
        """Make the sighting of one exchange."""
        start, rate = exchange.intended_start, exchange.offered_rate
        sighting = cls(exchange.answer.outcome, identity, 0, start, start, rate, rate)
        sighting.see(exchange)
        return sighting

    def see(self, exchange: Exchange) -> None:
        """Count one more exchange with this answer."""
        self.count += 1
        start, rate = exchange.intended_start, exchange.offered_rate
        if start < self.first:
            self.first = start
        elif start > self.last:
            self.last = start
        if rate < self.lowest_rate:
            self.lowest_rate = rate
        elif rate > self.highest_rate:
            self.highest_rate = rate
        self.workers.add(exchange.worker)
        if (invocation := exchange.answer.invocation) is not None:
            if invocation.environment and len(self.environments) < _NAMES_MAXIMUM:
                self.environments.add(invocation.environment)
            self.cold_starts += invocation.cold_start
        if exchange.phase:
            self.phases[exchange.phase] += 1

    def add(self, other: Sighting) -> None:
        """Add sightings of the same answer."""
        if self.count == 0:
            self.first, self.lowest_rate = other.first, other.lowest_rate
        self.count += other.count
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.lowest_rate = min(self.lowest_rate, other.lowest_rate)
        self.highest_rate = max(self.highest_rate, other.highest_rate)
        self.workers |= other.workers
        self.environments |= set(sorted(other.environments)[: _NAMES_MAXIMUM - len(self.environments)])
        self.cold_starts += other.cold_starts
        self.phases.update(other.phases)


@dataclass(slots=True)
class CaseEntry:
    """All that was seen of one case."""

    sightings: dict[str, Sighting] = field(default_factory=dict)
    principals: set[str] = field(default_factory=set)
    lifetimes: set[tuple[int, int]] = field(default_factory=set)
    uncounted: int = 0

    def add_sighting(self, sighting: Sighting) -> None:
        """Count one or more sightings of an answer."""
        mine = self.sightings.get(sighting.identity)
        if mine is None and len(self.sightings) >= DISTINCT_ANSWERS_MAXIMUM:
            self.uncounted += sighting.count
            return
        if mine is None:
            mine = self.sightings[sighting.identity] = Sighting(sighting.outcome, sighting.identity)
        mine.add(sighting)

    def add_variants(self, principals: set[str], lifetimes: set[tuple[int, int]]) -> None:
        """Remember up to two principals and lifetimes: one more than one is all there is to know."""
        self.principals = set(sorted(self.principals | principals)[:_VARIANTS_MAXIMUM])
        self.lifetimes = set(sorted(self.lifetimes | lifetimes)[:_VARIANTS_MAXIMUM])

    @property
    def count(self) -> int:
        """How many exchanges of this case were recorded."""
        return sum(sighting.count for sighting in self.sightings.values()) + self.uncounted

    def answers(self) -> list[Sighting]:
        """Return the sightings that say something of the authorizer, most frequent first."""
        said = [sighting for sighting in self.sightings.values() if sighting.outcome.is_answer]
        return sorted(said, key=lambda sighting: (-sighting.count, sighting.identity))


class Ledger:
    """Case entries by the case's index, and a sample of each distinct answer with its secrets masked."""

    __slots__ = ("_entries", "samples")

    def __init__(self) -> None:
        self._entries: dict[int, CaseEntry] = {}
        self.samples: dict[str, dict[str, Any]] = {}

    def add_exchange(
        self, exchange: Exchange, secrets: Callable[[], tuple[str, ...]], *, times: int = 1, last: float = 0.0
    ) -> None:
        """Enter an exchange; ``secrets`` gives the texts of its request that must not be kept.

        With ``times`` it stands for several that differ in their intended starts alone, the latest of them ``last``.
        """
        answer = exchange.answer
        identity = identity_of(answer)
        if identity not in self.samples and len(self.samples) < SAMPLES_MAXIMUM:
            self.samples[identity] = sample_of(answer, secrets())
        entry = self._entry(exchange.case_index)
        sighting = entry.sightings.get(identity)
        if sighting is not None:
            sighting.see(exchange)
        elif len(entry.sightings) < DISTINCT_ANSWERS_MAXIMUM:
            sighting = entry.sightings[identity] = Sighting.first_of(exchange, identity)
        else:
            entry.uncounted += times
        if times > 1 and sighting is not None:
            sighting.count += times - 1
            sighting.last = max(sighting.last, last)
        if (decision := answer.decision) is not None:
            principal = _principal_digest(decision.principal_id)
            lifetimes = (decision.refresh_after_in_seconds, decision.disconnect_after_in_seconds)
            if principal not in entry.principals or lifetimes not in entry.lifetimes:
                entry.add_variants({principal}, {lifetimes})

    def _entry(self, case_index: int) -> CaseEntry:
        if case_index not in self._entries:
            self._entries[case_index] = CaseEntry()
        return self._entries[case_index]

    def entry(self, case_index: int) -> CaseEntry:
        """Return all that was seen of a case; nothing, for one that was never fired."""
        return self._entries.get(case_index, CaseEntry())

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[tuple[int, CaseEntry]]:
        for index in sorted(self._entries):
            yield index, self._entries[index]

    def add(self, other: Ledger) -> None:
        """Add another worker's ledger."""
        for index, theirs in other:
            mine = self._entry(index)
            for sighting in theirs.sightings.values():
                mine.add_sighting(sighting)
            mine.add_variants(theirs.principals, theirs.lifetimes)
            mine.uncounted += theirs.uncounted
        for identity, sample in other.samples.items():
            if len(self.samples) < SAMPLES_MAXIMUM:
                self.samples.setdefault(identity, sample)

    def encode(self) -> dict[str, Any]:
        """Return a JSON value."""
        return {
            "samples": self.samples,
            "cases": [
                {
                    "case": index,
                    "uncounted": entry.uncounted,
                    "principals": sorted(entry.principals),
                    "lifetimes": sorted(entry.lifetimes),
                    "sightings": [_encode_sighting(sighting) for sighting in entry.sightings.values()],
                }
                for index, entry in self
            ],
        }

    @classmethod
    def decode(cls, value: Mapping[str, Any]) -> Ledger:
        """Read what ``encode`` wrote."""
        ledger = cls()
        ledger.samples = dict(value["samples"])
        for row in value["cases"]:
            entry = ledger._entry(row["case"])
            entry.uncounted = row["uncounted"]
            entry.principals = set(row["principals"])
            entry.lifetimes = {(refresh, disconnect) for refresh, disconnect in row["lifetimes"]}
            for sighting in map(_decode_sighting, row["sightings"]):
                entry.sightings[sighting.identity] = sighting
        return ledger


def sample_of(answer: Answer, secrets: tuple[str, ...]) -> dict[str, Any]:
    """Describe an answer for a report, without secrets."""
    sample: dict[str, Any] = {"outcome": answer.outcome.value, "cause": cause_of(answer), "notes": list(answer.notes)}
    if answer.decision is not None:
        sample["decision"] = _decision_sample(answer.decision, secrets)
    if answer.fault is not None:
        sample["fault"] = _fault_sample(answer.fault, secrets)
    return sample


def _decision_sample(decision: Decision, secrets: tuple[str, ...]) -> dict[str, Any]:
    shown = wire.decision_to_wire(decision)
    shown["principalId"] = redact_text(decision.principal_id, secrets)
    # They are evaluated later: a mask of asterisks would turn into wildcards.
    shown["policyDocuments"] = [pseudonymise(text, secrets) for text in decision.policy_documents]
    return shown


def _fault_sample(fault: Fault, secrets: tuple[str, ...]) -> dict[str, Any]:
    return {
        "code": fault.code,
        "errorType": fault.error_type,
        "message": redact_text(fault.message, secrets),
    }


def _encode_sighting(sighting: Sighting) -> dict[str, Any]:
    return {
        "outcome": sighting.outcome.value,
        "identity": sighting.identity,
        "count": sighting.count,
        "first": round(sighting.first, 3),
        "last": round(sighting.last, 3),
        "lowest_rate": sighting.lowest_rate,
        "highest_rate": sighting.highest_rate,
        "workers": sorted(sighting.workers),
        "environments": sorted(sighting.environments),
        "cold_starts": sighting.cold_starts,
        "phases": dict(sorted(sighting.phases.items())),
    }


def _decode_sighting(row: Mapping[str, Any]) -> Sighting:
    return Sighting(
        outcome=Outcome(row["outcome"]),
        identity=row["identity"],
        count=row["count"],
        first=row["first"],
        last=row["last"],
        lowest_rate=row["lowest_rate"],
        highest_rate=row["highest_rate"],
        workers=set(row["workers"]),
        environments=set(row["environments"]),
        cold_starts=row["cold_starts"],
        phases=Counter(row.get("phases", {})),
    )
