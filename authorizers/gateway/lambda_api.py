"""Lambda's Invoke (rest-json, API version 2015-03-31) on the gateway's functions, in the same environments as IoT's.

Status, codes and members are those of botocore's service model; ``docs/gateway.md`` says what was chosen here.
"""

from __future__ import annotations

import base64
import math
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote

from aiohttp import web

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import ApiError, GatecrashError, ThrottlingError, WireError
from gatecrash.authorizers.gateway.bodies import read_body
from gatecrash.authorizers.gateway.environments import InvocationResult
from gatecrash.authorizers.gateway.faults import Faults, InjectedFault
from gatecrash.authorizers.gateway.operations import invocation_headers
from gatecrash.authorizers.gateway.pool import Pool
from gatecrash.authorizers.limits import LAMBDA_REQUEST_BYTES_MAXIMUM

LAMBDA_ROOT: Final = "/2015-03-31/functions/"
_JSON: Final = "application/json"
_LATEST: Final = "$LATEST"
_NAME: Final = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d:)?(?:\d{12}:)?"
    r"(?:function:)?(?P<name>[a-zA-Z0-9_.-]+)(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?"
)
_LOG_BYTES_MAXIMUM: Final = 4096
_MEMORY_MEGABYTES: Final = 128
_RETRY_SECONDS: Final = "1"


