"""Lambda's Invoke API (rest-json, API version 2015-03-31) for the functions behind the gateway.

Statuses, errors and headers follow the Lambda API reference, page "Invoke".
"""

from __future__ import annotations

import base64
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from authorizers import wire
from authorizers.errors import ThrottlingError, WireError
from authorizers.gateway.environments import InvocationResult, invocation_headers
from authorizers.gateway.pool import Pool

PAYLOAD_BYTES_MAXIMUM: Final = 6 * 1024 * 1024
_CONCURRENCY_REASON: Final = "ReservedFunctionConcurrentInvocationLimitExceeded"
_MEMORY_MEGABYTES: Final = 128
_IN_ARN: Final = re.compile(r":function:([^:]+)")
# Less than this passes between an invocation and its event where nothing had to be initialised.
_INIT_SECONDS_MINIMUM: Final = 0.005


@dataclass(frozen=True, slots=True)
class LambdaReply:
    """An HTTP answer: ``error`` is the exception's name where it is one."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


class LambdaApi:
    """Invokes functions by their name or ARN, in the same environments as the authorizers do."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        self._pools = {pool.function.name: pool for pool in pools}

    async def invoke(self, name: str, payload: bytes | None, headers: Mapping[str, str]) -> LambdaReply:
        """Run a function with a payload, None for one beyond all limits; ``headers`` are the request's."""
        pool = self._pools.get(_name_in(name))
        kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if pool is None:
            return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
        if payload is None or len(payload) > PAYLOAD_BYTES_MAXIMUM:
            message = f"Request must be smaller than {PAYLOAD_BYTES_MAXIMUM} bytes for the InvokeFunction operation"
            return _error(413, "RequestTooLargeException", message)
        try:
            wire.decode(payload or b"{}")
        except WireError:
            message = "Could not parse request body into json: Unexpected character"
            return _error(400, "InvalidRequestContentException", message)
        if kind == "DryRun":
            return LambdaReply(204, b"")
        if kind != "RequestResponse":
            message = f"the gateway answers the invocation types RequestResponse and DryRun, not {kind}"
            return _error(400, "InvalidParameterValueException", message)
        started = time.perf_counter()
        try:
            result = await pool.invoke(payload or b"{}")
        except ThrottlingError:
            return _error(429, "TooManyRequestsException", "Rate Exceeded.", Reason=_CONCURRENCY_REASON)
        seconds = time.perf_counter() - started
        return _reply(result, seconds, with_log=headers.get("X-Amz-Log-Type") == "Tail")


def _name_in(text: str) -> str:
    """Return the function's name in a name, a partial ARN or an ARN, without its version or alias."""
    found = _IN_ARN.search(text)
    return found[1] if found else text.partition(":")[0]


def _reply(result: InvocationResult, seconds: float, *, with_log: bool) -> LambdaReply:
    headers = {"X-Amz-Executed-Version": "$LATEST", **invocation_headers(result)}
    body = result.payload
    if body is None:
        headers["X-Amz-Function-Error"] = "Unhandled"
        error = {"errorMessage": result.error_message or "", "errorType": result.error_type or "Error"}
        body = wire.encode(error)
    if with_log:
        headers["X-Amz-Log-Result"] = base64.b64encode(_log(result, seconds).encode()).decode("ascii")
    return LambdaReply(200, body, headers)


def _log(result: InvocationResult, seconds: float) -> str:
    """Return the platform's own lines of the log; what the function printed is not in it."""
    request_id, milliseconds = uuid.uuid4(), 1000 * result.seconds
    initialised = max(0.0, seconds - result.seconds)
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {int(milliseconds) + 1} ms",
        f"Memory Size: {_MEMORY_MEGABYTES} MB",
    ]
    if result.cold_start and initialised >= _INIT_SECONDS_MINIMUM:
        parts.append(f"Init Duration: {1000 * initialised:.2f} ms")
    return f"START RequestId: {request_id} Version: $LATEST\nEND RequestId: {request_id}\n" + "\t".join(parts) + "\t\n"


def _error(status: int, name: str, message: str, **members: Any) -> LambdaReply:
    body = {"Type": "User", "message": message, **members}
    headers = {"Retry-After": "1"} if status == 429 else {}
    return LambdaReply(status, wire.encode(body), headers, name)
