"""One child process: started, its output drained, its end noticed, killed with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 1 << 16
_POLL_SECONDS: Final = 0.02
_LAUNCHER: Final = Path(__file__).parent / "launcher.py"


class ChildProcess:
    """A process in a group of its own.

    What it prints is read, so that it never blocks, and passed on to standard error only if asked. ``on_exit`` is
    called once, in the event loop, with the return code: negative for a signal.
    Raises OSError when the command can't be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        on_exit: Callable[[int], None],
        *,
        show_output: bool = False,
    ) -> None:
        self.return_code: int | None = None
        self._on_exit = on_exit
        self._show_output = show_output
        self._loop = asyncio.get_running_loop()
        self._output, write_end = os.pipe()
        try:
            # Not asyncio's own: that one starts a thread per process before Python 3.12, and waits for pipes that
            # a handler's grandchildren keep open.
            self._process = subprocess.Popen(
                _with_launcher(command),
                cwd=folder,
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except OSError:
            os.close(self._output)
            raise
        finally:
            os.close(write_end)
        os.set_blocking(self._output, False)
        self._loop.add_reader(self._output, self._drain)
        self._exit_fd = _pid_fd(self._process.pid)
        self._watch_exit()

    def _watch_exit(self) -> None:
        if self._exit_fd is not None:
            self._loop.add_reader(self._exit_fd, self._reap)
        else:
            self._loop.call_later(_POLL_SECONDS, self._poll)

    def _poll(self) -> None:
        if self.return_code is None and self._process.poll() is None:
            self._loop.call_later(_POLL_SECONDS, self._poll)
        else:
            self._reap()

    def _drain(self) -> None:
        try:
            chunk = os.read(self._output, _CHUNK_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            self._loop.remove_reader(self._output)
            return
        if self._show_output:
            sys.stderr.buffer.write(chunk)
            sys.stderr.buffer.flush()

    def _reap(self) -> None:
        if self.return_code is not None:
            return
        self.return_code = self._process.wait()
        self._kill_group()
        self._drain()
        self._loop.remove_reader(self._output)
        os.close(self._output)
        if self._exit_fd is not None:
            self._loop.remove_reader(self._exit_fd)
            os.close(self._exit_fd)
        self._on_exit(self.return_code)

    def _kill_group(self) -> None:
        # No such group: everything of it has ended. No permission: macOS says so of groups that end.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """Kill the process and what it started; its end is reported to ``on_exit`` as ever."""
        if self.return_code is None:
            self._kill_group()

    def close(self) -> None:
        """Kill the process and wait for its end, which comes at once after SIGKILL."""
        if self.return_code is None:
            self._kill_group()
            self._process.wait()
            self._reap()


def _with_launcher(command: Sequence[str]) -> list[str]:
    """Have the process die with this one. Only Linux has a call for it: elsewhere runtime clients end by themselves
    when the Runtime API is gone.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *command]


def _pid_fd(process_id: int) -> int | None:
    try:
        return os.pidfd_open(process_id)
    except (AttributeError, OSError):
        return None
