"""The user's Python handler in fresh processes of its own, as Lambda's execution environments are: fast, no network.

A zygote process imports the handler once and forks an environment within a millisecond or two, its globals as just
imported. Events go to it and answers come back through a socket; checks and judgement are made on this side. What a
fork shares nevertheless is what the import drew or opened: a time, a random number, a hash seed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gatecrash.authorizers.contract import Answer, AuthorizerRequest
from gatecrash.authorizers.errors import GatecrashError, HandlerError
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.laboratory.sessions import Link, Session, drive
from gatecrash.authorizers.laboratory.sockets import COMMAND, END, RESULT, START, receive_message
from gatecrash.authorizers.laboratory.zygote import ZYGOTE
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM
from gatecrash.authorizers.service.front import Front, HandlerSettings
from gatecrash.authorizers.service.lambda_platform import INIT_SECONDS_MAXIMUM, lambda_variables

_CLOSE_SECONDS: Final = 5.0
_NAME: Final = "gatecrash"
_REGION: Final = "us-east-1"


class Laboratory:
    """Fresh execution environments of one Python handler.

    ``forks`` says whether they are forked; where that isn't safe each is a new process that imports the handler, and
    ``warnings`` has a sentence on why. What handlers print is thrown away, since it may hold secrets. Environments
    may be used from many threads, each from one at a time.
    Raises HandlerError when the handler can't be imported.
    """

    def __init__(self, settings: HandlerSettings) -> None:
        self.front = Front(settings)
        self._lock = threading.Lock()
        self._links: set[Link] = set()
        self._started = 0
        # A command that was interrupted leaves an answer behind that the next one would take for its own.
        self._usable = False
        self._control, zygote_end = socket.socketpair()
        with zygote_end:
            arguments = [ZYGOTE, str(zygote_end.fileno()), str(os.getpid()), settings.handler]
            self._zygote = subprocess.Popen(
                [sys.executable, "-P", "-m", "gatecrash.authorizers.laboratory.zygote", *arguments],
                pass_fds=[zygote_end.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=lambda_variables(_NAME, _NAME, _REGION, Path(settings.handler).resolve().parent),
                start_new_session=True,
            )
        self._control.settimeout(INIT_SECONDS_MAXIMUM)
        try:
            warning = _read_ready(self._control, settings.handler)
        except BaseException:
            self._zygote.kill()
            self.close()
            raise
        self._usable = True
        self.warnings: tuple[str, ...] = (warning,) if warning else ()
        self.forks = not self.warnings
        self._handler = settings.handler

    def environment(self) -> IsolatedEnvironment:
        """Start a fresh environment.

        Raises HandlerError when it has to import the handler and can't, GatecrashError when the laboratory is closed
        or its process died.
        """
        return IsolatedEnvironment(self)

    def concurrently(
        self,
        requests: Sequence[AuthorizerRequest],
        environments: Sequence[IsolatedEnvironment],
        seconds: float = LAMBDA_SECONDS_MAXIMUM,
    ) -> list[Answer]:
        """Invoke each environment with the request at its place, all at the same time; ``seconds`` for each.

        Raises ValueError unless there are as many requests as environments, no environment twice.
        """
        if len(set(environments)) != len(environments):
            raise ValueError("an environment handles one request at a time")
        sessions = [
            Session(environment, self.front, [request], seconds)
            for request, environment in zip(requests, environments, strict=True)
        ]
        drive(sessions)
        return [answer for session in sessions for answer in session.answers()]

    def close(self) -> None:
        """End all environments and their processes, and wait for that; no invocation may be under way."""
        with self._lock:
            self._usable = False
            self._control.close()
            for link in self._links:
                link.close()
            self._links.clear()
            try:
                self._zygote.wait(_CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                self._zygote.kill()
                self._zygote.wait()

    def start_link(self) -> Link:
        """Start an environment's process; raises as ``environment`` does."""
        with self._lock:
            process, descriptors = self._ask(START)
            if process < 0 or not descriptors:
                raise GatecrashError(f"can't start an environment: {os.strerror(-process)}")
            self._started += 1
            link = Link(f"lab-{self._started}", process, socket.socket(fileno=descriptors[0]))
            self._links.add(link)
        try:
            if not self.forks:
                link.connection.settimeout(INIT_SECONDS_MAXIMUM)
                _read_ready(link.connection, self._handler)
        except BaseException:
            self.end_link(link)
            raise
        link.connection.setblocking(False)
        return link

    def end_link(self, link: Link) -> int:
        """End an environment's process and what it started; returns its exit code, minus a signal's number."""
        with self._lock:
            if link not in self._links:
                return -signal.SIGKILL
            self._links.remove(link)
            link.close()
            return self._ask(END, link.process)[0]

    def _ask(self, action: bytes, process: int = 0) -> tuple[int, list[int]]:
        if not self._usable:
            raise GatecrashError("the laboratory is closed, or its process died")
        self._usable = False
        try:
            self._control.sendall(COMMAND.pack(action, process))
            flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
            data, descriptors, _, _ = socket.recv_fds(self._control, RESULT.size, 1, flags)
        except OSError as error:
            raise GatecrashError(f"the laboratory's process died: {error}") from error
        if not data:
            raise GatecrashError("the laboratory's process died")
        self._usable = True
        return RESULT.unpack(data)[0], descriptors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


