"""When the kernel received what a connection reads: an answer lies there until a busy process gets to it."""

from __future__ import annotations

import platform
import socket
import struct
import sys
import time
from collections.abc import Sequence
from typing import Final

# From Linux's <asm-generic/socket.h>, which these machines use; Python has no name for it. See socket(7), SO_TIMESTAMP.
_RECEIVED_AT: Final = 35
_MACHINES: Final = frozenset({"x86_64", "aarch64"})
_IS_KNOWN: Final = sys.platform == "linux" and platform.machine() in _MACHINES
# C's struct timespec: seconds and nanoseconds of the wall clock.
_TIMESPEC: Final = struct.Struct("@qq")
_NANOSECONDS: Final = 1_000_000_000
ANCILLARY_BYTES: Final = socket.CMSG_SPACE(_TIMESPEC.size)

# What recvmsg returns as ancillary data.
Ancillary = Sequence[tuple[int, int, bytes]]


def ask_for_stamps(connection: socket.socket) -> bool:
    """Ask the kernel to say when it received what ``recvmsg`` returns; False where it can't."""
    if not _IS_KNOWN:
        return False
    try:
        connection.setsockopt(socket.SOL_SOCKET, _RECEIVED_AT, 1)
    except OSError:
        return False
    return True


def received_at(ancillary: Ancillary) -> float | None:
    """Return the moment of time.perf_counter at which the kernel had received the last of what was just read.

    None where the kernel doesn't say, or says a time to come, as after a step of the wall clock.
    """
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _RECEIVED_AT and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            age: int = time.time_ns() - seconds * _NANOSECONDS - nanoseconds
            return time.perf_counter() - age / _NANOSECONDS if age >= 0 else None
    return None
