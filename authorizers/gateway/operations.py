"""The operations of the IoT control plane that the gateway speaks, from a body's bytes to an answer's members."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.answers import decision_from_payload, handler_failed
from gatecrash.authorizers.errors import ApiError, InvalidRequestError, WireError
from gatecrash.authorizers.event import Dialect, event_for
from gatecrash.authorizers.gateway.environments import InvocationResult
from gatecrash.authorizers.gateway.faults import Faults
from gatecrash.authorizers.gateway.pool import Pool
from gatecrash.authorizers.service.checks import check_members, check_request
from gatecrash.authorizers.service.definitions import function_name_of
from gatecrash.authorizers.service.registry import Registry

_HEADER: Final = "x-gatecrash-"
_ERROR_TYPE_LENGTH_MAXIMUM: Final = 128


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers: the members of the body, or an error; and headers besides AWS's own."""

    body: Mapping[str, Any] = field(default_factory=dict)
    error: ApiError | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Operations:
    """Runs operations on a registry of authorizers and the functions behind them."""

    def __init__(
        self,
        registry: Registry,
        pools: Sequence[Pool],
        dialect: Dialect,
        faults: Faults,
    ) -> None:
        self._registry = registry
        self._pools = {pool.function.name: pool for pool in pools}
        self._dialect = dialect
        self._faults = faults

    async def test_invoke_authorizer(self, name: str, data: bytes) -> Reply:
        """Check a request, run the authorizer's function, check its answer; raises ApiError for a bad request."""
        fault = await self._faults.next_after_latency()
        if fault.error is not None:
            raise fault.error
        request = check_members(_members(data), name)
        authorizer = self._registry.get(name)
        taken = check_request(authorizer, request)
        event = event_for(
            request,
            connection_id=str(uuid.uuid4()),
            dialect=self._dialect,
            token=taken.token,
            signature_verified=taken.signature_verified,
        )
        result = await self._pool(authorizer.function_arn).invoke(wire.encode(event), crash=fault.crash)
        return _reply(result)

    def _pool(self, function_arn: str) -> Pool:
        """Return the function's pool; with one function only, that one's, whatever the ARN says."""
        if len(self._pools) == 1:
            return next(iter(self._pools.values()))
        try:
            return self._pools[function_name_of(function_arn)]
        except KeyError:
            # How TestInvokeAuthorizer reports this was never measured; the words are Lambda's own.
            raise handler_failed(f"Function not found: {function_arn}", "ResourceNotFoundException") from None

    def create_authorizer(self, name: str, data: bytes) -> Reply:
        """Make an authorizer; raises ApiError."""
        return Reply(self._registry.create(name, _members(data)).summary())

    def update_authorizer(self, name: str, data: bytes) -> Reply:
        """Change an authorizer; raises ApiError."""
        return Reply(self._registry.update(name, _members(data)).summary())

    def describe_authorizer(self, name: str) -> Reply:
        """Show an authorizer; raises ApiError."""
        return Reply({"authorizerDescription": self._registry.get(name).description()})

    def delete_authorizer(self, name: str) -> Reply:
        """Remove an authorizer; raises ApiError."""
        self._registry.delete(name)
        return Reply()

    def list_authorizers(self, parameters: Mapping[str, str]) -> Reply:
        """Show one page of the authorizers; raises ApiError."""
        authorizers, marker = self._registry.page(parameters)
        body: dict[str, Any] = {"authorizers": [authorizer.summary() for authorizer in authorizers]}
        if marker is not None:
            body["nextMarker"] = marker
        return Reply(body)

    def set_default_authorizer(self, data: bytes) -> Reply:
        """Make an authorizer the default; raises ApiError."""
        name = _members(data).get("authorizerName")
        if not isinstance(name, str):
            raise InvalidRequestError("authorizerName must be a string")
        return Reply(self._registry.set_default(name).summary())

    def describe_default_authorizer(self) -> Reply:
        """Show the default authorizer; raises ApiError."""
        return Reply({"authorizerDescription": self._registry.default().description()})

    def clear_default_authorizer(self) -> Reply:
        """Have no default authorizer; raises ApiError."""
        self._registry.clear_default()
        return Reply()


def _members(data: bytes) -> dict[str, Any]:
    """Read a body; none at all counts for an empty object, as ``curl`` without data sends it."""
    try:
        value = wire.decode(data) if data else {}
    except WireError as error:
        raise InvalidRequestError("the request's body is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidRequestError("the request must be a JSON object")
    return value


def invocation_headers(result: InvocationResult) -> dict[str, str]:
    """Return what only the gateway knows of an invocation, as headers of the answer."""
    headers = {
        f"{_HEADER}environment": result.environment,
        f"{_HEADER}cold-start": "1" if result.cold_start else "0",
        f"{_HEADER}handler-seconds": f"{result.seconds:.6f}",
    }
    if result.payload is None:
        headers[f"{_HEADER}error-type"] = re.sub(r"[^A-Za-z0-9_.:]", "", result.error_type)[:_ERROR_TYPE_LENGTH_MAXIMUM]
    return headers


def _reply(result: InvocationResult) -> Reply:
    headers = invocation_headers(result)
    if result.payload is None:
        error = handler_failed(result.error_message, result.error_type)
        return Reply(error=error, headers=headers)
    try:
        decision, notes = decision_from_payload(result.payload)
    except ApiError as error:
        return Reply(error=error, headers=headers)
    if notes:
        headers[f"{_HEADER}notes"] = ",".join(notes)
    return Reply(wire.decision_to_wire(decision), headers=headers)
