"""The parent's side of ``laboratory``: requests on their way to environments' processes, and answers on their way back.

Nothing blocks but one wait for all environments at once, so that neither side can wait for ever on full buffers.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from gatecrash.authorizers import wire
from gatecrash.authorizers.answers import handler_failed
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Invocation
from gatecrash.authorizers.errors import ApiError, GatecrashError, HandlerError, InvalidResponseError
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.laboratory.sockets import BEGUN, CHUNK_BYTES, EVENT, REPLY, wait_eagerly
from gatecrash.authorizers.limits import LAMBDA_PAYLOAD_BYTES_MAXIMUM
from gatecrash.authorizers.service.front import Front, answer_of_failure, answer_of_payload, time_out_error
from gatecrash.authorizers.service.lambda_platform import INIT_SECONDS_MAXIMUM, exit_reason

# Enough events ahead to keep an environment busy while this side makes the next, and few to make again if it dies.
_AHEAD: Final = 32


class Link:
    """The connection to one environment's process: ``name`` is the environment's, ``process`` the process's id.

    ``begun`` is when it was first heard of, by time.perf_counter. ``ended`` is true once nothing more comes of it.
    ``invoked`` says whether it has handled an event.
    """

    def __init__(self, name: str, process: int, connection: socket.socket) -> None:
        self.name = name
        self.process = process
        self.connection = connection
        self.begun: float | None = None
        self.ended = False
        self.invoked = False
        self._outgoing = bytearray()
        self._incoming = bytearray()

    @property
    def waits_to_write(self) -> bool:
        """Whether some of what was put has not been written."""
        return bool(self._outgoing)

    def put(self, event: bytes, seconds: float) -> None:
        """Add an event to what is to be written; ``flush`` writes it."""
        self._outgoing += EVENT.pack(len(event), seconds)
        self._outgoing += event

    def flush(self) -> None:
        """Write as much as the process's buffer takes."""
        # A process that has died is noticed where its last answers are read.
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while self._outgoing:
                del self._outgoing[: self.connection.send(self._outgoing)]

    def receive(self) -> bool:
        """Read what is there; returns whether there was anything, the end included."""
        try:
            chunk = self.connection.recv(CHUNK_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        self.ended = not chunk
        if chunk and self.begun is None:
            self.begun = time.perf_counter()
            chunk = chunk[len(BEGUN) :]
        self._incoming += chunk
        return True

    def replies(self) -> Iterator[tuple[float, bool, bytes]]:
        """Yield the complete replies: the handler's seconds, whether it failed, and its payload or the message."""
        while len(self._incoming) >= REPLY.size:
            size, seconds, is_failure = REPLY.unpack_from(self._incoming)
            if size > LAMBDA_PAYLOAD_BYTES_MAXIMUM:
                # The process never sends so much: the handler wrote to a descriptor that isn't its own.
                self.ended = True
                return
            end = REPLY.size + size
            if len(self._incoming) < end:
                return
            body = bytes(self._incoming[REPLY.size : end])
            del self._incoming[:end]
            yield seconds, is_failure, body

    def close(self) -> None:
        """Close the connection."""
        self.ended = True
        self.connection.close()


class SessionEnvironment(Protocol):
    """What a session needs of an environment."""

    def link(self) -> Link:
        """Return the running process, a new one if need be; raises HandlerError when that can't import the handler."""
        ...

    def end(self) -> int:
        """End the process; returns its exit code, minus a signal's number."""
        ...


class Session:
    """The requests for one environment: the first that isn't answered is at work, some more lie ahead in its process.

    ``seconds`` is the time that each may take. A process that ends or hangs answers for the request at work; those
    after it go to the next process.
    """

    def __init__(
        self,
        environment: SessionEnvironment,
        front: Front,
        requests: Sequence[AuthorizerRequest],
        seconds: float,
        dialect: Dialect | None = None,
    ) -> None:
        self._environment = environment
        self._front = front
        self._requests = requests
        self._seconds = seconds
        self._dialect = dialect
        self._answers: dict[int, Answer] = {}
        self._next = 0
        self._ahead: deque[int] = deque()
        self._link: Link | None = None
        self._since = 0.0

    @property
    def link(self) -> Link | None:
        """The process that has something to do, None when all is answered."""
        return self._link if self._ahead else None

    def remaining(self) -> float:
        """Return the seconds that the request at work may still take."""
        begun = self._link.begun if self._link is not None else None
        # A process that was just forked may have to wait for a processor.
        ends = self._since + INIT_SECONDS_MAXIMUM if begun is None else max(self._since, begun) + self._seconds
        return ends - time.perf_counter()

    def answers(self) -> list[Answer]:
        """Return the answers in the order of the requests."""
        return [self._answers[index] for index in range(len(self._requests))]

    def fill(self) -> None:
        """Put events ahead; ``flush`` sends them."""
        while len(self._ahead) < _AHEAD and self._next < len(self._requests):
            index, self._next = self._next, self._next + 1
            try:
                event = wire.encode(self._front.event(self._requests[index], self._dialect))
                self._link = self._environment.link()
            except ApiError as error:
                self._answers[index] = answer_of_failure(error, None)
                continue
            except HandlerError as error:
                self._answers[index] = answer_of_failure(handler_failed(str(error), "Runtime.ImportModuleError"), None)
                continue
            self._link.put(event, self._seconds)
            self._ahead.append(index)

    def flush(self, *, starts: bool = False) -> None:
        """Send what is put; ``starts`` when the environment had nothing to do before."""
        if self._link is not None and self._link.waits_to_write:
            if starts:
                self._since = time.perf_counter()
            self._link.flush()

    def pump(self) -> None:
        """Take the answers that are there, or the end of the environment, and send on."""
        link = self._link
        if link is None:
            return
        # What has come counts, however late this side looks.
        received = link.receive()
        for seconds, is_failure, body in link.replies():
            self._since = time.perf_counter()
            if seconds > self._seconds:
                self._environment.end()
                self._lose(link, time_out_error(self._seconds), seconds)
                break
            self._settle(link, seconds, body, is_failure=is_failure)
            if not self._ahead:
                break
        if self._ahead and self._link is link:
            if link.ended:
                reason = exit_reason(self._environment.end())
                error = handler_failed(f"Error: {reason}", "Runtime.ExitError")
                self._lose(link, error, time.perf_counter() - self._since)
            elif not received and self.remaining() <= 0:
                self._environment.end()
                self._lose(link, time_out_error(self._seconds), self._seconds)
        starts = not self._ahead
        self.fill()
        self.flush(starts=starts)

    def _settle(self, link: Link, seconds: float, body: bytes, *, is_failure: bool) -> None:
        index, invocation = self._ahead.popleft(), _invocation(link, seconds)
        if is_failure:
            error = InvalidResponseError(body.decode("utf-8", "surrogatepass"))
            self._answers[index] = answer_of_failure(error, invocation)
        else:
            self._answers[index] = answer_of_payload(self._requests[index], body, invocation)

    def _lose(self, link: Link, error: InvalidResponseError, seconds: float) -> None:
        self._answers[self._ahead.popleft()] = answer_of_failure(error, _invocation(link, seconds))
        # Those behind it were never begun.
        if self._ahead:
            self._next = self._ahead[0]
            self._ahead.clear()
        self._link = None

    def abandon(self) -> None:
        """End the environment: answers that nobody waits for any more would be taken for those of later requests."""
        self._ahead.clear()
        with contextlib.suppress(GatecrashError):
            self._environment.end()


def drive(sessions: Sequence[Session]) -> None:
    """Run sessions until all is answered, all at the same time."""
    try:
        for session in sessions:
            session.fill()
        for session in sessions:
            session.flush(starts=True)
        while active := [(link, session) for session in sessions if (link := session.link) is not None]:
            for session in _ready(active):
                session.pump()
    except BaseException:
        for session in sessions:
            session.abandon()
        raise


def _ready(active: Sequence[tuple[Link, Session]]) -> list[Session]:
    """Wait until something can be read or written, or a time is up; returns the sessions that it concerns."""
    poll = select.poll()
    for link, _ in active:
        poll.register(link.connection, select.POLLIN | (select.POLLOUT if link.waits_to_write else 0))
    wait_eagerly(poll)
    first = min(session.remaining() for _, session in active)
    ready = {descriptor for descriptor, _ in poll.poll(max(0, math.ceil(first * 1000)))}
    return [session for link, session in active if link.connection.fileno() in ready or session.remaining() <= 0]


def _invocation(link: Link, seconds: float) -> Invocation:
    cold, link.invoked = not link.invoked, True
    return Invocation(link.name, cold, seconds)
