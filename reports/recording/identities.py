"""What makes two answers the same, and what is shown of an answer.

Decided in ``identity_of``: the outcome; for a decision also its canonical policies; for a fault its code and cause.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Answer, Decision, Fault, Outcome
from gatecrash.authorizers.policy import canonical
from gatecrash.authorizers.redact import pseudonymise, redact_text

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
def principal_digest(principal_id: str) -> str:
    """Return the digest by which a principal is told from others."""
    return _digest(principal_id.encode("utf-8", "surrogatepass"))


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