class IsolatedEnvironment:
    """One execution environment: its handler's globals stay from one invocation to the next, as long as it lives.

    One that exited, crashed or was killed for hanging is followed by a fresh one, with a name of its own, at the next
    invocation.
    """

    def __init__(self, laboratory: Laboratory) -> None:
        self.laboratory = laboratory
        self._closed = False
        self._link: Link | None = laboratory.start_link()

    def invoke(
        self, request: AuthorizerRequest, seconds: float = LAMBDA_SECONDS_MAXIMUM, dialect: Dialect | None = None
    ) -> Answer:
        """Put one request to the handler, which is killed when it takes longer than ``seconds``.

        ``dialect`` is the settings' unless told. Whatever the handler does is an answer's outcome; raises
        GatecrashError when the environment or the laboratory is closed.
        """
        return self.invoke_all((request,), seconds, dialect)[0]

    def invoke_all(
        self,
        requests: Sequence[AuthorizerRequest],
        seconds: float = LAMBDA_SECONDS_MAXIMUM,
        dialect: Dialect | None = None,
    ) -> list[Answer]:
        """Put requests to the handler one after the other, ``seconds`` for each; faster than one by one."""
        session = Session(self, self.laboratory.front, requests, seconds, dialect)
        drive([session])
        return session.answers()

    def link(self) -> Link:
        """Return the running process, a new one if need be; raises as ``Laboratory.environment`` does."""
        if self._closed:
            raise GatecrashError("the environment is closed")
        if self._link is None or self._link.ended:
            self._link = self.laboratory.start_link()
        return self._link

    def end(self) -> int:
        """End the process, so that the next invocation is a fresh environment's; returns its exit code."""
        link, self._link = self._link, None
        return self.laboratory.end_link(link) if link is not None else -signal.SIGKILL

    def close(self) -> None:
        """End the process for good."""
        self._closed = True
        with contextlib.suppress(GatecrashError):
            self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


def _read_ready(connection: socket.socket, handler: str) -> str | None:
    """Wait until a process has imported the handler; returns a warning. Raises HandlerError when it can't."""
    try:
        message = receive_message(connection)
    except TimeoutError:
        reason = f"importing {handler} takes longer than Lambda's {INIT_SECONDS_MAXIMUM:.0f} seconds"
        raise HandlerError(f"--handler: {reason}") from None
    if message is None:
        raise HandlerError(f"--handler: importing {handler} ended the process")
    if "error" in message:
        raise HandlerError(message["error"])
    warning: str | None = message.get("warning")
    return warning
