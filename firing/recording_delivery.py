"""Brings a worker's recordings to the master: each of them once, in their order, whatever the network does.

The next one is taken only when the master has said that it has the one before; until then what is counted stays in the
tally, whose size doesn't grow with time, and the same bytes are sent again.
"""

from __future__ import annotations

from typing import Any

import gevent
from gevent.lock import RLock

from gatecrash.firing.cpu import CpuMeter
from gatecrash.firing.firing import Firing
from gatecrash.firing.pauses import let_fire
from gatecrash.reports.recording.latency import no_pause


class Delivery:
    """The recordings of one firing; ``run`` names the run, which the master tells them from an earlier one's by."""

    def __init__(self, firing: Firing, run: str) -> None:
        self._firing = firing
        self._run = run
        self._number = 0
        self._last: int | None = None
        self._waiting: list[tuple[int, float, bytes]] = []
        self._taking = RLock()
        self.meter = CpuMeter()

    def report(self, *, last: bool = False) -> dict[str, Any]:
        """Return what to send now. The ``last`` report has everything in it that is left."""
        self.meter.tick()
        # Locust may kill whoever asks: what is being taken must not be lost with it.
        gevent.spawn(self._take, last=last).get()
        return {
            "run": self._run,
            "reports": [list(one) for one in self._waiting],
            "last": self._last,
            "cpu": self.meter.highest,
            "finished": self._firing.finished,
        }

    def _take(self, *, last: bool) -> None:
        with self._taking:
            if self._last is None and (last or not self._waiting):
                self._number += 1
                elapsed = self._firing.elapsed
                pause = no_pause if last else let_fire
                recording = self._firing.take_recording(pause).encode(pause)
                self._waiting.append((self._number, elapsed, recording))
                self._last = self._number if last else None

    def taken(self, number: int) -> None:
        """Note that the master has all up to a number."""
        self._waiting = [one for one in self._waiting if one[0] > number]

    @property
    def done(self) -> bool:
        """Whether the master has everything."""
        return self._last is not None and not self._waiting
