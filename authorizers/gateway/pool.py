"""The execution environments of one function: reused, started on demand, limited in number, as Lambda does it."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from typing import Final

from gatecrash.authorizers.errors import ThrottlingError
from gatecrash.authorizers.gateway.environments import (
    Environment,
    EnvironmentSettings,
    EnvironmentState,
    InvocationResult,
)
from gatecrash.authorizers.gateway.functions import Function
from gatecrash.authorizers.gateway.runtime_api import RuntimeResult

RATE_EXCEEDED: Final = "Rate exceeded"
# How long a call waits for an environment that has answered, where another may be started instead.
_PATIENCE_SECONDS: Final = 1.0


class Pool:
    """Invokes one function in at most ``concurrency`` environments; ``provisioned`` of them are started ahead."""

    def __init__(
        self, function: Function, settings: EnvironmentSettings, *, concurrency: int = 32, provisioned: int = 2
    ) -> None:
        self.function = function
        self._settings = settings
        self._concurrency = concurrency
        self._provisioned = min(provisioned, concurrency)
        self._started = 0
        self._living: set[Environment] = set()
        # The most recently used one is last, and taken first.
        self._idle: list[Environment] = []
        self._finishing: set[Environment] = set()
        self._waiting: deque[asyncio.Future[Environment | None]] = deque()
        self._burials: set[asyncio.Task[None]] = set()

    async def start(self) -> tuple[RuntimeResult, ...]:
        """Start the provisioned environments; returns the errors of those that could not be initialised."""
        return tuple(filter(None, await asyncio.gather(*(self._provision() for _ in range(self._provisioned)))))

    async def _provision(self) -> RuntimeResult | None:
        environment = self._new()
        error = await environment.start(str(uuid.uuid4()))
        if error is None:
            self._offer(environment)
        return error

    async def invoke(self, payload: bytes, *, crash: bool = False) -> InvocationResult:
        """Run one event in an environment of its own for that time.

        Raises ThrottlingError when all environments that there may be are busy.
        """
        request_id = str(uuid.uuid4())
        environment = await self._free_environment()
        if environment is None:
            environment = self._new()
            error = await environment.start(request_id)
            if error is not None:
                return environment.failed_init(request_id, error)
        return await environment.invoke(request_id, payload, crash=crash)

    async def _free_environment(self) -> Environment | None:
        """Return an idle environment, None when a new one may be started."""
        loop, has_waited = asyncio.get_running_loop(), False
        while not self._idle:
            has_room = len(self._living) < self._concurrency
            if len(self._finishing) > len(self._waiting) and not (has_waited and has_room):
                # It has answered and is about to ask for more: waiting takes less than a new start.
                waiter: asyncio.Future[Environment | None] = loop.create_future()
                self._waiting.append(waiter)
                timer = loop.call_later(_PATIENCE_SECONDS, self._release, waiter)
                environment = await waiter
                timer.cancel()
                if environment is not None and environment.state is EnvironmentState.IDLE:
                    return environment
                has_waited = True
            elif has_room:
                return None
            else:
                raise ThrottlingError(RATE_EXCEEDED)
        return self._idle.pop()

    def _release(self, waiter: asyncio.Future[Environment | None]) -> None:
        if not waiter.done():
            self._waiting.remove(waiter)
            waiter.set_result(None)

    def _new(self) -> Environment:
        self._started += 1
        name = f"{self.function.name}-{self._started}"
        environment = Environment(name, self.function, self._settings, self._on_change)
        self._living.add(environment)
        return environment

    def _on_change(self, environment: Environment) -> None:
        match environment.state:
            case EnvironmentState.FINISHING:
                self._finishing.add(environment)
            case EnvironmentState.IDLE:
                # One that was just started belongs to who started it.
                if environment in self._finishing:
                    self._finishing.discard(environment)
                    self._offer(environment)
            case EnvironmentState.DEAD:
                self._bury(environment)

    def _offer(self, environment: Environment) -> None:
        if environment.state is not EnvironmentState.IDLE:
            return
        waiter = self._next_waiter()
        if waiter is None:
            self._idle.append(environment)
        else:
            # Busy from now on, not only when the waiter's task runs.
            waiter.set_result(environment)

    def _next_waiter(self) -> asyncio.Future[Environment | None] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                return waiter
        return None

    def _bury(self, environment: Environment) -> None:
        self._living.discard(environment)
        self._finishing.discard(environment)
        if environment in self._idle:
            self._idle.remove(environment)
        burial = asyncio.get_running_loop().create_task(environment.close())
        self._burials.add(burial)
        burial.add_done_callback(self._burials.discard)
        if len(self._waiting) > len(self._finishing) and (waiter := self._next_waiter()) is not None:
            waiter.set_result(None)

    async def close(self) -> None:
        """Kill all environments."""
        self._concurrency = 0
        await asyncio.gather(*(environment.close() for environment in tuple(self._living)))
        while self._burials:
            await asyncio.gather(*self._burials)
