"""Watching the memory of a run's processes on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import psutil

from gatecrash.authorizers import wire
from gatecrash.reports.course.memory import MEMORY, MemorySample
from gatecrash.reports.recording import codec
from gatecrash.reports.run.folder import write_atomically

_INTERVAL_LEAST: Final = 2.0
_SAMPLES: Final = 400.0
GENERATOR: Final = "load generator"
WORKER: Final = "worker"
GATEWAY: Final = "gateway"
ENVIRONMENT: Final = "execution environment"
COMMAND: Final = "gatecrash"


class MemoryLog:
    """Takes samples now and then, and keeps them in the run folder.

    ``load_generator`` and ``gateway`` are process ids; the children of the first are workers, those of the second
    execution environments.
    """

    def __init__(self, folder: Path, seconds: float, load_generator: int, gateway: int | None) -> None:
        self._path = folder / MEMORY
        self._interval = max(_INTERVAL_LEAST, seconds / _SAMPLES)
        self._next = 0.0
        self._roots = ((load_generator, GENERATOR, WORKER), (gateway, GATEWAY, ENVIRONMENT))
        self._samples: list[MemorySample] = []

    def look(self, elapsed: float) -> None:
        """Take samples when it is time to, ``elapsed`` seconds since the run's start."""
        if elapsed < self._next:
            return
        self._next = elapsed + self._interval
        self._take(elapsed, os.getpid(), COMMAND)
        for root, role, below in self._roots:
            if root is None:
                continue
            self._take(elapsed, root, role)
            for child in _children(root):
                self._take(elapsed, child, below)
        if self._path.parent.is_dir():
            write_atomically(self._path, wire.encode(codec.to_json(self._samples)))

    def _take(self, elapsed: float, process_id: int, role: str) -> None:
        try:
            memory = psutil.Process(process_id).memory_info()
        except psutil.Error:
            return
        private = memory.rss - getattr(memory, "shared", 0)
        self._samples.append(MemorySample(round(elapsed, 1), role, process_id, private))


def _children(process_id: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(process_id).children(recursive=True)]
    except psutil.Error:
        return []
