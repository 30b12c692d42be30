"""The child side of ``laboratory``: a zygote that has imported the handler once, and the environments it forks.

Started as ``python -m gatecrash.authorizers.laboratory.zygote ROLE DESCRIPTOR PARENT HANDLER``: the role, the
number of an inherited socket, the id of the process that started it, and the handler's location. Both roles first send
one message, 4 bytes of length and a JSON object: ``error`` when the handler can't be imported, ``warning`` when the
zygote can't fork it safely. Then a zygote does commands and an environment handles events, each until its socket ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import random
import select
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.answers import handler_failed
from gatecrash.authorizers.errors import HandlerError, InvalidResponseError
from gatecrash.authorizers.laboratory.python_handler import (
    Handler,
    LambdaContext,
    error_of_exception,
    load_handler,
    payload_of,
)
from gatecrash.authorizers.laboratory.sockets import (
    BEGUN,
    CHUNK_BYTES,
    COMMAND,
    END,
    EVENT,
    REPLY,
    RESULT,
    receive_exactly,
    send_message,
    wait_eagerly,
)
from gatecrash.authorizers.limits import LAMBDA_PAYLOAD_BYTES_MAXIMUM
from gatecrash.authorizers.service.lambda_platform import RESPONSE_TOO_LARGE

ZYGOTE: Final = "zygote"
ENVIRONMENT: Final = "environment"
_PR_SET_PDEATHSIG: Final = 1
_SLOWER: Final = "so every environment is a new process that imports it again, which takes longer than a fork"


def _death_signal() -> Callable[[int], object]:
    """Return what asks the kernel for a signal when this process's parent dies; only Linux has a call for it."""
    if sys.platform != "linux":
        return lambda number: number
    prctl = ctypes.CDLL(None).prctl
    return lambda number: prctl(_PR_SET_PDEATHSIG, number)


_on_parent_death: Final = _death_signal()


def _die_with(parent: int) -> None:
    _on_parent_death(signal.SIGKILL)
    if os.getppid() != parent:
        # It died before the kernel was asked.
        os._exit(1)


class _Zygote:
    """Starts and ends environments as the parent wants it.

    It alone waits for them: a process's id stays its own until the parent has said that it is done with it.
    """

    def __init__(self, control: socket.socket, parent: int, location: str, *, forks: bool) -> None:
        self._control = control
        self._parent = parent
        self._location = location
        self._forks = forks
        self._own_id = os.getpid()
        self._processes: set[int] = set()
        # The kernel's signal comes when the thread ends that started this process, too: then it counts for nothing.
        self._handlers_own = signal.signal(signal.SIGTERM, self._check_parent) or signal.SIG_DFL
        _on_parent_death(signal.SIGTERM)

    def run(self) -> int | None:
        """Do commands. Returns in every forked child with its socket, and in the zygote with None at the end."""
        # A parent that dies may do so while a command is done.
        with contextlib.suppress(ConnectionError):
            while (command := receive_exactly(self._control, COMMAND.size)) is not None:
                action, process = COMMAND.unpack(command)
                if action == END:
                    self._control.sendall(RESULT.pack(self._end(process)))
                elif (descriptor := self._start()) is not None:
                    return descriptor
        self._end_all()
        return None

    def _start(self) -> int | None:
        parent_end, child_end = socket.socketpair()
        with parent_end, child_end:
            try:
                process = os.fork() if self._forks else self._spawn(child_end)
            except OSError as error:
                self._control.sendall(RESULT.pack(-(error.errno or 1)))
                return None
            if process == 0:
                return self._become_environment(child_end)
            _own_group(process)
            self._processes.add(process)
            socket.send_fds(self._control, [RESULT.pack(process)], [parent_end.fileno()])
        return None

    def _spawn(self, connection: socket.socket) -> int:
        connection.set_inheritable(True)
        arguments = [ENVIRONMENT, str(connection.fileno()), str(os.getpid()), self._location]
        command = [sys.executable, "-P", "-m", "gatecrash.authorizers.laboratory.zygote", *arguments]
        return os.posix_spawn(sys.executable, command, os.environ, setpgroup=0)

    def _become_environment(self, connection: socket.socket) -> int:
        signal.signal(signal.SIGTERM, self._handlers_own)
        _own_group(0)
        _die_with(self._own_id)
        self._control.close()
        # Python does it after a fork, too; what else a handler drew or seeded at import is the same in all forks.
        random.seed()
        return connection.detach()

    def _end(self, process: int) -> int:
        # A process that exits by itself keeps its exit code: the signal comes too late for it.
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(process, signal.SIGKILL)
        self._processes.discard(process)
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    def _end_all(self) -> None:
        for process in tuple(self._processes):
            self._end(process)

    def _check_parent(self, *_: object) -> None:
        if os.getppid() != self._parent:
            self._end_all()
            os._exit(0)


