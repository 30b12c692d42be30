"""What goes over the laboratory's sockets: commands to the zygote, events to environments, and what comes back."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from typing import Any, Final

from gatecrash.authorizers import wire

# To a zygote: what to do, with which process. From it: the new process's id (with its socket) or minus an errno; the
# exit code of the process that was ended.
COMMAND: Final = struct.Struct("!ci")
RESULT: Final = struct.Struct("!i")
START: Final = b"s"
END: Final = b"e"
# To an environment: the event's length, the seconds that it may take; then the event as JSON.
EVENT: Final = struct.Struct("!Id")
# From it: first that it is there; for each event the length, the handler's seconds, whether it failed, and then the
# payload, or the service's message.
BEGUN: Final = b"b"
REPLY: Final = struct.Struct("!Id?")
CHUNK_BYTES: Final = 1 << 16

_LENGTH: Final = struct.Struct("!I")
_EAGER_SECONDS: Final = 0.0001


def send_message(connection: socket.socket, **members: Any) -> None:
    """Send one message, 4 bytes of length and a JSON object."""
    body = wire.encode(members)
    connection.sendall(_LENGTH.pack(len(body)) + body)


def receive_message(connection: socket.socket) -> dict[str, Any] | None:
    """Receive one message, None when the other side has gone; raises TimeoutError by the socket's time-out."""
    header = receive_exactly(connection, _LENGTH.size)
    body = receive_exactly(connection, *_LENGTH.unpack(header)) if header is not None else None
    message: dict[str, Any] | None = wire.decode(body) if body is not None else None
    return message


def receive_exactly(connection: socket.socket, size: int) -> bytes | None:
    """Receive a number of bytes, None when the other side has gone; raises TimeoutError by the socket's time-out."""
    data = b""
    while len(data) < size:
        try:
            chunk = connection.recv(size - len(data))
        except ConnectionError:
            return None
        if not chunk:
            return None
        data += chunk
    return data


def wait_eagerly(poll: select.poll) -> None:
    """Wait for a moment without sleeping, giving way to whoever else wants the core.

    An answer or the next event mostly comes so soon that to sleep and to be woken would take longer than the rest.
    """
    ends = time.perf_counter() + _EAGER_SECONDS
    while not poll.poll(0) and time.perf_counter() < ends:
        os.sched_yield()
