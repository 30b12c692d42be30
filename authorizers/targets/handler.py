"""The user's Python handler, called in this process: the fastest way, without a network or Lambda's isolation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Invocation
from gatecrash.authorizers.errors import ApiError
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.targets.front import Front, failed, judged, timed_out
from gatecrash.authorizers.targets.python_handler import Handler, LambdaContext, load_handler, payload_of, raised

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


@dataclass(frozen=True, slots=True)
class HandlerSettings:
    """Which handler, as ``path/to/file.py:function``, and what the authorizer in front of it is set to.

    ``signing_keys`` are PEM public keys by name; with some, tokens must be rightly signed, as IoT demands.
    """

    handler: str
    dialect: str = Dialect.TEST_INVOKE.value
    token_key_name: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=dict)


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
