"""The user's Python handler, called in this process: the fastest way, without a network or Lambda's isolation."""

from __future__ import annotations

import time
from typing import Any

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Invocation
from gatecrash.authorizers.errors import ApiError
from gatecrash.authorizers.laboratory.python_handler import LambdaContext, error_of_exception, load_handler, payload_of
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.service.front import (
    Front,
    HandlerSettings,
    answer_of_failure,
    answer_of_payload,
    time_out_error,
)


class HandlerTarget:
    """An authorizer whose handler is called directly.

    The checks that AWS IoT makes before and after the handler are made here too. A handler that hangs can't be
    stopped: one that took longer than five seconds counts as timed out when it returns.
    """

    def __init__(self, settings: HandlerSettings) -> None:
        self._handler = load_handler(settings.handler)
        self._front = Front(settings)
        self._invoked = False

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Make the event, call the handler, and judge what it returns."""
        try:
            event = self._front.event(request)
        except ApiError as error:
            return answer_of_failure(error, None)
        started = time.perf_counter()
        cold, self._invoked = not self._invoked, True
        try:
            payload = self._call(event)
        except ApiError as error:
            return answer_of_failure(error, Invocation("in-process", cold, time.perf_counter() - started))
        invocation = Invocation("in-process", cold, time.perf_counter() - started)
        if invocation.handler_seconds > LAMBDA_SECONDS_MAXIMUM:
            return answer_of_failure(time_out_error(), invocation)
        return answer_of_payload(request, payload, invocation)

    def _call(self, event: dict[str, Any]) -> bytes:
        """Call the handler as Lambda would: the event by way of JSON, whatever it raises as an error."""
        try:
            answer = self._handler(wire.decode(wire.encode(event)), LambdaContext())
        except (Exception, SystemExit) as error:
            raise error_of_exception(error) from error
        return payload_of(answer)

    def close(self) -> None:
        """Nothing to give back."""
