"""Kept-alive HTTP/1.1 connections with next to no work for a usual answer.

A usual answer has a status line, a Content-Length and nothing that changes how it is read. Every other one goes to
Python's ``http.client``, with the bytes that have come already.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

from authorizers.targets.stamps import ANCILLARY_BYTES, Ancillary, ask_for_stamps, received_at

_RECEIVED_AT_ONCE: Final = 65536
_BODY_BYTES_MAXIMUM: Final = 8 * 1024 * 1024
# A server may close an idle connection. Asking an encrypted one is dear, so that young ones are not asked.
_IDLE_SECONDS: Final = 0.5
_BUSY_SECONDS: Final = 0.001
_WATCH_SECONDS: Final = 0.5
# Of libev.
_READABLE: Final = 1
_USUAL_HEAD: Final = re.compile(rb"HTTP/1\.1 ([2-5]\d\d)[ \r]")
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*(?=\r\n)", re.IGNORECASE)
_UNUSUAL: Final = re.compile(
    rb"\r\n(?:(?:transfer|content)-encoding|connection(?!:[ \t]*keep-alive[ \t]*\r\n))[ \t]*:|\n[ \t]", re.IGNORECASE
)


class HttpAnswer(NamedTuple):
    """An answer as it came: ``head`` is everything before the body.

    ``received`` is when the kernel had received it, by time.perf_counter; None where it doesn't say.
    """

    status: int
    head: bytes
    body: bytes
    received: float | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by their names in lower case; of repeated ones all values, joined by a comma."""
        found: dict[str, str] = {}
        parsed = http.client.parse_headers(io.BytesIO(self.head.partition(b"\r\n")[2]))
        for name, value in parsed.items():
            key = name.lower()
            found[key] = f"{found[key]}, {value}" if key in found else value
        return found


class ConnectionFailedError(Exception):
    """No answer came; ``name`` is what botocore calls the failure."""

    def __init__(self, name: str, *, timed_out: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.timed_out = timed_out


class Connections:
    """Connections to one host, as many as there are requests at the same time; for threads and for greenlets.

    ``timeout`` is in seconds, for connecting and for the whole of an exchange. A time-out of a socket's own costs
    more than the rest of a wait does in gevent: one thread, or greenlet, looks after all connections instead.
    """

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._address = (host, port)
        self._tls = tls
        self._timeout = timeout
        self._stamped = tls is None
        self._idle: list[tuple[socket.socket, float]] = []
        self._waits: dict[socket.socket, Callable[[], None]] = {}
        self._busy: dict[socket.socket, float] = {}
        self._overdue: set[socket.socket] = set()
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None

    def exchange(self, data: bytes) -> HttpAnswer:
        """Send a request and return its answer; raises ConnectionFailedError. No request is sent twice."""
        connection = self._take()
        self._busy[connection] = time.monotonic()
        try:
            # gevent's sendall asks for the size of the send buffer each time: a request nearly always fits.
            sent = connection.send(data)
            if sent < len(data):
                connection.sendall(data[sent:])
            if (wait := self._waits.get(connection)) is not None:
                wait()
            answer, reusable = _answer(connection, stamped=self._stamped)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._end(connection)
            if connection in self._overdue:
                raise ConnectionFailedError("ReadTimeoutError", timed_out=True) from None
            raise ConnectionFailedError(_name_of(error)) from None
        except BaseException:
            # Whoever was ended in the middle leaves half an answer behind.
            self._end(connection)
            raise
        finally:
            del self._busy[connection]
            self._overdue.discard(connection)
        if reusable:
            self._idle.append((connection, time.monotonic()))
        else:
            self._end(connection)
        return answer

    def _end(self, connection: socket.socket) -> None:
        self._waits.pop(connection, None)
        connection.close()

    def _take(self) -> socket.socket:
        while self._idle:
            connection, since = self._idle.pop()
            if not self._is_over(connection, since):
                return connection
            self._end(connection)
        return self._connect()

    def _is_over(self, connection: socket.socket, since: float) -> bool:
        """Say whether an idle connection was closed, or holds what nobody asked for."""
        idle = time.monotonic() - since
        if idle < _BUSY_SECONDS:
            return False
        if self._tls is not None:
            return idle >= _IDLE_SECONDS and _has_news(connection)
        if os.get_blocking(connection.fileno()):
            return _has_news(connection)
        try:
            # gevent's sockets never block. A byte that is read here makes the connection useless anyway.
            os.read(connection.fileno(), 1)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def _connect(self) -> socket.socket:
        try:
            connection = socket.create_connection(self._address, self._timeout)
        except TimeoutError:
            raise ConnectionFailedError("ConnectTimeoutError", timed_out=True) from None
        except OSError:
            raise ConnectionFailedError("EndpointConnectionError") from None
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._stamped = self._stamped and ask_for_stamps(connection)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_hostname=self._address[0])
        except TimeoutError:
            connection.close()
            raise ConnectionFailedError("ConnectTimeoutError", timed_out=True) from None
        except OSError as error:
            connection.close()
            raise ConnectionFailedError("SSLError" if isinstance(error, ssl.SSLError) else "ConnectionError") from None
        connection.settimeout(None)
        if (wait := _wait_of(connection)) is not None:
            self._waits[connection] = wait
        if self._watch is None:
            self._watch = threading.Thread(target=self._end_overdue, name="gatecrash time-outs", daemon=True)
            self._watch.start()
        return connection

    def _end_overdue(self) -> None:
        while not self._closed.wait(min(_WATCH_SECONDS, self._timeout / 4)):
            latest = time.monotonic() - self._timeout
            for connection, since in list(self._busy.items()):
                if since < latest:
                    self._overdue.add(connection)
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._closed.set()
        while self._idle:
            self._end(self._idle.pop()[0])


