"""Standard output whose reader may leave, as ``head`` does: the command goes on to its end and its exit code."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class _ForgivingFile(io.FileIO):
    """A file whose bytes go nowhere once nobody reads them any more."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


def prepare_streams() -> None:
    """Make standard output and error take any text, and outlive their readers."""
    sys.stdout, sys.stderr = (_prepare(stream) for stream in (sys.stdout, sys.stderr))


def _prepare(stream: Any) -> Any:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    file = io.BufferedWriter(_ForgivingFile(stream.fileno(), "w", closefd=False))
    # Client ids and policies hold any character; a terminal that can't show one gets its escape.
    return io.TextIOWrapper(
        file,
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
