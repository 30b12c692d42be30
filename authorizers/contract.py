"""The model: what is asked of an authorizer, what it may answer, and what must come back.

AWS's names in snake case. All of it is frozen data; nothing here does input or output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True)
class HttpContext:
    """The HTTP request that a device made: header names keep their case, the query string its ``?``."""

    headers: Mapping[str, str] | None = None
    query_string: str | None = None


@dataclass(frozen=True, slots=True)
class MqttContext:
    """The MQTT CONNECT that a device sent. ``password`` is bytes; on the wire it is base64."""

    username: str | None = None
    password: bytes | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class TlsContext:
    """The TLS handshake: the server name indication."""

    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class AuthorizerRequest:
    """The parameters of TestInvokeAuthorizer, without the authorizer's name."""

    token: str | None = None
    token_signature: str | None = None
    http_context: HttpContext | None = None
    mqtt_context: MqttContext | None = None
    tls_context: TlsContext | None = None

    @property
    def client_id(self) -> str | None:
        """The MQTT client id, which the policy must allow to connect, if the request has one."""
        return self.mqtt_context.client_id if self.mqtt_context else None


@dataclass(frozen=True, slots=True)
class Decision:
    """What an authorizer decided; lifetimes in seconds, policy documents as JSON text."""

    is_authenticated: bool
    principal_id: str
    policy_documents: tuple[str, ...]
    refresh_after_in_seconds: int
    disconnect_after_in_seconds: int


class Outcome(StrEnum):
    """How one exchange ended.

    Allow and deny are both HTTP 200. ``rejected`` means that the service refused the request before the
    handler saw it; a throttle is neither success nor failure of the authorizer.
    """

    ALLOW = "allow"
    DENY = "deny"
    REFUSED_BY_POLICY = "refused_by_policy"
    THROTTLED = "throttled"
    TIMED_OUT = "timed_out"
    HANDLER_ERROR = "handler_error"
    INVALID_RESPONSE = "invalid_response"
    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    TRANSPORT_ERROR = "transport_error"

    @property
    def is_decision(self) -> bool:
        """Whether the authorizer itself decided, with a valid answer."""
        return self in _DECISIONS

    @property
    def is_answer(self) -> bool:
        """Whether it says something of the authorizer or the service's rules, and so must be repeatable."""
        return self in _ANSWERS

    @property
    def is_error(self) -> bool:
        """Whether nothing was decided, throttled or rejected."""
        return self in _ERRORS

    @property
    def turns_away(self) -> bool:
        """Whether the device got no decision, for no fault of its own: an error, or a throttle."""
        return self is Outcome.THROTTLED or self.is_error

    @property
    def tells_latency(self) -> bool:
        """Whether its latency says how long the authorizer takes: it was neither throttled nor out of reach."""
        return self not in _NOT_REACHED


_DECISIONS = frozenset({Outcome.ALLOW, Outcome.DENY, Outcome.REFUSED_BY_POLICY})
_NOT_REACHED = frozenset({Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.TRANSPORT_ERROR})
_ERRORS = frozenset(Outcome) - _DECISIONS - {Outcome.THROTTLED, Outcome.REJECTED}
_ANSWERS = _DECISIONS | {Outcome.HANDLER_ERROR, Outcome.INVALID_RESPONSE, Outcome.REJECTED}
LATENCY_OUTCOMES: Final = tuple(outcome for outcome in Outcome if outcome.tells_latency)


class Expectation(StrEnum):
    """What a case was built to get back; ``open`` when either answer is right as long as it stays the same."""

    ALLOW = "allow"
    DENY = "deny"
    OPEN = "open"

    def is_met_by(self, outcome: Outcome) -> bool | None:
        """Say whether an outcome is what was expected, or None when it says nothing about the decision.

        A device that must be kept out is kept out by a clean denial, by a policy that doesn't let it connect,
        by the service's refusal of the request, and also by an answer that the service can't accept: that last
        one is a fault of its own kind (robustness, contract), not an open door.
        """
        if self is Expectation.OPEN or not outcome.is_answer:
            return None
        return (outcome is Outcome.ALLOW) == (self is Expectation.ALLOW)


class Demand(StrEnum):
    """What a request demands of a correct authorizer, and how strictly.

    ``deny``: whoever allows it lets somebody in. ``not_issued``: nothing that the profile issues looks so, and only
    who has the key could make it. ``better_denied``: a standard forbids it, and many tolerate it. ``any``: either is
    right, as long as it stays the same. ``same``: it must be decided as the same request without the change.
    """

    ALLOW = "allow"
    DENY = "deny"
    NOT_ISSUED = "not_issued"
    BETTER_DENIED = "better_denied"
    ANY = "any"
    SAME = "same"

    @property
    def expectation(self) -> Expectation:
        """What must come back."""
        return _EXPECTATIONS[self]


_EXPECTATIONS = {
    Demand.ALLOW: Expectation.ALLOW,
    Demand.DENY: Expectation.DENY,
    Demand.NOT_ISSUED: Expectation.DENY,
    Demand.BETTER_DENIED: Expectation.OPEN,
    Demand.ANY: Expectation.OPEN,
    Demand.SAME: Expectation.ALLOW,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no decision: the API's or transport's error code, and its message (may hold secrets).

    For handler errors ``error_type`` is the exception class that the handler raised, for Lambda's own throttles the
    reason that Lambda gives, such as ReservedFunctionConcurrentInvocationLimitExceeded.
    """

    code: str
    message: str
    error_type: str | None = None


@dataclass(frozen=True, slots=True)
class Invocation:
    """How the handler was run, where the target can tell: which environment, warm or cold, for how long.

    ``environment`` is empty where the target can't tell one from another.
    """

    environment: str
    cold_start: bool
    handler_seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request: an outcome with its decision, or with the fault in its place.

    ``notes`` are remarks on an acceptable answer, such as ``serialised_answer``.
    """

    outcome: Outcome
    decision: Decision | None = None
    fault: Fault | None = None
    invocation: Invocation | None = None
    notes: tuple[str, ...] = ()

    @property
    def handler_seconds(self) -> float:
        """How long the handler took; 0 where the target can't tell."""
        return self.invocation.handler_seconds if self.invocation else 0.0