def _wait_of(connection: socket.socket) -> Callable[[], None] | None:
    """Return what waits until something can be read; None where reading itself waits well enough.

    gevent's sockets first try to read, and wait when that fails: an answer is never there so soon, and the failure
    costs as much as the rest of the reading. An encrypted connection may hold what it has read already.
    """
    if os.get_blocking(connection.fileno()) or isinstance(connection, ssl.SSLSocket):
        return None
    # Where sockets are gevent's it is loaded already; threads do without.
    from gevent import get_hub

    hub = get_hub()
    return partial(hub.wait, hub.loop.io(connection.fileno(), _READABLE))


def _has_news(connection: socket.socket) -> bool:
    try:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True


def _receive(connection: socket.socket, most: int, *, stamped: bool) -> tuple[bytes, Ancillary]:
    if not stamped:
        return connection.recv(most), ()
    data, ancillary, _, _ = connection.recvmsg(most, ANCILLARY_BYTES)
    return data, ancillary


def _answer(connection: socket.socket, *, stamped: bool) -> tuple[HttpAnswer, bool]:
    """Read an answer; returns it and whether the connection can be used again."""
    data, ancillary = _receive(connection, _RECEIVED_AT_ONCE, stamped=stamped)
    end = data.find(b"\r\n\r\n")
    if end < 0 or _USUAL_HEAD.match(data) is None:
        return _unusual_answer(connection, data)
    head = data[: end + 2]
    lengths = _LENGTH.findall(head)
    if len(lengths) != 1 or _UNUSUAL.search(head) is not None:
        return _unusual_answer(connection, data)
    length = int(lengths[0])
    status, body = int(data[9:12]), data[end + 4 :]
    if status in {204, 304} or length > _BODY_BYTES_MAXIMUM or len(body) > length:
        return _unusual_answer(connection, data)
    if len(body) < length:
        parts, missing = [body], length - len(body)
        while missing > 0:
            part, ancillary = _receive(connection, min(missing, _RECEIVED_AT_ONCE), stamped=stamped)
            if not part:
                raise http.client.IncompleteRead(b"".join(parts), missing)
            parts.append(part)
            missing -= len(part)
        body = b"".join(parts)
    return HttpAnswer(status, head, body, received_at(ancillary)), True


class _Received(io.RawIOBase):
    """The bytes that came already, and then those of the connection."""

    def __init__(self, data: bytes, receive: Callable[[int], bytes]) -> None:
        super().__init__()
        self._data = data
        self._receive = receive

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        part = self._data[: len(buffer)] or self._receive(len(buffer))
        self._data = self._data[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


class _Replayed:
    """What ``http.client`` takes for a socket."""

    def __init__(self, data: bytes, connection: socket.socket) -> None:
        self._file = io.BufferedReader(_Received(data, connection.recv if data else lambda _: b""))

    def makefile(self, _mode: str) -> io.BufferedIOBase:
        return self._file


def _unusual_answer(connection: socket.socket, data: bytes) -> tuple[HttpAnswer, bool]:
    """Let ``http.client`` read the answer; its connection is not used again."""
    response = http.client.HTTPResponse(_Replayed(data, connection), method="POST")  # type: ignore[arg-type]
    response.begin()
    body = response.read(_BODY_BYTES_MAXIMUM + 1)
    if len(body) > _BODY_BYTES_MAXIMUM:
        raise ValueError("the body is too large")
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    head = f"HTTP/1.1 {response.status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in response.getheaders())
    return HttpAnswer(response.status, head.encode("latin-1", "replace"), body), False


def _name_of(error: Exception) -> str:
    """Return botocore's name for what went wrong on a connection."""
    if isinstance(error, http.client.IncompleteRead):
        return "ResponseStreamingError"
    if isinstance(error, ConnectionError | http.client.HTTPException):
        return "ConnectionClosedError"
    return "HTTPClientError"
