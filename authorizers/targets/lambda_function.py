"""The authorizer's Lambda function by Lambda's own Invoke, with the event that AWS IoT would send.

TestInvokeAuthorizer is limited to a few calls a second for a whole account; what the function itself holds is measured
here. The checks that AWS IoT makes before and after the function are made on this side.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import (
    ClientError,
)

from authorizers import wire
from authorizers.answers import handler_failed
from authorizers.classify import classify
from authorizers.contract import Answer, AuthorizerRequest, Fault, Invocation
from authorizers.errors import ApiError, WireError
from authorizers.event import Dialect
from authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from authorizers.targets.aws_clients import CALL_FAILURES, answer_of_failure, service_client
from authorizers.targets.handler import Front, HandlerSettings, failed, judged, timed_out
from authorizers.targets.service_answers import invocation_of

_DURATION: Final = re.compile(r"\tDuration: ([\d.]+) ms")
_INIT_DURATION: Final = re.compile(r"\tInit Duration: ([\d.]+) ms")


@dataclass(frozen=True, slots=True)
class LambdaFunctionSettings:
    """Which function, by name or ARN, and what the authorizer in front of it is set to.

    ``log_tail`` asks for the end of the log with each answer, which tells cold starts; None leaves a choice to boto3's
    own configuration.
    """

    function: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    dialect: str = Dialect.TEST_INVOKE.value
    token_key_name: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=dict)
    log_tail: bool = False
    connections: int = 10


class LambdaFunctionTarget:
    """An authorizer's function behind Lambda's Invoke."""

    def __init__(self, settings: LambdaFunctionSettings) -> None:
        self._settings = settings
        self._client = service_client(
            "lambda",
            region=settings.region,
            profile=settings.profile,
            endpoint_url=settings.endpoint_url,
            connections=settings.connections,
        )
        front = HandlerSettings(settings.function, settings.dialect, settings.token_key_name, settings.signing_keys)
        self._front = Front(front)

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Make the event, invoke the function once, and judge what it returns."""
        try:
            event = self._front.event(request)
        except ApiError as error:
            return failed(error, None)
        parameters = {"FunctionName": self._settings.function, "Payload": wire.encode(event)}
        if self._settings.log_tail:
            parameters["LogType"] = "Tail"
        started = time.perf_counter()
        try:
            response = self._client.invoke(**parameters)
            payload = response["Payload"].read()
        except ClientError as error:
            return _refused(error)
        except CALL_FAILURES as error:
            return answer_of_failure(error)
        return self._answer(request, response, payload, time.perf_counter() - started)

    def _answer(
        self, request: AuthorizerRequest, response: Mapping[str, Any], payload: bytes, seconds: float
    ) -> Answer:
        headers = response["ResponseMetadata"]["HTTPHeaders"]
        invocation = invocation_of(headers) or _logged(response.get("LogResult"))
        if response.get("FunctionError"):
            return failed(_failure(payload), invocation)
        if (invocation.handler_seconds if invocation else seconds) > LAMBDA_SECONDS_MAXIMUM:
            # Lambda lets the function go on; AWS IoT waits no longer.
            return failed(timed_out(), invocation)
        return judged(request, payload, invocation)

    def description(self) -> dict[str, Any]:
        """Say what is invoked."""
        return {
            "kind": "lambda_function",
            "client": "boto3",
            "function": self._settings.function,
            "region": self._client.meta.region_name,
            "endpoint": self._client.meta.endpoint_url,
        }

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _refused(error: ClientError) -> Answer:
    """Return the answer that an error of the service is; a throttle's reason tells which limit it was."""
    told = error.response.get("Error", {})
    reason = error.response.get("Reason")
    fault = Fault(str(told.get("Code") or "Unknown"), str(told.get("Message") or ""), str(reason) if reason else None)
    return Answer(classify(fault), fault=fault)


def _failure(payload: bytes) -> ApiError:
    """Return AWS IoT's error for a function that failed, from what Lambda tells of it."""
    try:
        told = wire.decode(payload)
    except WireError:
        told = None
    members = told if isinstance(told, dict) else {}
    return handler_failed(str(members.get("errorMessage") or ""), str(members.get("errorType") or "Error"))


def _logged(tail: str | None) -> Invocation | None:
    """Read Lambda's own line at the end of a log: how long the function took, and whether it was a cold start."""
    if not tail:
        return None
    try:
        text = base64.b64decode(tail).decode("utf-8", "replace")
    except ValueError:
        return None
    duration = _DURATION.search(text)
    if duration is None:
        return None
    return Invocation("", _INIT_DURATION.search(text) is not None, float(duration[1]) / 1000)
