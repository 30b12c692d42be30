"""The Lambda Runtime API, version 2018-06-01, for one execution environment.

As AWS's developer guide has it on the page "Using the Lambda runtime API for custom runtimes".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import WireError
from gatecrash.authorizers.gateway.bodies import read_body
from gatecrash.authorizers.limits import LAMBDA_PAYLOAD_BYTES_MAXIMUM
from gatecrash.authorizers.service.lambda_platform import RESPONSE_TOO_LARGE, UNNAMED_ERROR

_ROOT: Final = "/2018-06-01/runtime/"
_JSON: Final = "application/json"
_ERROR_TYPE_HEADER: Final = "Lambda-Runtime-Function-Error-Type"
# One connection stays for an environment's life, however long nothing is invoked.
_KEEP_ALIVE_SECONDS: Final = 86400.0
# Its process is dead by then: nobody reads what would still be sent. (aiohttp takes 0 for no limit.)
_SHUTDOWN_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class RuntimeEvent:
    """One invocation as the runtime client gets it; the deadline in milliseconds since the epoch."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str


@dataclass(frozen=True, slots=True)
class RuntimeResult:
    """What the runtime client answered: a payload, or the error of the function."""

    payload: bytes | None = None
    error_type: str = ""
    error_message: str = ""


class RuntimeApi:
    """A server on the loopback interface that one runtime client polls.

    ``on_idle`` is called whenever the client asks for the next event and none is there; ``on_result`` with the answer
    to the event that was sent; ``on_init_error`` when the function can't be initialised.
    """

    def __init__(
        self,
        on_idle: Callable[[], None],
        on_result: Callable[[RuntimeResult], None],
        on_init_error: Callable[[RuntimeResult], None],
    ) -> None:
        self._on_idle = on_idle
        self._on_result = on_result
        self._on_init_error = on_init_error
        self._event: RuntimeEvent | None = None
        self._poll: asyncio.Future[RuntimeEvent | None] | None = None
        self._server = web.Server(self._handle, access_log=None, keepalive_timeout=_KEEP_ALIVE_SECONDS)
        self._listener: asyncio.Server | None = None

    async def start(self) -> str:
        """Listen on a free port; returns ``host:port`` as AWS_LAMBDA_RUNTIME_API has it."""
        self._listener = await asyncio.get_running_loop().create_server(self._server, "127.0.0.1", 0)
        host, port = self._listener.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def close(self) -> None:
        """Stop listening and drop the client's connection."""
        self._end_poll()
        if self._listener is not None:
            self._listener.close()
            await self._server.shutdown(_SHUTDOWN_SECONDS)
            await self._listener.wait_closed()

    def _end_poll(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def send(self, event: RuntimeEvent) -> None:
        """Hand an event to the client, which is waiting for it."""
        self._event = event
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(event)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        path = request.raw_path.partition("?")[0]
        if not path.startswith(_ROOT):
            return _refusal(404, "NotFound")
        match path.removeprefix(_ROOT).split("/"):
            case ["invocation", "next"] if request.method == "GET":
                return await self._next()
            case ["invocation", request_id, "response"] if request.method == "POST":
                return await self._finish(request, request_id, self._response)
            case ["invocation", request_id, "error"] if request.method == "POST":
                return await self._finish(request, request_id, _error)
            case ["init", "error"] if request.method == "POST":
                body = await read_body(request, LAMBDA_PAYLOAD_BYTES_MAXIMUM)
                self._on_init_error(_result_of_error(body, request))
                return _acceptance()
        return _refusal(404, "NotFound")

    async def _next(self) -> web.Response:
        # A client that gave up one poll and comes again has nobody waiting at the old one.
        self._end_poll()
        self._poll = asyncio.get_running_loop().create_future()
        self._on_idle()
        event = await self._poll
        if event is None:
            return _refusal(410, "EnvironmentClosed")
        return web.Response(
            body=event.payload,
            content_type=_JSON,
            headers={
                "Lambda-Runtime-Aws-Request-Id": event.request_id,
                "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": event.function_arn,
                "Lambda-Runtime-Trace-Id": _trace_id(event.request_id),
            },
        )

    async def _finish(
        self,
        request: web.BaseRequest,
        request_id: str,
        result_of: Callable[[web.BaseRequest], Awaitable[tuple[RuntimeResult, web.Response]]],
    ) -> web.Response:
        if self._event is None or self._event.request_id != request_id:
            return _refusal(400, "InvalidRequestID")
        result, answer = await result_of(request)
        # Another answer to the same event may have come while this one was read.
        if self._event is None or self._event.request_id != request_id:
            return _refusal(400, "InvalidRequestID")
        self._event = None
        self._on_result(result)
        return answer

    async def _response(self, request: web.BaseRequest) -> tuple[RuntimeResult, web.Response]:
        payload = await read_body(request, LAMBDA_PAYLOAD_BYTES_MAXIMUM)
        if payload is None:
            result = RuntimeResult(error_type="Function.ResponseSizeTooLarge", error_message=RESPONSE_TOO_LARGE)
            return result, _refusal(413, "RequestEntityTooLarge")
        return RuntimeResult(payload), _acceptance()


async def _error(request: web.BaseRequest) -> tuple[RuntimeResult, web.Response]:
    return _result_of_error(await read_body(request, LAMBDA_PAYLOAD_BYTES_MAXIMUM), request), _acceptance()


def _result_of_error(body: bytes | None, request: web.BaseRequest) -> RuntimeResult:
    try:
        value: Any = wire.decode(body or b"")
    except WireError:
        value = None
    members = value if isinstance(value, dict) else {}
    kind = members.get("errorType") or request.headers.get(_ERROR_TYPE_HEADER) or UNNAMED_ERROR
    return RuntimeResult(error_type=str(kind), error_message=str(members.get("errorMessage", "")))


def _acceptance() -> web.Response:
    return web.Response(status=202, body=b'{"status":"OK"}', content_type=_JSON)


def _refusal(status: int, error_type: str) -> web.Response:
    return web.Response(status=status, body=wire.encode({"errorType": error_type}), content_type=_JSON)


def _trace_id(request_id: str) -> str:
    """Return an X-Ray trace id that is made of the request's id, not sampled."""
    digits = request_id.replace("-", "")
    return f"Root=1-{digits[:8]}-{digits[8:]};Sampled=0"
