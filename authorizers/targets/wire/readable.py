"""Waiting, in gevent, until a connection can be read.

gevent's sockets first try to read, and wait when that fails: an answer is never there so soon, and the failure costs as
much as the rest of the reading. To begin and to end watching for each answer costs as much again, in Python and in the
kernel: a connection is watched for as long as it lives.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

# Of libev.
_READABLE: Final = 1


def readable_of(connection: socket.socket, before: Callable[[], None]) -> Readable | None:
    """Return what waits until something can be read; None where reading itself waits well enough.

    That is where threads read, and where an encrypted connection may hold what it has read already.
    """
    if os.get_blocking(connection.fileno()) or isinstance(connection, ssl.SSLSocket):
        return None
    return Readable(connection.fileno(), before)


class Readable:
    """Wakes the one greenlet that waits for a descriptor; gevent's loop calls ``before`` ahead of that."""

    def __init__(self, descriptor: int, before: Callable[[], None]) -> None:
        # Where sockets are gevent's it is loaded already; threads do without.
        from gevent import get_hub, getcurrent

        self._current = getcurrent
        self._before = before
        self._hub = get_hub()
        self._waits: Any = None
        self._watched = False
        self._watcher = self._hub.loop.io(descriptor, _READABLE)

    def wait(self) -> None:
        """Wait until something can be read, or the other end has closed."""
        if not self._watched:
            self._watched = True
            self._watcher.start(self._on_readable)
        self._waits = self._current()
        try:
            while self._waits is not None:
                self._hub.switch()
        finally:
            self._waits = None

    def _on_readable(self) -> None:
        if self._waits is None:
            # Nobody reads what is there, and the loop would come back at once: until somebody waits.
            self._watched = False
            self._watcher.stop()
            return
        self._before()
        waits, self._waits = self._waits, None
        if waits is not None:
            waits.switch()

    def close(self) -> None:
        """Watch no more; before the descriptor is closed."""
        self._watcher.stop()
        self._watcher.close()
