"""Lambda's Invoke by the lean path: the same requests as boto3's, with next to no work for each.

Every event has a connection id of its own, so each request is signed by itself. What else is in a case's event doesn't
change: it is made and encoded once, and so is what a known payload means.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Fault, Outcome
from gatecrash.authorizers.errors import ApiError
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.service.front import Front, answer_of_failure
from gatecrash.authorizers.targets.aws_clients import TIMEOUT_SECONDS
from gatecrash.authorizers.targets.lambda_answers import answer_of_invoke, answer_of_invoke_error
from gatecrash.authorizers.targets.lambda_function import LambdaFunctionSettings
from gatecrash.authorizers.targets.service_answers import HEADER
from gatecrash.authorizers.targets.wire.http_answers import HttpAnswer
from gatecrash.authorizers.targets.wire_operation import ERROR_STATUS, WireOperation

_EVENTS_KEPT: Final = 20_000
_ANSWERS_KEPT: Final = 8
# An answer with one of these says more than its payload does.
_TELLING: Final = (b"x-amz-function-error", b"x-amz-log-result", HEADER.encode())


class _Event:
    """A case's event without its connection id, and what payloads were found to mean for its request."""

    __slots__ = ("after", "answers", "before")

    def __init__(self, event: dict[str, Any]) -> None:
        connection_id = event["connectionMetadata"]["id"].encode()
        self.before, _, self.after = wire.encode(event).partition(connection_id)
        self.answers: dict[bytes, Answer] = {}

    def body(self) -> bytes:
        """Return the event with a new connection id."""
        return b"%b%b%b" % (self.before, str(uuid.uuid4()).encode(), self.after)


class LambdaWireTarget(WireOperation):
    """An authorizer's Lambda function behind Invoke, called without botocore's machinery."""

    def __init__(self, settings: LambdaFunctionSettings, *, timeout: float = TIMEOUT_SECONDS) -> None:
        self._front = Front(settings, settings.authorizer_name)
        super().__init__(
            "lambda",
            settings,
            "Invoke",
            f"/2015-03-31/functions/{quote(settings.function, safe='-._~')}/invocations",
            headers={"X-Amz-Log-Type": "Tail"} if settings.log_tail else {},
            repeated=False,
            timeout=timeout,
        )
        self._events: dict[bytes, _Event | Answer] = {}

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Check the request, invoke the function once, and judge what it answers."""
        return self._fire(self._event(request), lambda: request)

    def invoke_prepared(self, body: bytes, request: Callable[[], AuthorizerRequest]) -> Answer:
        """Do the same by the wire body of a request; ``request`` gives what is in it when asked."""
        event = self._events.get(body)
        if event is None:
            event = self._event(request())
            if len(self._events) < _EVENTS_KEPT:
                self._events[body] = event
        return self._fire(event, request)

    def _event(self, request: AuthorizerRequest) -> _Event | Answer:
        """Return a request's event, or the answer of whoever refuses it before the function."""
        try:
            return _Event(self._front.event(request))
        except ApiError as error:
            return answer_of_failure(error, None)

    def _fire(self, event: _Event | Answer, request: Callable[[], AuthorizerRequest]) -> Answer:
        if isinstance(event, Answer):
            self.received = None
            return event
        body = event.body()
        started = time.perf_counter()
        answer = self.call(body)
        if isinstance(answer, Answer):
            return answer
        seconds = time.perf_counter() - started
        if answer.status != 200 or seconds > LAMBDA_SECONDS_MAXIMUM or _is_telling(answer):
            return self._read(answer, request(), seconds)
        known = event.answers.get(answer.body)
        if known is None:
            known = self._read(answer, request(), seconds)
            if len(event.answers) < _ANSWERS_KEPT:
                event.answers[answer.body] = known
        return known

    def _read(self, answer: HttpAnswer, request: AuthorizerRequest, seconds: float) -> Answer:
        """Read an answer as boto3 does."""
        parsed = self.parse(answer)
        if isinstance(parsed, Answer):
            return parsed
        if answer.status >= ERROR_STATUS:
            return answer_of_invoke_error(parsed)
        if (fault := _incomplete(parsed["ResponseMetadata"]["HTTPHeaders"], answer.body)) is not None:
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(fault, "the call failed"))
        return answer_of_invoke(request, parsed, answer.body, seconds)


def _incomplete(headers: Mapping[str, str], payload: bytes) -> str | None:
    """Return botocore's name for a payload that is not as long as the header says; it checks streams alone."""
    try:
        wanted = headers.get("content-length")
        return "IncompleteReadError" if wanted is not None and int(wanted) != len(payload) else None
    except ValueError:
        return "ValueError"


def _is_telling(answer: HttpAnswer) -> bool:
    head = answer.head.lower()
    return any(name in head for name in _TELLING)
