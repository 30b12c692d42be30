"""The ledger: for each case every distinct answer that was seen, how often, when and by whom.

What makes two answers the same is decided here, in ``identity_of``: the outcome; for a decision also its
canonical policies; for a fault its code and cause. The principal and the lifetimes are followed apart, because
they may change lawfully from call to call.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from authorizers import wire
from authorizers.contract import Answer, Decision, Fault, Outcome
from authorizers.policy import canonical
from authorizers.redact import pseudonymise, redact_text
from reports.records import Exchange
from reports.sightings import CaseEntry, Sighting, decode_sighting, encode_sighting, only

SAMPLES_MAXIMUM: Final = 2000
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
        entry = self.own_entry(exchange.case_index)
        sighting = entry.sighting(identity)
        if sighting is not None:
            sighting.see(exchange)
        else:
            sighting = Sighting.first_of(exchange, identity)
            if not entry.put(sighting):
                entry.uncounted += times
        if times > 1:
            sighting.count += times - 1
            sighting.last = max(sighting.last, last)
        if (decision := answer.decision) is not None:
            principal = _principal_digest(decision.principal_id)
            lifetimes = (decision.refresh_after_in_seconds, decision.disconnect_after_in_seconds)
            if principal not in entry.principals or lifetimes not in entry.lifetimes:
                entry.add_variants(only(principal), only(lifetimes))

    def own_entry(self, case_index: int) -> CaseEntry:
        """Return the entry of a case to add to, made when there is none yet."""
        entry = self._entries.get(case_index)
        if entry is None:
            entry = self._entries[case_index] = CaseEntry()
        return entry

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
            mine = self.own_entry(index)
            for sighting in theirs.sightings.values():
                mine.add_sighting(sighting)
            mine.add_variants(theirs.principals, theirs.lifetimes)
            mine.uncounted += theirs.uncounted
        self.add_samples(other.samples)

    def add_samples(self, samples: Mapping[str, dict[str, Any]]) -> None:
        """Add samples of answers, as many as there is room for."""
        for identity, sample in samples.items():
            if len(self.samples) < SAMPLES_MAXIMUM:
                self.samples.setdefault(identity, sample)

    def up_to(self, rate: float) -> Ledger:
        """Return what was seen at offered rates up to one, in arrivals a second; entries are shared, not copied."""
        ledger = Ledger()
        ledger.samples = self.samples
        for index, entry in self._entries.items():
            if all(sighting.lowest_rate <= rate for sighting in entry.sightings.values()):
                ledger._entries[index] = entry
                continue
            kept = ledger.own_entry(index)
            kept.add_variants(entry.principals, entry.lifetimes)
            for sighting in entry.sightings.values():
                if sighting.lowest_rate <= rate:
                    kept.put(sighting)
        return ledger

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
                    "sightings": [encode_sighting(sighting) for sighting in entry.sightings.values()],
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
            entry = ledger.own_entry(row["case"])
            entry.uncounted = row["uncounted"]
            principals = frozenset(row["principals"])
            lifetimes = frozenset((refresh, disconnect) for refresh, disconnect in row["lifetimes"])
            entry.add_variants(principals, lifetimes)
            for sighting in map(decode_sighting, row["sightings"]):
                entry.put(sighting)
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
