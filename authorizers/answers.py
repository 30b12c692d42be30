"""From what a Lambda function answered to a decision or a fault, by the service's checks in its order.

Order and messages were measured of the service where the note in ``docs/gateway.md`` doesn't say otherwise.
"""

from __future__ import annotations

from typing import Any, Final

from gatecrash.authorizers import limits, wire
from gatecrash.authorizers.contract import AuthorizerRequest, Decision, Outcome
from gatecrash.authorizers.errors import InvalidResponseError, WireError
from gatecrash.authorizers.policy import lets_connect

SERIALISED_ANSWER: Final = "serialised_answer"
_INVALID_FORMAT: Final = "Lambda invocation result is in invalid format"
_POLICIES: Final = "policyDocuments failed to satisfy constraint:"
_LIFETIMES: Final = (
    ("refreshAfterInSeconds", limits.REFRESH_SECONDS_DEFAULT),
    ("disconnectAfterInSeconds", limits.DISCONNECT_SECONDS_DEFAULT),
)


def handler_failed(error_message: str, error_type: str) -> InvalidResponseError:
    """Return the service's error for a Lambda function that raised, timed out or died."""
    return InvalidResponseError(f"Lambda function encountered error in execution: {error_message}: {error_type}")


def decision_from_payload(payload: bytes) -> tuple[Decision, tuple[str, ...]]:
    """Read a Lambda function's answer; returns the decision and remarks on it.

    Raises InvalidResponseError with the service's message for the first rule that the answer breaks.
    """
    try:
        answer = wire.decode(payload)
        serialised = isinstance(answer, str)
        if serialised:
            answer = wire.decode(answer.encode("utf-8", "surrogatepass"))
    except WireError as error:
        raise InvalidResponseError(_INVALID_FORMAT) from error
    if not isinstance(answer, dict) or not isinstance(answer.get("isAuthenticated"), bool):
        raise InvalidResponseError(_INVALID_FORMAT)
    decision = Decision(
        answer["isAuthenticated"],
        _principal(answer.get("principalId")),
        _documents(answer.get("policyDocuments")),
        *(_lifetime(answer, name, default) for name, default in _LIFETIMES),
    )
    return decision, (SERIALISED_ANSWER,) if serialised else ()


def _principal(value: Any) -> str:
    if not isinstance(value, str) or not limits.PRINCIPAL_ID.allows(value):
        shown = value if isinstance(value, str) else _as_json(value)
        raise InvalidResponseError(
            f"{shown} at principalId failed to satisfy constraint: Member must satisfy ([a-zA-Z0-9]){{1,128}}"
        )
    return value


def _as_json(value: Any) -> str:
    try:
        return wire.encode(value).decode()
    except WireError as error:
        # Nested so deeply that it could be read but not be written.
        raise InvalidResponseError(_INVALID_FORMAT) from error


def _documents(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidResponseError(f"{_POLICIES} List of policies cannot be null.")
    if len(value) > limits.POLICY_DOCUMENTS_MAXIMUM:
        raise InvalidResponseError(f"{_POLICIES} Number of policies allowed cannot exceed 10")
    return tuple(_document(document) for document in value)


def _document(value: Any) -> str:
    text = value if isinstance(value, str) else _as_json(value)
    if limits.utf16_length(text) > limits.POLICY_DOCUMENT_LENGTH_MAXIMUM:
        raise InvalidResponseError(f"{_POLICIES} Size of a policy document cannot exceeds hard limit of 2048")
    try:
        parsed = wire.decode(text.encode("utf-8", "surrogatepass"))
    except WireError:
        parsed = None
    if not isinstance(parsed, dict):
        raise InvalidResponseError(f"{_POLICIES} Policy document is Malformed: Invalid policy syntax.")
    return text


def _lifetime(answer: dict[str, Any], name: str, default: int) -> int:
    value = answer.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidResponseError(_INVALID_FORMAT)
    if not limits.LIFETIME_SECONDS_MINIMUM <= value <= limits.LIFETIME_SECONDS_MAXIMUM:
        raise InvalidResponseError(
            f"{value} at {name} failed to satisfy constraint: "
            "Member must be greater than 5 minutes and less than 24 hours."
        )
    return value


def outcome_of(request: AuthorizerRequest, decision: Decision) -> Outcome:
    """Judge a decision as a device would meet it: allowed only if the policy lets this client connect."""
    if not decision.is_authenticated:
        return Outcome.DENY
    if lets_connect(decision.policy_documents, request.client_id):
        return Outcome.ALLOW
    return Outcome.REFUSED_BY_POLICY
