"""The process that judges for the web page: started when it is first needed, asked in lines of JSON, one at a time.

Judging and rendering never share a process with firing, and know of much that what fires may not.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import gevent
from gevent import subprocess as waiting
from gevent.lock import RLock

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import GatecrashError

_STOP_SECONDS: Final = 5.0


class JudgingError(GatecrashError):
    """What is asked for can't be had, in a sentence."""


# Nothing in the person's folder may stand for a module of ours.
_COMMAND: Final = (sys.executable, "-P", "-m", "gatecrash.judging.live_judge")


class JudgingProcess:
    """The judging process, or another ``command`` that answers alike; it ends with this process."""

    def __init__(self, command: Sequence[str] = _COMMAND) -> None:
        self._command = command
        self._process: Any = None
        self._asking = RLock()
        self._closed = False

    def ask(self, question: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Return the answer to a question; others wait meanwhile.

        Raises JudgingError where there is none within so many seconds, or where it is one sentence that says why not.
        """
        with self._asking:
            if self._closed:
                raise JudgingError("Locust is ending")
            process = self._started()
            line = b""
            with gevent.Timeout(seconds, False):
                line = self._line_of(process, question)
            if not line.endswith(b"\n"):
                raise JudgingError(self._lost(process, seconds))
        answer: dict[str, Any] = wire.decode(line)
        if "error" in answer:
            raise JudgingError(answer["error"])
        return answer

    def _line_of(self, process: Any, question: Mapping[str, Any]) -> bytes:
        try:
            process.stdin.write(wire.encode(dict(question)) + b"\n")
            process.stdin.flush()
            line: bytes = process.stdout.readline()
        except OSError:
            return b""
        return line

    def _started(self) -> Any:
        """Return the process, started anew where it has ended."""
        if self._process is None or self._process.poll() is not None:
            self._process = waiting.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Ctrl-C is told to Locust, which has the last report written before it ends this process.
                start_new_session=True,
            )
        return self._process

    def _lost(self, process: Any, seconds: float) -> str:
        """End a process that gave no answer, and say how it was."""
        try:
            code = process.wait(timeout=0.5)
        except waiting.TimeoutExpired:
            self._end()
            return f"judging took more than {seconds:g} s"
        self._end()
        return f"the process that judges ended with exit code {code}"

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            pipe.close()
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=_STOP_SECONDS)
            except waiting.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._closed = True
        self._end()
