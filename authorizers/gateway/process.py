"""The gateway as the whole of a process: served until a signal, or the death of the process that wanted it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from authorizers.gateway.gateway import InitError, start
from authorizers.gateway.settings import GatewaySettings, settings_from_json
from authorizers.redact import redact_text

_PARENT_POLL_SECONDS: Final = 0.5


def warn(error: InitError) -> None:
    """Say on standard error that a function can't be initialised; what looks like a token is masked."""
    sys.stderr.write(
        f"{error.function} can't be initialised, every request will be answered so: "
        f"{error.error_type}: {redact_text(error.message)}\n"
    )


def serve(
    settings: Mapping[str, Any], ready: Callable[[str], None], on_init_error: Callable[[InitError], None] = warn
) -> None:
    """Serve plain settings (see ``settings_from_json``) as ``serve_forever`` does."""
    serve_forever(settings_from_json(settings), ready, on_init_error)


def serve_forever(
    settings: GatewaySettings,
    ready: Callable[[str], None],
    on_init_error: Callable[[InitError], None] = warn,
    *,
    parent_death: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT, then close.

    ``ready`` is called with the URL once the gateway answers, ``on_init_error`` before it, once for each function
    that failed before its first event. With ``parent_death`` the gateway ends, too, when the process that started
    it has died. Raises UsageError as ``start`` does.
    """
    asyncio.run(_serve(settings, ready, on_init_error, parent_death=parent_death))


async def _serve(
    settings: GatewaySettings,
    ready: Callable[[str], None],
    on_init_error: Callable[[InitError], None],
    *,
    parent_death: bool,
) -> None:
    parent = os.getppid()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with await start(settings) as gateway:
        for error in {error.function: error for error in gateway.init_errors}.values():
            on_init_error(error)
        ready(gateway.url)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PARENT_POLL_SECONDS if parent_death else None)
            if parent_death and os.getppid() != parent:
                return
