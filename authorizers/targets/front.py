"""What AWS IoT does before and after the Lambda function, for targets that call the function without it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Protocol

from gatecrash.authorizers import wire
from gatecrash.authorizers.answers import decision_from_payload, handler_failed, outcome_of
from gatecrash.authorizers.classify import classify, error_type_in
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Fault, Invocation
from gatecrash.authorizers.errors import ApiError, InvalidResponseError
from gatecrash.authorizers.event import Dialect, event_for
from gatecrash.authorizers.gateway.checks import check_members, check_request
from gatecrash.authorizers.gateway.registry import Authorizer
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM

# Handlers answer in few ways, denials above all: these needn't be read again, as long as they take little memory.
_REMEMBERED_BYTES: Final = 4096
_remembered_decision: Final = lru_cache(maxsize=1024)(decision_from_payload)


class FrontSettings(Protocol):
    """What the authorizer in front of a function is set to; with ``signing_keys`` tokens must be rightly signed."""

    @property
    def dialect(self) -> str:
        """Whose spelling the event has."""
        ...

    @property
    def token_key_name(self) -> str | None:
        """Under which name a token travels."""
        ...

    @property
    def signing_keys(self) -> Mapping[str, str]:
        """PEM public keys by name."""
        ...


class Front:
    """What AWS IoT does before it calls the handler: the checks of a request, and the event made of it."""

    def __init__(self, settings: FrontSettings, authorizer_name: str = "gatecrash") -> None:
        self._dialect = Dialect(settings.dialect)
        self._authorizer = Authorizer(
            authorizer_name,
            arn="",
            function_arn="",
            token_key_name=settings.token_key_name,
            signing_keys=settings.signing_keys,
            signing_disabled=not settings.signing_keys,
        )

    def event(self, request: AuthorizerRequest, dialect: Dialect | None = None) -> dict[str, Any]:
        """Return the handler's event, in the settings' dialect unless told.

        Raises InvalidRequestError when AWS IoT refuses the request before the handler.
        """
        check_members(wire.request_to_wire(request), self._authorizer.name)
        taken = check_request(self._authorizer, request)
        return event_for(
            request,
            connection_id=str(uuid.uuid4()),
            dialect=dialect or self._dialect,
            token=taken.token,
            signature_verified=taken.signature_verified,
        )


def judged(request: AuthorizerRequest, payload: bytes, invocation: Invocation | None) -> Answer:
    """Return the answer that a handler's payload is, by AWS IoT's checks after the handler."""
    decide = _remembered_decision if len(payload) <= _REMEMBERED_BYTES else decision_from_payload
    try:
        decision, notes = decide(payload)
    except ApiError as error:
        return failed(error, invocation)
    return Answer(outcome_of(request, decision), decision, invocation=invocation, notes=notes)


def timed_out(seconds: float = LAMBDA_SECONDS_MAXIMUM) -> InvalidResponseError:
    """Return the service's error for a handler that took longer than it may."""
    return handler_failed(f"Error: Task timed out after {seconds:.2f} seconds", "Sandbox.Timedout")


def failed(error: ApiError, invocation: Invocation | None, error_type: str | None = None) -> Answer:
    """Return the answer that an error of the service is; ``invocation`` is None when the handler wasn't called.

    ``error_type`` is the handler's error class where it is known by more than the message.
    """
    message = error.message or ""
    fault = Fault(error.code, message, error_type or error_type_in(message))
    return Answer(classify(fault), fault=fault, invocation=invocation)
