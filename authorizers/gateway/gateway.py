"""The gateway as a whole: started and closed."""

from __future__ import annotations

import asyncio
import errno
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from gatecrash.authorizers.errors import ApiError, UsageError
from gatecrash.authorizers.gateway.environments import EnvironmentSettings
from gatecrash.authorizers.gateway.faults import Faults
from gatecrash.authorizers.gateway.lambda_api import LambdaApi
from gatecrash.authorizers.gateway.operations import Operations
from gatecrash.authorizers.gateway.pool import Pool
from gatecrash.authorizers.gateway.server import IotServer
from gatecrash.authorizers.gateway.settings import AuthorizerSettings, GatewaySettings
from gatecrash.authorizers.service.registry import Registry

_KEEP_ALIVE_SECONDS: Final = 3600.0
_BACKLOG: Final = 1024
# Whoever closes the gateway doesn't wait for its answers any more. (aiohttp takes 0 for no limit.)
_SHUTDOWN_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class InitError:
    """Why an environment that was started ahead could not be initialised; ``message`` is the function's own."""

    function: str
    error_type: str
    message: str


class RunningGateway:
    """A gateway that answers at ``url``; an asynchronous context manager that closes it.

    ``init_errors`` tell of functions that failed before their first event; the gateway serves them all the same
    and reports it to each request, as AWS does.
    """

    def __init__(
        self, url: str, listener: asyncio.Server, server: web.Server, pools: list[Pool], init_errors: list[InitError]
    ) -> None:
        self.url = url
        self.init_errors = tuple(init_errors)
        self._listener = listener
        self._server = server
        self._pools = pools

    async def close(self) -> None:
        """Stop answering and kill all execution environments."""
        self._listener.close()
        await self._server.shutdown(_SHUTDOWN_SECONDS)
        await _close_all(self._pools)
        await self._listener.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def start(settings: GatewaySettings) -> RunningGateway:
    """Start a gateway; it answers when this returns, with its provisioned environments ready.

    Raises UsageError when the address can't be listened on or an authorizer is not what AWS would take.
    """
    registry = Registry(settings.region, settings.account, time.time)
    for authorizer in settings.authorizers:
        _register(registry, authorizer, settings)
    shared = EnvironmentSettings(settings.timeout, settings.region, settings.account, settings.show_handler_output)
    pools = [
        Pool(function, shared, concurrency=settings.concurrency, provisioned=settings.provisioned)
        for function in settings.functions
    ]
    faults = Faults(settings.faults)
    operations = Operations(registry, pools, settings.dialect, faults)
    lambda_api = LambdaApi(pools, region=settings.region, account=settings.account, faults=faults)
    iot = IotServer(operations, lambda_api, calls_per_second=settings.calls_per_second, burst=settings.burst)
    server = web.Server(iot.handle, access_log=None, keepalive_timeout=_KEEP_ALIVE_SECONDS)
    # The port first, so that one in use is told at once; connections are taken when all is ready.
    listener = await _listen(server, settings)
    try:
        init_errors = await _start_pools(pools)
        await listener.start_serving()
    except BaseException:
        listener.close()
        await _close_all(pools)
        raise
    host, port = listener.sockets[0].getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return RunningGateway(url, listener, server, pools, init_errors)


async def _listen(server: web.Server, settings: GatewaySettings) -> asyncio.Server:
    host, port = settings.host, settings.port
    try:
        return await asyncio.get_running_loop().create_server(server, host, port, backlog=_BACKLOG, start_serving=False)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"{host}:{port} is in use; choose another port with --port, or 0 for a free one") from None
        raise UsageError(f"can't listen on {host}:{port}: {error.strerror}; choose with --host and --port") from None


async def _start_pools(pools: list[Pool]) -> list[InitError]:
    all_errors = await asyncio.gather(*(pool.start() for pool in pools))
    return [
        InitError(pool.function.name, error.error_type, error.error_message)
        for pool, errors in zip(pools, all_errors, strict=True)
        for error in errors
    ]


async def _close_all(pools: list[Pool]) -> None:
    await asyncio.gather(*(pool.close() for pool in pools))


def _register(registry: Registry, authorizer: AuthorizerSettings, settings: GatewaySettings) -> None:
    function = authorizer.function or settings.functions[0].name
    disabled = authorizer.signing_disabled
    body = {
        "authorizerFunctionArn": f"arn:aws:lambda:{settings.region}:{settings.account}:function:{function}",
        "tokenKeyName": authorizer.token_key_name,
        "tokenSigningPublicKeys": dict(authorizer.signing_keys) or None,
        "status": authorizer.status,
        "signingDisabled": not authorizer.signing_keys if disabled is None else disabled,
    }
    try:
        registry.create(authorizer.name, body)
    except ApiError as error:
        raise UsageError(f"authorizer {authorizer.name}: {error.message}") from error
