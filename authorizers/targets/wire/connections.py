"""Kept-alive HTTP/1.1 connections with next to no work for each exchange."""

from __future__ import annotations

import contextlib
import http.client
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Final

from gatecrash.authorizers.targets.wire.http_answers import AnswerReader, HttpAnswer
from gatecrash.authorizers.targets.wire.readable import Readable, readable_of
from gatecrash.authorizers.targets.wire.stamps import ask_for_stamps

# A server may close an idle connection. Asking an encrypted one is dear, so that young ones are not asked.
_IDLE_SECONDS: Final = 0.5
_BUSY_SECONDS: Final = 0.001
_WATCH_SECONDS: Final = 0.5


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

    ``before_reading`` is called by gevent's loop before an answer is read that the kernel says the time of.
    """

    before_reading: Callable[[], None] | None = None

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._address = (host, port)
        self._tls = tls
        self._timeout = timeout
        self._stamped = tls is None
        self._idle: list[tuple[socket.socket, float]] = []
        self._reader = AnswerReader()
        self._readable: dict[socket.socket, Readable] = {}
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
            if (readable := self._readable.get(connection)) is not None:
                readable.wait()
            answer, reusable = self._reader.read(connection, stamped=self._stamped)
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
        if (readable := self._readable.pop(connection, None)) is not None:
            readable.close()
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
        if connection not in self._readable:
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
        if (readable := readable_of(connection, self._before_reading)) is not None:
            self._readable[connection] = readable
        if self._watch is None:
            self._watch = threading.Thread(target=self._end_overdue, name="gatecrash time-outs", daemon=True)
            self._watch.start()
        return connection

    def _before_reading(self) -> None:
        if self._stamped and self.before_reading is not None:
            self.before_reading()

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


def _has_news(connection: socket.socket) -> bool:
    try:
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True


def _name_of(error: Exception) -> str:
    """Return botocore's name for what went wrong on a connection."""
    if isinstance(error, http.client.IncompleteRead):
        return "ResponseStreamingError"
    if isinstance(error, ConnectionError | http.client.HTTPException):
        return "ConnectionClosedError"
    return "HTTPClientError"