def _own_group(process: int) -> None:
    """Give a process its own group, so that what it starts can be ended with it; both sides do it, who comes first."""
    with contextlib.suppress(OSError):
        os.setpgid(process, 0)


def _files() -> Iterator[tuple[int, int]]:
    for path in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):
            status = os.fstat(int(path.name))
            if not stat.S_ISCHR(status.st_mode) and not stat.S_ISDIR(status.st_mode):
                yield status.st_dev, status.st_ino


def _threads() -> int:
    """Count threads, on Linux also those that Python knows nothing of."""
    known = threading.active_count()
    return max(known, sum(1 for _ in Path("/proc/self/task").iterdir())) if sys.platform == "linux" else known


def _obstacle(files_before: set[tuple[int, int]]) -> str | None:
    """Say what of an imported handler a fork would share or lose."""
    if _threads() > 1:
        return f"the handler starts threads when it is imported, {_SLOWER}"
    if set(_files()) - files_before:
        return f"the handler keeps files or connections open when it is imported, {_SLOWER}"
    return None


def _load(connection: socket.socket, location: str) -> Handler:
    """Import the handler; one that can't be is told to the other side, and ends this process."""
    # Lambda's task root stays on the path, also for what the handler imports later.
    sys.path.insert(0, str(Path(location.partition(":")[0]).resolve().parent))
    try:
        return load_handler(location)
    except HandlerError as error:
        send_message(connection, error=str(error))
        sys.exit(1)


def _serve(descriptor: int, handler: Handler) -> None:
    """Handle events until the other side closes its end.

    The socket stays a bare descriptor, which only the end of the process closes: were it closed before, the other
    side would kill the process rather than learn its exit code.
    """
    _write(descriptor, BEGUN)
    buffer = bytearray()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        if not buffer:
            wait_eagerly(poll)
        while len(buffer) < EVENT.size:
            _fill(descriptor, buffer)
        size, seconds = EVENT.unpack_from(buffer)
        end = EVENT.size + size
        while len(buffer) < end:
            _fill(descriptor, buffer)
        event = bytes(buffer[EVENT.size : end])
        del buffer[:end]
        _write(descriptor, _reply(handler, event, seconds))


def _fill(descriptor: int, buffer: bytearray) -> None:
    chunk = os.read(descriptor, CHUNK_BYTES)
    if not chunk:
        os._exit(0)
    buffer += chunk


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _reply(handler: Handler, body: bytes, seconds: float) -> bytes:
    event, context = wire.decode(body), LambdaContext(seconds)
    started = time.perf_counter()
    try:
        answer = handler(event, context)
    except Exception as error:  # noqa: BLE001 - the handler's own, whatever it is
        return _failure(time.perf_counter() - started, _error_that_fits(error))
    seconds_taken = time.perf_counter() - started
    try:
        payload = payload_of(answer)
    except InvalidResponseError as error:
        return _failure(seconds_taken, error)
    if len(payload) > LAMBDA_PAYLOAD_BYTES_MAXIMUM:
        return _failure(seconds_taken, handler_failed(RESPONSE_TOO_LARGE, "Function.ResponseSizeTooLarge"))
    return REPLY.pack(len(payload), seconds_taken, False) + payload


def _failure(seconds_taken: float, error: InvalidResponseError) -> bytes:
    message = (error.message or "").encode("utf-8", "surrogatepass")
    return REPLY.pack(len(message), seconds_taken, True) + message


def _error_that_fits(error: Exception) -> InvalidResponseError:
    """Lambda takes errors up to the limit of answers, too; of a longer one only the type arrives."""
    lambda_error = error_of_exception(error)
    size = len((lambda_error.message or "").encode("utf-8", "surrogatepass"))
    return lambda_error if size <= LAMBDA_PAYLOAD_BYTES_MAXIMUM else handler_failed("", type(error).__name__)


def main(arguments: list[str]) -> None:
    """Run one role; see the module for its arguments."""
    role, number, parent, location = arguments
    _die_with(int(parent))
    # Ctrl-C in a terminal is for the process that started this one, which then ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=int(number))
    files = set(_files())
    handler = _load(connection, location)
    if role == ENVIRONMENT:
        send_message(connection)
        _serve(connection.detach(), handler)
    warning = _obstacle(files)
    zygote = _Zygote(connection, int(parent), location, forks=warning is None)
    send_message(connection, warning=warning)
    # What is there before a fork needn't be looked at, and so copied, by any child's collector.
    gc.collect()
    gc.freeze()
    descriptor = zygote.run()
    if descriptor is not None:
        _serve(descriptor, handler)


if __name__ == "__main__":
    main(sys.argv[1:])
