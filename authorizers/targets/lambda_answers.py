"""From what Lambda's Invoke answered, as botocore parses it, to an answer."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.answers import handler_failed
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Invocation, Outcome
from gatecrash.authorizers.errors import InvalidResponseError, WireError
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.service.front import answer_of_failure, answer_of_payload, time_out_error
from gatecrash.authorizers.service.lambda_platform import UNNAMED_ERROR
from gatecrash.authorizers.targets.service_answers import HEADER, answer_of_error, invocation_of

# The function could not be run, for now or until it is mended, whatever the request: its files, its network, its state.
_UNAVAILABLE_STATUSES: Final = frozenset({408, 409, 410})
_SERVER_ERROR: Final = 500
# What Lambda writes last of an invocation, as text or, where the function logs JSON, as an object.
_REPORT: Final = re.compile(r"REPORT RequestId: |platform\.report")
_DURATION: Final = re.compile(r'\bDuration: ([0-9.]{1,20}) ms|"durationMs" ?: ?([0-9.]{1,20})')
_START: Final = re.compile(r'\b(?:Init|Restore) Duration: |"(?:init|restore)DurationMs"')


def answer_of_invoke(request: AuthorizerRequest, response: Mapping[str, Any], payload: bytes, seconds: float) -> Answer:
    """Read an answer of Invoke that is no error of Lambda's, and that took so many seconds, as botocore parses it."""
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    invocation = invocation_of(headers) or _invocation_in_log(response.get("LogResult"))
    if response.get("FunctionError"):
        return answer_of_failure(_function_error(payload), invocation, headers.get(f"{HEADER}error-type"))
    if (invocation.handler_seconds if invocation else seconds) > LAMBDA_SECONDS_MAXIMUM:
        # AWS IoT would not have waited for it, whatever the function's own time-out.
        return answer_of_failure(time_out_error(), invocation)
    return answer_of_payload(request, payload, invocation)


def _function_error(payload: bytes) -> InvalidResponseError:
    """Return AWS IoT's error for a function that failed, as Lambda tells of it in the payload."""
    try:
        error = wire.decode(payload)
    except WireError:
        error = None
    members = error if isinstance(error, dict) else {}
    return handler_failed(str(members.get("errorMessage") or ""), str(members.get("errorType") or UNNAMED_ERROR))


def answer_of_invoke_error(response: Mapping[str, Any]) -> Answer:
    """Read an error of Lambda itself; a throttle's reason stands in the place of an error's type."""
    answer = answer_of_error(response)
    if answer.outcome is Outcome.THROTTLED and answer.fault is not None and (reason := response.get("Reason")):
        return replace(answer, fault=replace(answer.fault, error_type=str(reason)))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if answer.outcome is Outcome.REJECTED and (status >= _SERVER_ERROR or status in _UNAVAILABLE_STATUSES):
        return replace(answer, outcome=Outcome.UNAVAILABLE)
    return answer


def _invocation_in_log(log: str | None) -> Invocation | None:
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
    duration = _DURATION.search(report)
    try:
        seconds = float(duration[1] or duration[2]) / 1000 if duration else 0.0
    except ValueError:
        return None
    return Invocation("", _START.search(report) is not None, seconds)
