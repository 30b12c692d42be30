"""What AWS IoT does before and after the Lambda function, for targets that call the function without it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.answers import decision_from_payload, handler_failed, outcome_of
from gatecrash.authorizers.classify import classify, error_type_in
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Fault, Invocation
from gatecrash.authorizers.errors import ApiError, InvalidResponseError
from gatecrash.authorizers.event import Dialect, event_for
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.service.checks import check_members, check_request
from gatecrash.authorizers.service.registry import Authorizer

# Under which name a token travels that has to have one.
TOKEN_KEY_NAME_DEFAULT: Final = "token"
# Handlers answer in few ways, denials above all: these needn't be read again, as long as they take little memory.
_REMEMBERED_BYTES: Final = 4096
_remembered_decision: Final = lru_cache(maxsize=1024)(decision_from_payload)


@dataclass(frozen=True, kw_only=True)
class FrontSettings:
    """What the authorizer in front of a function is set to.

    ``dialect`` is a ``Dialect``'s value: whose spelling the event has. A token travels under ``token_key_name``.
    ``signing_keys`` are PEM public keys by name; with some, tokens must be rightly signed, as IoT demands.
    """

    dialect: str = Dialect.TEST_INVOKE.value
    token_key_name: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HandlerSettings(FrontSettings):
    """Which Python handler, as ``path/to/file.py:function``, and the authorizer in front of it."""

    handler: str


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


def answer_of_payload(request: AuthorizerRequest, payload: bytes, invocation: Invocation | None) -> Answer:
    """Return the answer that a handler's payload is, by AWS IoT's checks after the handler."""
    decide = _remembered_decision if len(payload) <= _REMEMBERED_BYTES else decision_from_payload
    try:
        decision, notes = decide(payload)
    except ApiError as error:
        return answer_of_failure(error, invocation)
    return Answer(outcome_of(request, decision), decision, invocation=invocation, notes=notes)


def time_out_error(seconds: float = LAMBDA_SECONDS_MAXIMUM) -> InvalidResponseError:
    """Return the service's error for a handler that took longer than it may."""
    return handler_failed(f"Error: Task timed out after {seconds:.2f} seconds", "Sandbox.Timedout")


def answer_of_failure(error: ApiError, invocation: Invocation | None, error_type: str | None = None) -> Answer:
    """Return the answer that an error of the service is; ``invocation`` is None when the handler wasn't called.

    ``error_type`` is the handler's error class where it is known by more than the message.
    """
    message = error.message or ""
    fault = Fault(error.code, message, error_type or error_type_in(message))
    return Answer(classify(fault), fault=fault, invocation=invocation)
