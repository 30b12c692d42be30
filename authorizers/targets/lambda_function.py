"""The authorizer's Lambda function called by Lambda's Invoke, with the event that AWS IoT would send it.

TestInvokeAuthorizer takes 10 calls a second of an account; this is how the capacity of the function itself is measured.
What AWS IoT does before and after the function is done here.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from botocore.exceptions import ClientError

from authorizers import wire
from authorizers.answers import handler_failed
from authorizers.contract import Answer, AuthorizerRequest, Invocation, Outcome
from authorizers.errors import ApiError, InvalidResponseError, WireError
from authorizers.event import Dialect
from authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from authorizers.targets.aws_clients import CALL_ERRORS, answer_of_call_error, service_client
from authorizers.targets.front import Front, failed, judged, timed_out
from authorizers.targets.service_answers import HEADER, answer_of_error, invocation_of

# The function could not be run, for now or until it is mended, whatever the request: its files, its network, its state.
_UNAVAILABLE_STATUSES: Final = frozenset({408, 409, 410})
_SERVER_ERROR: Final = 500
_UNNAMED_ERROR: Final = "Error"
# What Lambda writes last of an invocation, as text or, where the function logs JSON, as an object.
_REPORT: Final = re.compile(r"REPORT RequestId: |platform\.report")
_DURATION: Final = re.compile(r'\bDuration: ([0-9.]{1,20}) ms|"durationMs" ?: ?([0-9.]{1,20})')
_START: Final = re.compile(r'\b(?:Init|Restore) Duration: |"(?:init|restore)DurationMs"')


@dataclass(frozen=True, slots=True)
class LambdaFunctionSettings:
    """Which function, by name or ARN, and what the authorizer in front of it is set to.

    None leaves a choice to boto3's own configuration. ``signing_keys`` are PEM public keys by name; with some, tokens
    must be rightly signed, else the request never reaches the function, as with AWS IoT. ``log_tail`` has Lambda tell
    how long the function took and whether its environment was just started, in 4 KB more of each answer.
    """

    function: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    connections: int = 10
    log_tail: bool = False
    authorizer_name: str = "gatecrash"
    dialect: str = Dialect.TEST_INVOKE.value
    token_key_name: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=dict)


def lambda_client(settings: LambdaFunctionSettings) -> Any:
    """Return a boto3 client for Lambda that sends each request once; raises UsageError, as ``service_client`` does."""
    return service_client(
        "lambda",
        region=settings.region,
        profile=settings.profile,
        endpoint_url=settings.endpoint_url,
        connections=settings.connections,
    )


class LambdaFunctionTarget:
    """An authorizer's Lambda function behind Invoke."""

    def __init__(self, settings: LambdaFunctionSettings) -> None:
        self._settings = settings
        self._front = Front(settings, settings.authorizer_name)
        self._parameters: dict[str, Any] = {"FunctionName": settings.function}
        if settings.log_tail:
            self._parameters["LogType"] = "Tail"
        self._client = lambda_client(settings)

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Check the request, invoke the function once, and judge what it answers."""
        try:
            event = self._front.event(request)
        except ApiError as error:
            return failed(error, None)
        started = time.perf_counter()
        try:
            response = self._client.invoke(**self._parameters, Payload=wire.encode(event))
            payload = response["Payload"].read()
        except ClientError as error:
            return _answer_of_error(error.response)
        except CALL_ERRORS as error:
            return answer_of_call_error(error)
        return _answer_of_success(request, response, payload, time.perf_counter() - started)

    def description(self) -> dict[str, Any]:
        """Say what is called."""
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


def _answer_of_success(
    request: AuthorizerRequest, response: Mapping[str, Any], payload: bytes, seconds: float
) -> Answer:
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    invocation = invocation_of(headers) or _invocation_in(response.get("LogResult"))
    if response.get("FunctionError"):
        return failed(_function_error(payload), invocation, headers.get(f"{HEADER}error-type"))
    if (invocation.handler_seconds if invocation else seconds) > LAMBDA_SECONDS_MAXIMUM:
        # AWS IoT would not have waited for it, whatever the function's own time-out.
        return failed(timed_out(), invocation)
    return judged(request, payload, invocation)


def _function_error(payload: bytes) -> InvalidResponseError:
    """Return AWS IoT's error for a function that failed, as Lambda tells of it in the payload."""
    try:
        error = wire.decode(payload)
    except WireError:
        error = None
    members = error if isinstance(error, dict) else {}
    return handler_failed(str(members.get("errorMessage") or ""), str(members.get("errorType") or _UNNAMED_ERROR))


def _answer_of_error(response: Mapping[str, Any]) -> Answer:
    """Read an error of Lambda itself; a throttle's reason stands in the place of an error's type."""
    answer = answer_of_error(response)
    if answer.outcome is Outcome.THROTTLED and answer.fault is not None and (reason := response.get("Reason")):
        return replace(answer, fault=replace(answer.fault, error_type=str(reason)))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if answer.outcome is Outcome.REJECTED and (status >= _SERVER_ERROR or status in _UNAVAILABLE_STATUSES):
        return replace(answer, outcome=Outcome.UNAVAILABLE)
    return answer


def _invocation_in(log: str | None) -> Invocation | None:
    """Read the report in a log's tail; it doesn't name the environment. None when there is no report."""
    try:
        text = base64.b64decode(log or "").decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None
    reports = list(_REPORT.finditer(text))
    if not reports:
        return None
    # The last one: what the function printed itself may look like one.
    report = text[reports[-1].start() :]
    found = _DURATION.search(report)
    try:
        seconds = float(found[1] or found[2]) / 1000 if found else 0.0
    except ValueError:
        return None
    return Invocation("", _START.search(report) is not None, seconds)
