"""The user's Python handler, called in this process: the fastest way, without a network or Lambda's isolation."""

from __future__ import annotations

import importlib.util
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authorizers import wire
from authorizers.answers import decision_from_payload, handler_failed, outcome_of
from authorizers.classify import classify, error_type_in
from authorizers.contract import Answer, AuthorizerRequest, Fault, Invocation
from authorizers.errors import ApiError, HandlerError, WireError
from authorizers.event import Dialect, event_for
from authorizers.gateway.checks import check_members, check_request
from authorizers.gateway.registry import Authorizer
from authorizers.limits import LAMBDA_SECONDS_MAXIMUM

Handler = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class HandlerSettings:
    """Which handler, as ``path/to/file.py:function``, and what the authorizer in front of it is set to.

    ``signing_keys`` are PEM public keys by name; with some, tokens must be rightly signed, as IoT demands.
    """

    handler: str
    dialect: str = Dialect.TEST_INVOKE.value
    token_key_name: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=dict)


class LambdaContext:
    """What a handler may ask of its invocation: the members of Lambda's Python context object that matter."""

    function_name = "gatecrash"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:gatecrash"
    memory_limit_in_mb = "128"
    log_group_name = "/aws/lambda/gatecrash"
    log_stream_name = "gatecrash"

    def __init__(self) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self._ends = time.monotonic() + LAMBDA_SECONDS_MAXIMUM

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left of AWS IoT's five seconds."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


def load_handler(location: str) -> Handler:
    """Import a handler from ``path/to/file.py:function`` (``handler`` when no function is named).

    Raises HandlerError when the file or function isn't there or the import fails.
    """
    name, _, function_name = location.partition(":")
    path, function_name = Path(name), function_name or "handler"
    if not path.is_file():
        raise HandlerError(f"--handler: there is no file {path}; name it as path/to/file.py:function")
    specification = importlib.util.spec_from_file_location(f"handler_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise HandlerError(f"--handler: {path} is no Python file; other languages run behind --target local")
    module = importlib.util.module_from_spec(specification)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise HandlerError(f"--handler: importing {path} raised {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise HandlerError(f"--handler: {path} has no function {function_name}; name it as {path}:function")
    handler: Handler = function
    return handler


class HandlerTarget:
    """An authorizer whose handler is called directly.

    The checks that AWS IoT makes before and after the handler are made here too. A handler that hangs can't be
    stopped: one that took longer than five seconds counts as timed out when it returns.
    """

    def __init__(self, settings: HandlerSettings) -> None:
        self._settings = settings
        self._handler = load_handler(settings.handler)
        self._dialect = Dialect(settings.dialect)
        self._authorizer = Authorizer(
            "gatecrash",
            arn="",
            function_arn=LambdaContext.invoked_function_arn,
            token_key_name=settings.token_key_name,
            signing_keys=settings.signing_keys,
            signing_disabled=not settings.signing_keys,
        )
        self._invoked = False

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Make the event, call the handler, and judge what it returns."""
        try:
            event = self._event(request)
        except ApiError as error:
            return _failed(error, None)
        started = time.perf_counter()
        cold, self._invoked = not self._invoked, True
        try:
            payload = self._call(event)
            seconds = time.perf_counter() - started
            if seconds > LAMBDA_SECONDS_MAXIMUM:
                return _failed(_timed_out(), Invocation("in-process", cold, seconds))
            decision, notes = decision_from_payload(payload)
        except ApiError as error:
            return _failed(error, Invocation("in-process", cold, time.perf_counter() - started))
        return Answer(
            outcome_of(request, decision),
            decision,
            invocation=Invocation("in-process", cold, seconds),
            notes=notes,
        )

    def _event(self, request: AuthorizerRequest) -> dict[str, Any]:
        check_members(wire.request_to_wire(request), self._authorizer.name)
        taken = check_request(self._authorizer, request)
        return event_for(
            request,
            connection_id=str(uuid.uuid4()),
            dialect=self._dialect,
            token=taken.token,
            signature_verified=taken.signature_verified,
        )

    def _call(self, event: dict[str, Any]) -> bytes:
        """Call the handler as Lambda would: the event by way of JSON, whatever it raises as an error."""
        try:
            answer = self._handler(wire.decode(wire.encode(event)), LambdaContext())
        except (Exception, SystemExit) as error:
            raise handler_failed(_message_of(error), type(error).__name__) from error
        try:
            return wire.encode(answer)
        except WireError as error:
            raise handler_failed(str(error), "Runtime.MarshalError") from error

    def description(self) -> dict[str, Any]:
        """Say which handler is called."""
        return {"kind": "handler", "client": "in-process", "handler": self._settings.handler}

    def close(self) -> None:
        """Nothing to give back."""


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception of the handler's, which may do anything when asked for its text
        return "the exception has no message"


def _timed_out() -> ApiError:
    message = f"Error: Task timed out after {LAMBDA_SECONDS_MAXIMUM:.2f} seconds"
    return handler_failed(message, "Sandbox.Timedout")


def _failed(error: ApiError, invocation: Invocation | None) -> Answer:
    message = error.message or ""
    fault = Fault(error.code, message, error_type_in(message))
    return Answer(classify(fault), fault=fault, invocation=invocation)
