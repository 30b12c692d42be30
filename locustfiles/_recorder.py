"""Writes the run folder while Locust runs: gathers what was recorded here and by workers, checkpoints, ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.runners import MasterRunner

from authorizers.targets.local import LocalGateway
from locustfiles._firing import Firing
from locustfiles._options import with_overrides
from reports.plan import Plan
from reports.progress import PROGRESS, write_progress
from reports.recording import Recording
from reports.run_folder import RunFolder, RunInfo, RunState

_TICK_SECONDS: Final = 0.5
_CHECKPOINT_SECONDS: Final = 2.0
# So long after a checkpoint for each second that it took to write: a long ledger must not take a core from firing.
_PAUSE_FACTOR: Final = 50
_STEP_SECONDS: Final = 0.001
_USAGE_EXIT_CODE: Final = 2


class RunRecorder:
    """Lives in the process that writes the run folder: the master, or the only process."""

    def __init__(self, firing: Callable[[], Firing | None], environment: Environment, plan: Plan) -> None:
        self._firing = firing
        self.environment = environment
        self.plan = plan
        self.gateway: LocalGateway | None = None
        self._reset()

    def _reset(self) -> None:
        self.folder: RunFolder | None = None
        self.total = Recording()
        self.workers: set[str] = set()
        self.lost: set[str] = set()
        self.finished: set[str] = set()
        self.incidents: list[str] = []
        self.cpu = 0.0
        self.elapsed = 0.0
        self.complete = False
        self.unwritable = False
        self._checkpoints = 0
        self._checkpoint_seconds = 0.0

    def start(self) -> None:
        """Begin a run: a folder, its run.json, and the checkpoints. A second test in the web page is a new run."""
        self._reset()
        options = self.environment.parsed_options
        self.plan = with_overrides(self.plan, options) if options else self.plan
        self.folder = self._folder()
        self._start_gateway()
        runner = self.environment.runner
        self.workers = set(runner.clients.keys()) if isinstance(runner, MasterRunner) else {"local"}
        info = {**self.plan.info, "plan": {**self.plan.info["plan"], **_plan_facts(self.plan)}}
        self.folder.write_info(RunInfo(**{**info, "started_at": datetime.now(UTC).isoformat(timespec="seconds")}))
        self.checkpoint()
        gevent.spawn(self._watch, self.folder)

    def _folder(self) -> RunFolder:
        wanted = Path(self.plan.run_folder)
        if not (wanted / "run.json").exists():
            wanted.mkdir(parents=True, exist_ok=True)
            return RunFolder(wanted)
        return RunFolder.create(wanted.parent, self.plan.info["name"], datetime.now(UTC))

    def _start_gateway(self) -> None:
        settings = self.plan.target.get("gateway")
        if settings is None:
            return
        if self.gateway is None:
            self.gateway = LocalGateway(settings)
        target = {name: value for name, value in self.plan.target.items() if name != "gateway"}
        self.plan = replace(self.plan, target={**target, "endpoint_url": self.gateway.url})

    def _watch(self, folder: RunFolder) -> None:
        written = 0.0
        while self.folder is folder and not self.complete:
            gevent.sleep(_TICK_SECONDS)
            self._gather()
            if self.elapsed - written >= max(_CHECKPOINT_SECONDS, _PAUSE_FACTOR * self._checkpoint_seconds):
                self._write(lambda: self._checkpoint_stepwise(folder))
                written = self.elapsed
            if not self.unwritable:
                self._write(lambda: write_progress(folder.path, self.total, self.state()))
            if self.unwritable:
                # A load whose recording nobody can read is for nothing.
                self._end_test()
                return
            if self._all_finished():
                self.complete = True
                self._end_test()
            elif self.plan.parent is not None and os.getppid() != self.plan.parent:
                # Whoever wanted this run was killed: nobody would end it, or read its report, in time.
                self._end_test()
                return

    def _gather(self) -> None:
        """Take what the slots of this process recorded, and look after the workers."""
        firing = self._firing()
        if firing is not None:
            self.total.add(firing.take_recording())
            self.elapsed, self.cpu = firing.elapsed, max(self.cpu, firing.cpu if firing.elapsed > 1 else 0.0)
            if firing.finished:
                self.finished.add("local")
        runner = self.environment.runner
        if isinstance(runner, MasterRunner):
            self.lost |= {client.id for client in runner.clients.missing if client.id in self.workers}

    def _all_finished(self) -> bool:
        return bool(self.finished) and self.workers <= self.finished | self.lost

    def _end_test(self) -> None:
        runner = self.environment.runner
        if runner is None:
            return
        if self.environment.web_ui is None:
            runner.quit()
        else:
            runner.stop()

    def receive(self, client_id: str, data: dict[str, Any]) -> None:
        """Add what a worker sent."""
        self.total.add(Recording.decode(data["recording"]))
        self.elapsed = max(self.elapsed, data["elapsed"])
        self.cpu = max(self.cpu, data["cpu"])
        if data["finished"]:
            self.finished.add(client_id)

    def fail(self, message: str) -> None:
        """Note that a worker could not start."""
        self.incidents.append(message)

    def state(self) -> RunState:
        """Return how far the run got."""
        return RunState(
            elapsed=self.elapsed,
            complete=self.complete,
            workers=len(self.workers),
            workers_lost=len(self.lost),
            cpu=self.cpu,
            incidents=tuple(dict.fromkeys(self.incidents)),
        )

    def checkpoint(self) -> None:
        """Write what there is; safe to call at any time and again."""
        if (folder := self.folder) is not None:
            self._checkpoints += 1
            self._write(lambda: folder.checkpoint(self.total, self.state()))

    def _checkpoint_stepwise(self, folder: RunFolder) -> None:
        """Write what there is, and let the slots fire in between; a checkpoint that is written meanwhile is newer."""
        self._checkpoints += 1
        number, spent, resumed = self._checkpoints, 0.0, time.perf_counter()
        # What workers send comes at any time, but a process that has workers doesn't fire.
        fires = not isinstance(self.environment.runner, MasterRunner)
        with closing(folder.checkpoint_in_steps(self.total, self.state())) as steps:
            for _ in steps:
                step = time.perf_counter() - resumed
                if fires and step >= _STEP_SECONDS:
                    spent += step
                    gevent.sleep(0)
                    resumed = time.perf_counter()
                if number != self._checkpoints:
                    return
        self._checkpoint_seconds = spent + time.perf_counter() - resumed

    def _write(self, write: Callable[[], None]) -> None:
        """Write to the run folder; one that can't be written is told once."""
        try:
            write()
        except OSError as error:
            if not self.unwritable and self.folder is not None:
                sentence = f"can't write to the run folder {self.folder.path}: {error.strerror}; the run ends"
                print(f"gatecrash: {sentence}", file=sys.stderr)
                self.incidents.append(sentence)
                self.environment.process_exit_code = _USAGE_EXIT_CODE
            self.unwritable = True

    def finish(self) -> None:
        """Gather and write for the last time."""
        self._gather()
        if self._all_finished():
            self.complete = True
        self.checkpoint()
        if (folder := self.folder) is not None:
            self._write(lambda: write_progress(folder.path, self.total, self.state()))

    def close(self) -> None:
        """End the gateway that this process started, and take the live file away."""
        if self.gateway is not None:
            self.gateway.close()
        if self.folder is not None:
            (self.folder.path / PROGRESS).unlink(missing_ok=True)


def _plan_facts(plan: Plan) -> dict[str, Any]:
    names = ("model", "arrivals", "rate", "duration", "warm_up", "users", "patience", "wait_time")
    return {name: getattr(plan, name) for name in names}