class LambdaError(GatecrashError):
    """An error answer of Lambda itself; ``members`` are those of its body besides the message and the type."""

    def __init__(self, code: str, status: int, message: str, **members: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.members = members


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class LambdaApi:
    """Answers Invoke as ``https://lambda.REGION.amazonaws.com`` does, by the pools that the authorizers use too."""

    def __init__(self, pools: Sequence[Pool], *, region: str, account: str, faults: Faults) -> None:
        self._pools = {pool.function.name: pool for pool in pools}
        self._arn = f"arn:aws:lambda:{region}:{account}:function:"
        self._faults = faults

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request below LAMBDA_ROOT; whatever is wrong with it is an error answer."""
        try:
            reply = await self._answer(request)
        except LambdaError as error:
            reply = _error_reply(error)
        headers = {"x-amzn-RequestId": str(uuid.uuid4()), **reply.headers}
        return web.Response(status=reply.status, body=reply.body, content_type=_JSON, headers=headers)

    async def _answer(self, request: web.BaseRequest) -> _Reply:
        # On the raw path: a name may hold anything once it is decoded.
        path, _, query = request.raw_path.partition("?")
        payload = await read_body(request, LAMBDA_REQUEST_BYTES_MAXIMUM)
        match request.method, path.removeprefix(LAMBDA_ROOT).split("/"):
            case "POST", [name, "invocations"]:
                pool = self._pool(unquote(name), parse_qs(query).get("Qualifier", [None])[0])
                return await self._invoke(pool, payload, request.headers)
        raise LambdaError("UnknownOperationException", 404, "There is no such operation")

    def _pool(self, text: str, qualifier: str | None) -> Pool:
        """Return the pool of a function that is named, or given by its partial or full ARN; raises LambdaError."""
        match = _NAME.fullmatch(text)
        if match is None:
            raise LambdaError(
                "ValidationException",
                400,
                f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: "
                f"Member must satisfy regular expression pattern: {_NAME.pattern}",
            )
        if None not in (match["qualifier"], qualifier) and match["qualifier"] != qualifier:
            raise _invalid_parameter(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        try:
            return self._pools[match["name"]]
        except KeyError:
            message = f"Function not found: {self._arn}{match['name']}"
            raise LambdaError("ResourceNotFoundException", 404, message) from None

    async def _invoke(self, pool: Pool, payload: bytes | None, headers: Mapping[str, str]) -> _Reply:
        kind, log = headers.get("X-Amz-Invocation-Type", "RequestResponse"), headers.get("X-Amz-Log-Type", "None")
        if kind == "DryRun":
            return _Reply(204)
        if kind != "RequestResponse":
            raise _invalid_parameter(f"InvocationType is {kind}; the gateway has RequestResponse and DryRun")
        if log not in {"None", "Tail"}:
            raise _invalid_parameter(f"LogType is {log}; there are None and Tail")
        event = _event(payload)
        fault = await self._faults.next_after_latency()
        _raise_fault(fault)
        try:
            result = await pool.invoke(event, crash=fault.crash)
        except ThrottlingError:
            # What is full is this function's own concurrency.
            raise _throttle_error("ReservedFunctionConcurrentInvocationLimitExceeded") from None
        return _reply(result, with_log=log == "Tail")


def _event(payload: bytes | None) -> bytes:
    """Check an event; none at all is an empty object, as Lambda has it. Raises LambdaError."""
    if payload is None:
        raise LambdaError(
            "RequestTooLargeException",
            413,
            f"Request must be smaller than {LAMBDA_REQUEST_BYTES_MAXIMUM} bytes for the InvokeFunction operation",
        )
    if not payload:
        return b"{}"
    try:
        wire.decode(payload)
    except WireError as error:
        raise LambdaError(
            "InvalidRequestContentException", 400, "Could not parse request body into json: the payload is not JSON"
        ) from error
    return payload


def _raise_fault(fault: InjectedFault) -> None:
    """Raise an injected fault as Lambda's own; those that only AWS IoT has are not Lambda's."""
    match fault.error:
        case None:
            return
        case ThrottlingError():
            raise _throttle_error("CallerRateLimitExceeded")
        case ApiError(status=500 | 503):
            raise LambdaError("ServiceException", 500, str(fault.error.message))


def _throttle_error(reason: str) -> LambdaError:
    return LambdaError("TooManyRequestsException", 429, "Rate Exceeded.", Reason=reason)


def _invalid_parameter(message: str) -> LambdaError:
    return LambdaError("InvalidParameterValueException", 400, message)


def _error_reply(error: LambdaError) -> _Reply:
    body = {**error.members, "Type": "User" if error.status < 500 else "Service", "message": error.message}
    headers = {"x-amzn-ErrorType": error.code}
    if error.status == 429:
        headers["Retry-After"] = _RETRY_SECONDS
    return _Reply(error.status, wire.encode(body), headers)


def _reply(result: InvocationResult, *, with_log: bool) -> _Reply:
    headers = {
        **invocation_headers(result),
        "x-amzn-RequestId": result.request_id,
        "X-Amz-Executed-Version": _LATEST,
    }
    if with_log:
        tail = log_of(result).encode()[-_LOG_BYTES_MAXIMUM:]
        headers["X-Amz-Log-Result"] = base64.b64encode(tail).decode("ascii")
    if result.payload is not None:
        return _Reply(200, result.payload, headers)
    headers["X-Amz-Function-Error"] = "Unhandled"
    error = {"errorType": result.error_type, "errorMessage": result.error_message}
    return _Reply(200, wire.encode(error), headers)


def log_of(result: InvocationResult) -> str:
    """Return the lines that Lambda itself writes of an invocation, without what the handler printed.

    The environment's start is in the first one's, also of an environment that was started ahead.
    """
    head = f"RequestId: {result.request_id}"
    init = result.init_seconds if result.cold_start else 0.0
    report = [
        f"REPORT {head}",
        f"Duration: {result.seconds * 1000:.2f} ms",
        f"Billed Duration: {math.ceil((result.seconds + init) * 1000)} ms",
        f"Memory Size: {_MEMORY_MEGABYTES} MB",
    ]
    if result.cold_start:
        report.append(f"Init Duration: {init * 1000:.2f} ms")
    if result.error_type == "Sandbox.Timedout":
        report.append("Status: timeout")
    return f"START {head} Version: {_LATEST}\nEND {head}\n" + "\t".join(report) + "\t\n"
