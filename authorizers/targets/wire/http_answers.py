"""Reading HTTP/1.1 answers with next to no work for a usual one.

A usual answer has a status line, a Content-Length and nothing that changes how it is read. Every other one goes to
Python's ``http.client``, with the bytes that have come already.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gatecrash.authorizers.targets.wire.stamps import ANCILLARY_BYTES, Ancillary, received_at

_RECEIVED_AT_ONCE: Final = 65536
_BODY_BYTES_MAXIMUM: Final = 8 * 1024 * 1024
_HEADS_KEPT: Final = 256
_KEPT_BYTES_MAXIMUM: Final = 4096
_USUAL_HEAD: Final = re.compile(rb"HTTP/1\.1 ([2-5]\d\d)[ \r]")
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*(?=\r\n)", re.IGNORECASE)
_UNUSUAL: Final = re.compile(
    rb"\r\n(?:(?:transfer|content)-encoding|connection(?!:[ \t]*keep-alive[ \t]*\r\n))[ \t]*:|\n[ \t]", re.IGNORECASE
)

# The status, and how many bytes the body has.
_StatusAndLength = tuple[int, int]


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


class AnswerReader:
    """Reads answers of one host, which sends many with the same head."""

    def __init__(self) -> None:
        self._heads: dict[bytes, _StatusAndLength] = {}

    def read(self, connection: socket.socket, *, stamped: bool) -> tuple[HttpAnswer, bool]:
        """Read an answer; returns it and whether the connection can be used again.

        ``stamped`` says that the kernel was asked when it receives. Raises OSError, ValueError, and HTTPException for
        what is no answer.
        """
        data, ancillary = _receive(connection, _RECEIVED_AT_ONCE, stamped=stamped)
        end = data.find(b"\r\n\r\n")
        head = data[: end + 2]
        known = self._heads.get(head)
        if known is None and (end < 0 or (known := self._learn(head)) is None):
            return _unusual_answer(connection, data)
        status, length = known
        body = data[end + 4 :]
        if len(body) > length:
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

    def _learn(self, head: bytes) -> _StatusAndLength | None:
        """Return what a usual head says, and keep it for the next one that is the same; None for an unusual one."""
        if _USUAL_HEAD.match(head) is None:
            return None
        lengths = _LENGTH.findall(head)
        if len(lengths) != 1 or _UNUSUAL.search(head) is not None:
            return None
        status, length = int(head[9:12]), int(lengths[0])
        if status in {204, 304} or length > _BODY_BYTES_MAXIMUM:
            return None
        if len(self._heads) >= _HEADS_KEPT:
            # Each has a date or an id of its own.
            self._heads.clear()
        if len(head) <= _KEPT_BYTES_MAXIMUM:
            self._heads[head] = status, length
        return status, length


def _receive(connection: socket.socket, most: int, *, stamped: bool) -> tuple[bytes, Ancillary]:
    if not stamped:
        return connection.recv(most), ()
    data, ancillary, _, _ = connection.recvmsg(most, ANCILLARY_BYTES)
    return data, ancillary


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
