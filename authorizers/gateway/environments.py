"""One execution environment: a process under its runtime client, one event at a time, globals kept between them.

Errors have Lambda's own types and messages, as the function's caller finds them in the invocation's payload.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from gatecrash.authorizers.gateway.child_process import ChildProcess
from gatecrash.authorizers.gateway.functions import Function, environment_variables
from gatecrash.authorizers.gateway.runtime_api import RuntimeApi, RuntimeEvent, RuntimeResult
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.service.lambda_platform import INIT_SECONDS_MAXIMUM, exit_reason

# A runtime client asks for the next event as soon as it has answered one: after so long it hangs, and isn't just short
# of processor time. Until then calls wait for it.
_NEXT_SECONDS_MAXIMUM: Final = 10.0
# A timer that rings later than this says that the gateway itself didn't run.
_LATE_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """How one invocation ended: with a payload, or with the function's error.

    ``cold_start`` is true for the first event of an environment, ``seconds`` from the event's handing over to the
    answer, without the environment's start, which took ``init_seconds``.
    """

    payload: bytes | None
    error_type: str
    error_message: str
    environment: str
    cold_start: bool
    seconds: float
    request_id: str
    init_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """What all environments of a gateway share; ``timeout`` in seconds, at most what AWS IoT allows."""

    timeout: float = LAMBDA_SECONDS_MAXIMUM
    region: str = "us-east-1"
    account: str = "123456789012"
    show_output: bool = False


class EnvironmentState(Enum):
    """Where an environment is in its life."""

    STARTING = auto()
    IDLE = auto()
    BUSY = auto()
    FINISHING = auto()
    ENDING = auto()
    DEAD = auto()


class Environment:
    """A process that handles events of one function, one at a time.

    ``on_change`` is called whenever it becomes idle and when it has died; a dead one is of no more use. From the moment
    that this side kills it, it gets no more events: whatever ends it is never told of an event that came later.
    """

    def __init__(
        self,
        name: str,
        function: Function,
        settings: EnvironmentSettings,
        on_change: Callable[[Environment], None],
    ) -> None:
        self.name = name
        self.state = EnvironmentState.STARTING
        self._function = function
        self._settings = settings
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._api = RuntimeApi(self._on_idle, self._on_result, self._on_init_error)
        self._process: ChildProcess | None = None
        self._ready: asyncio.Future[RuntimeResult | None] = self._loop.create_future()
        self._answer: asyncio.Future[RuntimeResult] | None = None
        self._timer: asyncio.TimerHandle | None = None
        # Why the process ended, or is killed.
        self._cause: RuntimeResult | None = None
        self._request_id = ""
        self._invoked = False
        self._init_started = time.perf_counter()
        self._init_seconds = 0.0
        self._api_closing: asyncio.Task[None] | None = None
        self._arn = f"arn:aws:lambda:{settings.region}:{settings.account}:function:{function.name}"

    async def start(self, request_id: str) -> RuntimeResult | None:
        """Start the process and wait until it asks for its first event.

        Returns None, or the error that kept the function from being initialised; then the environment is dead.
        """
        self._request_id = request_id
        address = await self._api.start()
        if self.state is EnvironmentState.DEAD:
            await self._api.close()
            return _exit_error(request_id, -signal.SIGKILL)
        variables = environment_variables(
            self._function, runtime_api=address, environment_id=self.name, region=self._settings.region
        )
        try:
            self._process = ChildProcess(
                self._function.command,
                self._function.folder,
                variables,
                self._on_exit,
                show_output=self._settings.show_output,
            )
        except OSError as error:
            self._die()
            message = f"RequestId: {request_id} Error: can't start {self._function.command[0]}: {error.strerror}"
            return RuntimeResult(error_type="Runtime.InvalidEntrypoint", error_message=message)
        self._set_timer(INIT_SECONDS_MAXIMUM, self._kill_for_time_out, INIT_SECONDS_MAXIMUM)
        return await self._ready

    async def invoke(self, request_id: str, payload: bytes, *, crash: bool = False) -> InvocationResult:
        """Give an idle environment an event and wait for what comes of it; ``crash`` kills the process on the way."""
        cold_start, self._invoked = not self._invoked, True
        if self._cause is not None:
            return self._result(self._cause, request_id, cold_start, 0.0)
        self.state = EnvironmentState.BUSY
        self._request_id = request_id
        self._answer = self._loop.create_future()
        timeout = self._settings.timeout
        started = time.perf_counter()
        self._api.send(RuntimeEvent(request_id, payload, int((time.time() + timeout) * 1000), self._arn))
        self._set_timer(timeout, self._kill_for_time_out, timeout)
        if crash:
            self._kill()
        result = await self._answer
        return self._result(result, request_id, cold_start, time.perf_counter() - started)

    def failed_init(self, request_id: str, error: RuntimeResult) -> InvocationResult:
        """Return what the event that an environment was started for gets when ``start`` failed with an error."""
        self._init_seconds = time.perf_counter() - self._init_started
        return self._result(error, request_id, True, 0.0)

    def _result(self, result: RuntimeResult, request_id: str, cold_start: bool, seconds: float) -> InvocationResult:  # noqa: FBT001 - it is the result's own member
        return InvocationResult(
            result.payload,
            result.error_type,
            result.error_message,
            self.name,
            cold_start,
            seconds,
            request_id,
            self._init_seconds,
        )

    def _set_timer(self, seconds: float, callback: Callable[..., None], *arguments: float) -> None:
        self._clear_timer()
        due = self._loop.time() + seconds
        self._timer = self._loop.call_at(due, self._ring, due, callback, *arguments)

    def _ring(self, due: float, callback: Callable[..., None], *arguments: float) -> None:
        if self._loop.time() < due + _LATE_SECONDS:
            callback(*arguments)
        else:
            # What has come in the meantime, and lies there unread, came in time.
            self._timer = self._loop.call_later(_LATE_SECONDS, callback, *arguments)

    def _clear_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_idle(self) -> None:
        if self.state not in (EnvironmentState.STARTING, EnvironmentState.FINISHING):
            return
        if self.state is EnvironmentState.STARTING:
            self._init_seconds = time.perf_counter() - self._init_started
        self._clear_timer()
        self.state = EnvironmentState.IDLE
        if not self._ready.done():
            self._ready.set_result(None)
        self._on_change(self)

    def _on_result(self, result: RuntimeResult) -> None:
        if self.state is not EnvironmentState.BUSY or self._answer is None:
            return
        self.state = EnvironmentState.FINISHING
        self._set_timer(_NEXT_SECONDS_MAXIMUM, self._kill)
        self._answer.set_result(result)
        self._on_change(self)

    def _on_init_error(self, error: RuntimeResult) -> None:
        if self.state is EnvironmentState.STARTING:
            self._cause = error
            self._kill()

    def _kill_for_time_out(self, seconds: float) -> None:
        message = f"RequestId: {self._request_id} Error: Task timed out after {seconds:.2f} seconds"
        self._cause = RuntimeResult(error_type="Sandbox.Timedout", error_message=message)
        self._kill()

    def _kill(self) -> None:
        # It may be about to ask for an event, or have asked already.
        self.state = EnvironmentState.ENDING
        if self._process is not None:
            self._process.kill()

    def _on_exit(self, return_code: int) -> None:
        # Answers wait for the process's end, so that its place is free by the time that the caller comes again.
        self._cause = self._cause or _exit_error(self._request_id, return_code)
        self._die()
        if not self._ready.done():
            self._ready.set_result(self._cause)
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._cause)

    def _die(self) -> None:
        self._clear_timer()
        self.state = EnvironmentState.DEAD
        self._api_closing = self._loop.create_task(self._api.close())
        self._on_change(self)

    async def close(self) -> None:
        """Kill the process and close its Runtime API; whoever waits for an answer gets an error."""
        if self._process is not None:
            self._process.close()
        elif self.state is not EnvironmentState.DEAD:
            self._die()
        if self._api_closing is not None:
            await self._api_closing


def _exit_error(request_id: str, return_code: int) -> RuntimeResult:
    message = f"RequestId: {request_id} Error: {exit_reason(return_code)}"
    return RuntimeResult(error_type="Runtime.ExitError", error_message=message)
