"""A worker's side of a distributed run: joining, preparing, delivering, and knowing when there is nothing to do."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner

from gatecrash.authorizers.errors import INVALID_EXIT_CODE, USAGE_EXIT_CODE, GatecrashError
from gatecrash.firing.firing import Firing
from gatecrash.firing.local_corpus import corpus_here
from gatecrash.firing.messages import (
    ENDED,
    FAILED,
    HELLO,
    MASTER_SILENT_SECONDS,
    PREPARE,
    PREPARED,
    RECORDS,
    REFUSED,
    STOP,
    TAKEN,
)
from gatecrash.firing.recording_delivery import Delivery
from gatecrash.reports.recording.workers import JOINED

_TICK_SECONDS: Final = 0.25
_AGAIN_SECONDS: Final = 1.0
# Answers that were asked for may still come: the longest time-out of a target is above this, but nobody waits so long.
_LAST_ANSWERS_SECONDS: Final = 6.0


class Worker:
    """Lives in a worker's process."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self._environment = environment
        self._runner = runner
        self._settings: str = getattr(environment.parsed_options, "settings", "")
        self._heard: float | None = None
        self._told = False
        self.corpus: Path | None = None
        self.firing: Firing | None = None
        self.delivery: Delivery | None = None
        self._stopping = False

    @property
    def client_id(self) -> str:
        """Locust's name for this worker."""
        return str(self._runner.client_id)

    def join(self) -> None:
        """Say who this is, and listen."""
        runner = self._runner
        runner.register_message(PREPARE, self._on_prepare, concurrent=True)
        runner.register_message(TAKEN, self._on_taken)
        runner.register_message(STOP, lambda **_: self.stop())
        runner.register_message(ENDED, lambda msg, **_: self.end(msg.data["sentence"], USAGE_EXIT_CODE))
        self._environment.events.heartbeat_received.add_listener(self._on_heartbeat)
        if self._settings:
            (Path(self._settings).parent / JOINED).touch()
        runner.send_message(HELLO, {"host": socket.gethostname(), "process_id": os.getpid()})
        gevent.spawn(self._watch_master)

    def _on_heartbeat(self, **_: Any) -> None:
        self._heard = time.monotonic()

    def _watch_master(self) -> None:
        while self._heard is None or time.monotonic() - self._heard < MASTER_SILENT_SECONDS:
            gevent.sleep(_TICK_SECONDS)
        master = f"the master at {self._runner.master_host}:{self._runner.master_port}"
        if self.delivery is not None and self.delivery.done:
            self.end(f"{master} is gone; it had all that this worker recorded", 0)
        elif self.firing is None:
            self.end(f"{master} was not heard for {MASTER_SILENT_SECONDS:.0f} s", USAGE_EXIT_CODE)
        else:
            self.end(
                f"{master} was not heard for {MASTER_SILENT_SECONDS:.0f} s: firing stopped, and what was recorded "
                "since it was last heard is lost",
                INVALID_EXIT_CODE,
            )

    def _on_prepare(self, msg: Any, **_: Any) -> None:
        try:
            self.corpus = corpus_here(msg.data["corpus"], self._settings, can_be_built=msg.data["can_be_built"])
        except GatecrashError as error:
            self._runner.send_message(REFUSED, {"sentence": str(error)})
            self.end(str(error), USAGE_EXIT_CODE)
        else:
            self._runner.send_message(PREPARED, {})

    def fire(self, firing: Firing, run: str) -> None:
        """Have a firing's recordings delivered, to the last of them."""
        self.firing, self._stopping = firing, False
        self.delivery = Delivery(firing, run)
        gevent.spawn(self._deliver_last, firing, self.delivery)

    def failed(self, error: GatecrashError) -> None:
        """Say on both sides why this worker can't begin."""
        self._runner.send_message(FAILED, {"sentence": str(error)})
        self.end(str(error), USAGE_EXIT_CODE)

    def report(self) -> dict[str, Any] | None:
        """Return what goes with Locust's next report."""
        if self.delivery is None or self.delivery.done:
            return None
        return self.delivery.report()

    def _on_taken(self, msg: Any, **_: Any) -> None:
        if self.delivery is not None:
            self.delivery.taken(msg.data["number"])

    def stop(self) -> None:
        """End the schedule; what is in flight may still come back."""
        if self.firing is not None and not self._stopping:
            self._stopping = True
            self.firing.stop()

    def _deliver_last(self, firing: Firing, delivery: Delivery) -> None:
        while not firing.finished and not self._stopping:
            delivery.meter.tick()
            gevent.sleep(_TICK_SECONDS)
        ends = time.monotonic() + _LAST_ANSWERS_SECONDS
        while firing.in_flight and time.monotonic() < ends:
            gevent.sleep(_TICK_SECONDS / 5)
        while not delivery.done:
            self._runner.send_message(RECORDS, delivery.report(last=True))
            ends = time.monotonic() + _AGAIN_SECONDS
            while not delivery.done and time.monotonic() < ends:
                gevent.sleep(_TICK_SECONDS / 25)

    def end(self, sentence: str, exit_code: int) -> None:
        """End this worker, and say why."""
        if not self._told:
            self._told = True
            print(f"gatecrash: {sentence}", file=sys.stderr)
            self._environment.process_exit_code = exit_code
        self._runner.quit()

    def quitting(self) -> None:
        """Send what is left, and say so when this worker never had anything to do."""
        self.stop()
        if self.delivery is not None and not self.delivery.done:
            self._runner.send_message(RECORDS, self.delivery.report(last=True))
        if self.firing is None and not self._told:
            self._told = True
            print("gatecrash: the master ended before this worker had a share of a run", file=sys.stderr)
            self._environment.process_exit_code = USAGE_EXIT_CODE
