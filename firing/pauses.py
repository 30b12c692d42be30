"""Pauses in what is done beside firing, so that it doesn't hold firing up."""

from __future__ import annotations

import time
from typing import Final

import gevent
from gevent.hub import Waiter

_WORK_SECONDS: Final = 0.00015
# Work that nobody finds the time for would pile up.
_LONGEST_PAUSE_SECONDS: Final = 0.01


class LetFire:
    """Call it between short pieces of work: when the last time was a while ago, it waits until nobody else has to run.

    That is when gevent's loop would wait for events, or after ten milliseconds, whatever comes first.
    """

    def __init__(self) -> None:
        self._since = 0.0

    def __call__(self) -> None:
        """Pause, if it is time to."""
        if time.perf_counter() - self._since < _WORK_SECONDS:
            return
        loop = gevent.get_hub().loop
        idle, timer = loop.idle(), loop.timer(_LONGEST_PAUSE_SECONDS)
        waiter: Waiter[None] = Waiter()
        try:
            idle.start(waiter.switch, None)
            timer.start(waiter.switch, None)
            waiter.get()
        finally:
            for watcher in (idle, timer):
                watcher.stop()
                watcher.close()
        self._since = time.perf_counter()


let_fire: Final = LetFire()
