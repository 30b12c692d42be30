"""How much of a core this process uses, window by window: an average over the whole run would hide a full core."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_WINDOW_SECONDS: Final = 5.0
_SHORTEST_SECONDS: Final = 1.0


class CpuMeter:
    """Measures from when it is made; ``tick`` it at least once in a few seconds.

    ``clock`` and ``used`` give seconds: of time, and of processor time that this process took.
    """

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, used: Callable[[], float] = time.process_time
    ) -> None:
        self._clock, self._used = clock, used
        self._highest: float | None = None
        self._began()

    def _began(self) -> None:
        self._start, self._used_at_start = self._clock(), self._used()

    def tick(self) -> None:
        """End the window when it is over, and begin the next one."""
        if self._clock() - self._start >= _WINDOW_SECONDS:
            self._highest = max(self._highest or 0.0, self._share())
            self._began()

    def _share(self) -> float:
        return (self._used() - self._used_at_start) / (self._clock() - self._start)

    @property
    def highest(self) -> float:
        """The highest share of one core in any window; of the first, unfinished one when it is a second old."""
        if self._highest is not None:
            return self._highest
        return self._share() if self._clock() - self._start >= _SHORTEST_SECONDS else 0.0
