"""Waking greenlets in time: gevent's own timers are late by up to a millisecond, which is what its loop counts in."""

from __future__ import annotations

import contextlib
import ctypes
import heapq
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import gevent
from gevent.hub import Waiter

# From <linux/time.h> and <sys/timerfd.h>. On Linux time.perf_counter is CLOCK_MONOTONIC.
_CLOCK_MONOTONIC: Final = 1
_ABSOLUTE: Final = 1
_READABLE: Final = 1
_COUNT_BYTES: Final = 8


class _TimerSetting(ctypes.Structure):
    """C's ``struct itimerspec``."""

    _fields_ = (
        ("interval_seconds", ctypes.c_long),
        ("interval_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


def _open_timer(library: Any) -> int | None:
    """Return the descriptor of a kernel timer that can be polled, None where there is no such thing."""
    if not hasattr(library, "timerfd_create"):
        return None
    descriptor: int = library.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    return descriptor if descriptor >= 0 else None


class Alarms:
    """Lets greenlets of one thread sleep to the moment, by one kernel timer for all; elsewhere than on Linux by gevent.

    A greenlet that is killed in its sleep is forgotten.
    """

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
        self._descriptor = _open_timer(self._library)
        # Moment of time.perf_counter, number (no two calls are compared), and what to call; nothing any more is None.
        self._waiting: list[tuple[float, int, list[Callable[[], None] | None]]] = []
        self._number = 0
        self._setting = _TimerSetting()
        self._reference = ctypes.byref(self._setting)
        self._waking = False
        if self._descriptor is not None:
            self._watcher = gevent.get_hub().loop.io(self._descriptor, _READABLE)
            self._watcher.start(self._wake)

    def sleep(self, seconds: float) -> None:
        """Sleep so many seconds."""
        if self._descriptor is None:
            gevent.sleep(seconds)
            return
        waiter: Waiter[None] = Waiter()
        holder = self._enter(seconds, partial(waiter.switch, None))
        try:
            waiter.get()
        finally:
            holder[0] = None

    def call(self, seconds: float, callback: Callable[[], None]) -> None:
        """Have gevent's loop call something, which must not wait, after so many seconds."""
        if self._descriptor is None:
            gevent.spawn_later(seconds, callback)
        else:
            self._enter(seconds, callback)

    def _enter(self, seconds: float, callback: Callable[[], None]) -> list[Callable[[], None] | None]:
        moment = time.perf_counter() + seconds
        holder: list[Callable[[], None] | None] = [callback]
        self._number += 1
        heapq.heappush(self._waiting, (moment, self._number, holder))
        if not self._waking and self._waiting[0][2] is holder:
            self._set(moment)
        return holder

    def _set(self, moment: float) -> None:
        seconds = int(moment)
        self._setting.seconds = seconds
        # All noughts would turn the timer off.
        self._setting.nanoseconds = int((moment - seconds) * 1e9) or 1
        self._library.timerfd_settime(self._descriptor, _ABSOLUTE, self._reference, None)

    def _wake(self) -> None:
        """Wake all whose moment has come; called by gevent's loop."""
        assert self._descriptor is not None  # noqa: S101 - there is a watcher
        waiting, self._waking = self._waiting, True
        try:
            now = time.perf_counter()
            while waiting and waiting[0][0] <= now:
                callback = heapq.heappop(waiting)[2][0]
                if callback is not None:
                    callback()
        finally:
            self._waking = False
        if waiting:
            # Setting the timer also takes back that it could be read.
            self._set(waiting[0][0])
        else:
            with contextlib.suppress(BlockingIOError):
                os.read(self._descriptor, _COUNT_BYTES)

    def close(self) -> None:
        """Give the kernel's timer back; nobody may sleep any more."""
        if self._descriptor is not None:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._descriptor)
            self._descriptor = None
