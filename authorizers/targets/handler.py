"""The user's Python handler, called in this process: the fastest way, without a network or Lambda's isolation."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from authorizers import wire
from authorizers.answers import decision_from_payload, handler_failed, outcome_of
from authorizers.classify import classify, error_type_in
from authorizers.contract import Answer, AuthorizerRequest, Fault, Invocation
from authorizers.errors import ApiError, InvalidResponseError
from authorizers.event import Dialect, event_for
from authorizers.gateway.checks import check_members, check_request
from authorizers.gateway.registry import Authorizer
from authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from authorizers.targets.python_handler import Handler, LambdaContext, load_handler, payload_of, raised

__all__ = [
    "Front",
    "Handler",
    "HandlerSettings",
    "HandlerTarget",
    "LambdaContext",
    "failed",
    "judged",
    "load_handler",
    "timed_out",
]

# Handlers answer in few ways, denials above all: these needn't be read again, as long as they take little memory.
_REMEMBERED_BYTES: Final = 4096
_remembered_decision: Final = lru_cache(maxsize=1024)(decision_from_payload)


@dataclass(frozen=True, slots=True)
class HandlerSettings:
    """Which handler, as ``path/to/file.py:function``, and what the authorizer in front of it is set to.

    ``signing_keys`` are PEM public keys by name; with some, tokens must be rightly signed, as IoT demands.
    """

    handler: str
    dialect: str = Dialect.TEST_INVOKE.value
    token_key_name: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=dict)


class Front:
    """What AWS IoT does before it calls the handler: the checks of a request, and the event made of it."""

    def __init__(self, settings: HandlerSettings) -> None:
        self._dialect = Dialect(settings.dialect)
        self._authorizer = Authorizer(
            "gatecrash",
            arn="",
            function_arn=LambdaContext.invoked_function_arn,
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


class HandlerTarget:
    """An authorizer whose handler is called directly.

    The checks that AWS IoT makes before and after the handler are made here too. A handler that hangs can't be
    stopped: one that took longer than five seconds counts as timed out when it returns.
    """

    def __init__(self, settings: HandlerSettings) -> None:
        self._settings = settings
        self._handler = load_handler(settings.handler)
        self._front = Front(settings)
        self._invoked = False

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Make the event, call the handler, and judge what it returns."""
        try:
            event = self._front.event(request)
        except ApiError as error:
            return failed(error, None)
        started = time.perf_counter()
        cold, self._invoked = not self._invoked, True
        try:
            payload = self._call(event)
        except ApiError as error:
            return failed(error, Invocation("in-process", cold, time.perf_counter() - started))
        invocation = Invocation("in-process", cold, time.perf_counter() - started)
        if invocation.handler_seconds > LAMBDA_SECONDS_MAXIMUM:
            return failed(timed_out(), invocation)
        return judged(request, payload, invocation)

    def _call(self, event: dict[str, Any]) -> bytes:
        """Call the handler as Lambda would: the event by way of JSON, whatever it raises as an error."""
        try:
            answer = self._handler(wire.decode(wire.encode(event)), LambdaContext())
        except (Exception, SystemExit) as error:
            raise raised(error) from error
        return payload_of(answer)

    def description(self) -> dict[str, Any]:
        """Say which handler is called."""
        return {"kind": "handler", "client": "in-process", "handler": self._settings.handler}

    def close(self) -> None:
        """Nothing to give back."""


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


def failed(error: ApiError, invocation: Invocation | None) -> Answer:
    """Return the answer that an error of the service is; ``invocation`` is None when the handler wasn't called."""
    message = error.message or ""
    fault = Fault(error.code, message, error_type_in(message))
    return Answer(classify(fault), fault=fault, invocation=invocation)
