"""The gateway as the whole of a process: served until a signal, or the death of the process that wanted it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from gatecrash.authorizers.gateway.gateway import InitError, RunningGateway, start
from gatecrash.authorizers.gateway.settings import GatewaySettings
from gatecrash.authorizers.redact import redact_text

_PARENT_POLL_SECONDS: Final = 0.5


def warn(error: InitError) -> None:
    """Say on standard error that a function can't be initialised; what looks like a token is masked."""
    sys.stderr.write(
        f"{error.function} can't be initialised, every request will be answered so: "
        f"{error.error_type}: {redact_text(error.message)}\n"
    )


def serve_forever(
    settings: GatewaySettings,
    ready: Callable[[str], None],
    on_init_error: Callable[[InitError], None] = warn,
    *,
    parent_death: bool = False,
) -> int | None:
    """Serve until SIGTERM or SIGINT, then close; returns the signal where it came before anything was served.

    ``ready`` is called with the URL once the gateway answers, ``on_init_error`` before it, once for each function
    that failed before its first event. With ``parent_death`` the gateway ends, too, when the process that started
    it has died. Raises UsageError as ``start`` does.
    """
    return asyncio.run(_serve(settings, ready, on_init_error, parent_death=parent_death))


async def _serve(
    settings: GatewaySettings,
    ready: Callable[[str], None],
    on_init_error: Callable[[InitError], None],
    *,
    parent_death: bool,
) -> int | None:
    parent, loop = os.getppid(), asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(number: int) -> None:
        if not stopped.done():
            stopped.set_result(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    if (started := await _start_unless_stopped(settings, stopped)) is None:
        return stopped.result()
    async with started as gateway:
        for error in {error.function: error for error in gateway.init_errors}.values():
            on_init_error(error)
        ready(gateway.url)
        while not stopped.done():
            await asyncio.wait({stopped}, timeout=_PARENT_POLL_SECONDS if parent_death else None)
            if parent_death and os.getppid() != parent:
                break
    return None


async def _start_unless_stopped(settings: GatewaySettings, stopped: asyncio.Future[int]) -> RunningGateway | None:
    """Start the gateway; None where it is stopped first, since a function may take long to initialise."""
    starting = asyncio.ensure_future(start(settings))
    either: set[asyncio.Future[Any]] = {starting, stopped}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
    return None if starting.cancelled() else starting.result()
