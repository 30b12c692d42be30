"""The IoT control plane's wire protocol (rest-json, API version 2015-05-28): routes, errors, quotas.

Lambda's Invoke has a path that no operation of IoT has, so one address serves both.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import ApiError, MissingCredentialsError, ThrottlingError
from gatecrash.authorizers.gateway.bodies import read_body
from gatecrash.authorizers.gateway.lambda_api import LAMBDA_ROOT, LambdaApi
from gatecrash.authorizers.gateway.operations import Operations, Reply
from gatecrash.authorizers.gateway.pool import RATE_EXCEEDED
from gatecrash.authorizers.gateway.quotas import TokenBucket

_JSON: Final = "application/json"
_BODY_BYTES_MAXIMUM: Final = 2 * 1024 * 1024
_SIGNED: Final = re.compile(r"AWS4-HMAC-SHA256 (?=.*Credential=)(?=.*SignedHeaders=)(?=.*Signature=)")


class IotServer:
    """Answers requests as ``https://iot.REGION.amazonaws.com`` does, and hands Lambda's to ``lambda_api``.

    Signature Version 4 must be there in form; keys, scope and signature are not looked at. ``calls_per_second`` is
    the rate of each operation, without limit when None, and ``burst`` how many calls may come at once.
    """

    def __init__(
        self,
        operations: Operations,
        lambda_api: LambdaApi,
        *,
        calls_per_second: float | None = None,
        burst: float | None = None,
    ) -> None:
        self._operations = operations
        self._lambda_api = lambda_api
        self._rate = calls_per_second
        self._burst = burst
        self._buckets: dict[str, TokenBucket] = {}

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request; whatever is wrong with it is an error answer."""
        try:
            if _SIGNED.match(request.headers.get("Authorization", "")) is None:
                raise MissingCredentialsError("Missing Authentication Token")
            if request.raw_path.startswith(LAMBDA_ROOT):
                return await self._lambda_api.handle(request)
            body = await read_body(request, _BODY_BYTES_MAXIMUM)
            if body is None:
                return _response(413, "RequestEntityTooLargeException", {"message": "Request is too large"})
            reply = await self._answer(request, body)
        except ApiError as error:
            reply = Reply(error=error)
        if reply is None:
            return _response(404, "UnknownOperationException", {"message": "There is no such operation"})
        if (failure := reply.error) is not None:
            return _response(failure.status, failure.code, {"message": failure.message}, reply.headers)
        return _response(200, None, reply.body, reply.headers)

    async def _answer(self, request: web.BaseRequest, body: bytes) -> Reply | None:
        """Route on the raw path: an authorizer's name may hold an encoded slash. None is no operation."""
        path, _, query = request.raw_path.partition("?")
        segments = [unquote(segment) for segment in path.split("/")[1:]]
        match request.method, *segments:
            case "POST", "authorizer", name, "test":
                self._take("TestInvokeAuthorizer")
                return await self._operations.test_invoke_authorizer(name, body)
            case method, "authorizer", name:
                return self._authorizer(method, name, body)
            case "GET", "authorizers", *rest if rest in ([], [""]):
                self._take("ListAuthorizers")
                return self._operations.list_authorizers(dict(parse_qsl(query)))
            case method, "default-authorizer":
                return self._default_authorizer(method, body)
        return None

    def _authorizer(self, method: str, name: str, body: bytes) -> Reply | None:
        match method:
            case "POST":
                self._take("CreateAuthorizer")
                return self._operations.create_authorizer(name, body)
            case "GET":
                self._take("DescribeAuthorizer")
                return self._operations.describe_authorizer(name)
            case "PUT":
                self._take("UpdateAuthorizer")
                return self._operations.update_authorizer(name, body)
            case "DELETE":
                self._take("DeleteAuthorizer")
                return self._operations.delete_authorizer(name)
        return None

    def _default_authorizer(self, method: str, body: bytes) -> Reply | None:
        match method:
            case "POST":
                self._take("SetDefaultAuthorizer")
                return self._operations.set_default_authorizer(body)
            case "GET":
                self._take("DescribeDefaultAuthorizer")
                return self._operations.describe_default_authorizer()
            case "DELETE":
                self._take("ClearDefaultAuthorizer")
                return self._operations.clear_default_authorizer()
        return None

    def _take(self, operation: str) -> None:
        if self._rate is None:
            return
        now = time.monotonic()
        bucket = self._buckets.get(operation)
        if bucket is None:
            burst = self._burst if self._burst is not None else self._rate
            bucket = self._buckets[operation] = TokenBucket(self._rate, max(1.0, burst), now)
        if not bucket.take(now):
            raise ThrottlingError(RATE_EXCEEDED)


def _response(
    status: int, error_code: str | None, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> web.Response:
    all_headers = {"x-amzn-RequestId": str(uuid.uuid4()), **(headers or {})}
    if error_code is not None:
        all_headers["x-amzn-ErrorType"] = error_code
    return web.Response(status=status, body=wire.encode(body), content_type=_JSON, headers=all_headers)
