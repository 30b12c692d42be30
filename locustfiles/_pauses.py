"""Pauses in what is done beside firing, so that it doesn't hold firing up."""

from __future__ import annotations

import time
from typing import Final

import gevent

_WORK_SECONDS: Final = 0.0005
_PAUSE_SECONDS: Final = 0.0005


class LetFire:
    """Call it between short pieces of work: it lets everybody else run when the last time was a while ago."""

    def __init__(self) -> None:
        self._since = 0.0

    def __call__(self) -> None:
        """Pause, if it is time to."""
        if time.perf_counter() - self._since < _WORK_SECONDS:
            return
        # gevent goes on for milliseconds with greenlets that sleep for no time, and looks for no answers meanwhile.
        gevent.sleep(_PAUSE_SECONDS)
        self._since = time.perf_counter()


let_fire: Final = LetFire()
