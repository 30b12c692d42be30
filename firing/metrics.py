"""Live metrics of a run, where it is written: read off the total, handed to Prometheus and OpenTelemetry.

Nothing here may disturb firing: values are read in short pieces, sockets are gevent's, and who doesn't take the metrics
in time is told of once and left alone.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import gevent
from gevent.event import Event

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.live.metrics import Measured, RunFacts
from gatecrash.reports.live.metrics_settings import METRICS_LOG, MetricsSettings, metrics_settings, missing
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.plan.plan import Plan

if TYPE_CHECKING:
    from gatecrash.firing.metrics_otlp import Sender
    from gatecrash.firing.metrics_prometheus import Listener

_logger: Final = logging.getLogger(__name__)
# Who scrapes more often gets the same values again.
_FRESH_SECONDS: Final = 0.5
_SEND_SECONDS: Final = 30.0
_LAST_SEND_SECONDS: Final = 10.0
# A collector that failed before isn't worth waiting for.
_LAST_TRY_SECONDS: Final = 2.0


def live_metrics(plan: Plan, read: Callable[[], Measured]) -> LiveMetrics | None:
    """Return the metrics that a plan asks for, if any; Prometheus may scrape from then on.

    ``read`` returns the values of now. Raises UsageError where it can't be listened at the address, or where a library
    isn't installed.
    """
    wanted = metrics_settings(plan.info.settings.get("metrics", {}))
    # What fires phases is a part of a larger run, whose other parts no recording of Locust's knows.
    return LiveMetrics(wanted, Path(plan.run_folder), read) if wanted.any and not plan.phases else None


class LiveMetrics:
    """Lives in the process that writes the run folder. ``folder`` is where it says what there is to say."""

    def __init__(self, wanted: MetricsSettings, folder: Path, read: Callable[[], Measured]) -> None:
        self._wanted = wanted
        self._folder = folder
        self._read = read
        self._facts: RunFacts | None = None
        self._measured: Measured = {}
        self._measured_at = float("-inf")
        self._started = 0
        self._has_told = False
        self._fails = False
        self._ended = Event()
        self._sending: gevent.Greenlet | None = None
        self._exporting: gevent.Greenlet | None = None
        self._sender = _sender(wanted.otlp) if wanted.otlp is not None else None
        self._listener = _listener(wanted.prometheus, self) if wanted.prometheus is not None else None
        if self._listener is not None:
            self._tell(f"Metrics for Prometheus are at {self._listener.url}")
        if self._sender is not None:
            self._tell(f"Metrics are sent to {self._sender.url} every {wanted.interval:g} s")

    def _tell(self, sentence: str) -> None:
        _logger.info(sentence)
        if self._folder.is_dir():
            with (self._folder / METRICS_LOG).open("a", encoding="utf-8") as log:
                log.write(f"{sentence}\n")

    @property
    def facts(self) -> RunFacts | None:
        """Which run it is; None before the first one."""
        return self._facts

    def begin(self, info: RunInfo, folder: Path) -> None:
        """Begin a run, of which run.json tells ``info``."""
        self._facts = RunFacts.of(info, folder.name)
        self._started = time.time_ns()
        self._measured_at = float("-inf")
        if self._sender is not None:
            self._ended = Event()
            self._exporting = gevent.spawn(self._export, self._sender, self._ended)

    def measured(self) -> Measured:
        """Return the values of now, or of a moment ago."""
        if time.monotonic() - self._measured_at >= _FRESH_SECONDS:
            self._measured = self._read()
            self._measured_at = time.monotonic()
        return self._measured

    def _export(self, sender: Sender, ended: Event) -> None:
        while not ended.is_set():
            self._send(sender, _SEND_SECONDS)
            ended.wait(self._wanted.interval)

    def _send(self, sender: Sender, seconds: float) -> None:
        facts = self._facts
        if facts is None:
            return
        measured, now = self.measured(), time.time_ns()
        # A greenlet of its own, which may be ended: reading values may not.
        self._sending = gevent.spawn(sender.send, measured, facts, (self._started, now), seconds)
        self._sending.join()
        reason = self._sending.value
        # One that was ended has no reason.
        if not isinstance(reason, str):
            return
        self._fails = bool(reason)
        if reason and not self._has_told:
            self._has_told = True
            self._tell(f"Metrics can't be sent to {sender.url}: {reason}; the run is none the worse for it")

    def end(self) -> None:
        """End a run: send its last values, so that the collector's counts are the run's."""
        if self._sender is None or self._exporting is None:
            return
        self._ended.set()
        if self._sending is not None:
            self._sending.kill()
        self._exporting.join()
        self._exporting = None
        self._measured_at = float("-inf")
        self._send(self._sender, _LAST_TRY_SECONDS if self._fails else _LAST_SEND_SECONDS)

    def close(self, *, complete: bool) -> None:
        """Send the last values, and end everything; of a ``complete`` run Prometheus may have its last values too."""
        self.end()
        if self._sender is not None:
            self._sender.close()
        if self._listener is not None:
            self._measured_at = float("-inf")
            self._listener.close(self._wanted.linger if complete else 0.0)


def _sender(url: str) -> Sender:
    try:
        from gatecrash.firing.metrics_otlp import Sender
    except ImportError:
        raise missing("otlp") from None
    return Sender(url)


def _listener(address: tuple[str, int], metrics: LiveMetrics) -> Listener:
    try:
        from gatecrash.firing.metrics_prometheus import Listener
    except ImportError:
        raise missing("prometheus") from None
    try:
        return Listener(address, metrics)
    except OSError as error:
        # gevent puts the address into the text; a name that nobody knows has no number of the system's.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise UsageError(
            f"metrics.prometheus: can't listen at {address[0]}:{address[1]}: {reason}; name another address "
            "or port, or port 0 for a free one"
        ) from None
