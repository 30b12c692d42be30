"""Writes the run folder while Locust runs: gathers what was recorded here and by workers, checkpoints, ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import gevent
from gevent.lock import RLock
from locust.env import Environment
from locust.runners import MasterRunner

from gatecrash.authorizers.errors import USAGE_EXIT_CODE
from gatecrash.authorizers.targets.local import LOOPBACK, LocalGateway, reachable
from gatecrash.firing.aborting import failed_sentence
from gatecrash.firing.cpu import CpuMeter
from gatecrash.firing.firing import Firing
from gatecrash.firing.metrics import LiveMetrics, live_metrics
from gatecrash.firing.pauses import let_fire
from gatecrash.firing.search_control import CapacityControl
from gatecrash.locustfiles._master import Master
from gatecrash.locustfiles._options import with_overrides
from gatecrash.reports.live.metrics import Measured, measure
from gatecrash.reports.plan.plan import Plan
from gatecrash.reports.recording.clocks import ClockWatch
from gatecrash.reports.recording.latency import Pause, no_pause
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.run.folder import RUN, RunFolder, RunState
from gatecrash.reports.run.progress import PROGRESS, write_progress

_TICK_SECONDS: Final = 0.5
_CHECKPOINT_SECONDS: Final = 2.0
# So long after a checkpoint for each second that it took to write: a long ledger must not take a core from firing.
_CHECKPOINT_FACTOR: Final = 20


class RunRecorder:
    """Lives in the process that writes the run folder: the master, or the only process."""

    def __init__(self, firing: Callable[[], Firing | None], environment: Environment, plan: Plan) -> None:
        self._firing = firing
        self.environment = environment
        self.plan = plan
        self.gateway: LocalGateway | None = None
        # Held by whoever changes or reads the total: there are pauses in it.
        self._total_lock = RLock()
        # Whether workers are being waited for, or were.
        self.preparing = False
        runner = environment.runner
        self.master = Master(environment, runner, plan) if isinstance(runner, MasterRunner) else None
        self._metrics: LiveMetrics | None = None
        self._reset()

    def open_metrics(self) -> None:
        """Open live metrics, where the plan asks for them; raises UsageError where they can't be had."""
        self._metrics = live_metrics(self.plan, self._measure)

    def _reset(self) -> None:
        self.folder: RunFolder | None = None
        self._own = Recording()
        self._finished = False
        self._ending = self._ended = self._ends_itself = False
        self.clocks = ClockWatch()
        self.incidents: list[str] = []
        self.meter = CpuMeter()
        self.elapsed = 0.0
        self.complete = False
        self.unwritable = False
        self._checkpoint_seconds = 0.0
        self.aborted_by = ""
        self.stopped_by: str | None = None
        self.search: CapacityControl | None = None
        self.searcher: gevent.Greenlet | None = None
        self.ready: set[str] = set()

    def start(self) -> None:
        """Begin a run: a folder, its run.json, and the checkpoints. A second test in the web page is a new run."""
        if self._metrics is not None:
            self._metrics.end()
        self._remove_progress()
        self._reset()
        options = self.environment.parsed_options
        self.plan = with_overrides(self.plan, options) if options else self.plan
        workers = []
        if self.master is not None:
            self.preparing = True
            workers = self.master.gather(self.plan.users)
        # First what may fail: a run that can't begin leaves no folder.
        self._start_gateway()
        self.folder = self._folder()
        if self.master is not None:
            self.master.begin(workers, self.plan)
        info = replace(self.plan.info, plan=self.plan.facts).starting_now()
        self.folder.write_info(info)
        self.checkpoint()
        if self._metrics is not None:
            self._metrics.begin(info, self.folder.path)
        gevent.spawn(self._watch, self.folder)

    @property
    def _pause(self) -> Pause:
        """What to do between short pieces of work: a master fires nothing, and takes workers' reports at any time."""
        return no_pause if self.master is not None or self._finished or self._ending else let_fire

    @property
    def total(self) -> Recording:
        """All that was recorded, here or by workers."""
        return self._own if self.master is None else self.master.total

    def _measure(self) -> Measured:
        """Read the values of live metrics off the total."""
        with self._total_lock:
            return measure(self.total, self.state(), self._pause)

    def _folder(self) -> RunFolder:
        wanted = Path(self.plan.run_folder)
        if not (wanted / RUN).exists():
            wanted.mkdir(parents=True, exist_ok=True)
            return RunFolder(wanted)
        return RunFolder.create(wanted.parent, self.plan.info.name, datetime.now(UTC))

    def _start_gateway(self) -> None:
        settings = self.plan.target.get("gateway")
        if settings is None:
            return
        if self.gateway is None:
            self.gateway = LocalGateway(reachable(settings, self._host()))
        self.plan = replace(self.plan, target=self.gateway.target_of(self.plan.target))

    def _host(self) -> str:
        """Return the address that workers reach this machine by, as far as it is known."""
        options = self.environment.parsed_options
        return options.master_bind_host if self.master is not None and options is not None else LOOPBACK

    def _watch(self, folder: RunFolder) -> None:
        written = 0.0
        while self.folder is folder and not self.complete and not self._ending:
            gevent.sleep(_TICK_SECONDS)
            self._gather()
            if self.elapsed - written >= max(_CHECKPOINT_SECONDS, _CHECKPOINT_FACTOR * self._checkpoint_seconds):
                self.checkpoint()
                written = self.elapsed
            if not self.unwritable:
                self._write(lambda: write_progress(folder.path, self.total, self.state(), self._pause))
            with self._total_lock:
                self.aborted_by = failed_sentence(self.plan, self.total, self.elapsed)
            if self.aborted_by:
                self._end_test()
                return
            if self.unwritable:
                # A load whose recording nobody can read is for nothing.
                self._end_test()
                return
            if self._all_finished():
                self.complete = self._is_complete()
                # A search is ended by its shape, as Locust would have it.
                if self.search is None:
                    self._end_test()
                return
            if self.plan.parent is not None and os.getppid() != self.plan.parent:
                # Whoever wanted this run was killed: nobody would end it, or read its report, in time.
                self._end_test()
                return

    def _gather(self) -> None:
        """Take what the slots of this process recorded, or look after the workers."""
        self.meter.tick()
        firing = self._firing()
        if firing is not None:
            with self._total_lock:
                self._own.add(firing.take_recording(self._pause), self._pause)
            self._finished = firing.finished
            # What is gathered after the end came before it.
            if not self._ended:
                self.elapsed = firing.elapsed
        if self.master is not None and self.folder is not None:
            self.master.look()
            self.total.clock_jumps += self.clocks.look(self.elapsed)
            self.elapsed = max((worker.reported for worker in self.master.register.facts()), default=0.0)
            if self.master.register.lost:
                self._end_search("the loss of a worker")

    def _end_search(self, reason: str) -> None:
        """End a search that can't go on, with what is known by now."""
        if self.search is None or self.search.result.complete:
            return
        if self.searcher is not None:
            self.searcher.kill(block=False)
        self.search.finish(reason)

    def _all_finished(self) -> bool:
        """Say whether nothing more is to come: all is fired, or whoever should fire it is lost."""
        return self._finished if self.master is None else self.master.register.settled

    def _end_test(self) -> None:
        self._ends_itself = True
        runner = self.environment.runner
        if runner is None:
            return
        if self.environment.web_ui is None:
            runner.quit()
        else:
            runner.stop()

    @property
    def _has_lost(self) -> bool:
        """Whether workers are lost: then a run is short of what they had, whoever ended it."""
        return self.master is not None and self.master.register.lost > 0

    def _is_complete(self) -> bool:
        return self._finished or (self.master is not None and self.master.register.any_finished)

    def state(self) -> RunState:
        """Return how far the run got."""
        state = RunState(
            elapsed=self.elapsed,
            complete=self.complete,
            incidents=tuple(dict.fromkeys(self.incidents)),
            aborted_by=self.aborted_by,
            stopped_by=self.stopped_by,
        )
        if self.master is None:
            return replace(state, workers=1, cpu=self.meter.highest)
        register = self.master.register
        facts = register.facts()
        return replace(
            state,
            workers=len(register),
            workers_lost=sum(worker.lost for worker in facts),
            cpu=max((worker.cpu for worker in facts), default=0.0),
            master_cpu=self.master.meter.highest,
            worker_facts=facts,
            incidents=tuple(dict.fromkeys((*self.incidents, *self.master.incidents))),
        )

    def checkpoint(self) -> None:
        """Write what there is; safe to call at any time and again."""
        if (folder := self.folder) is not None:
            started = time.perf_counter()
            self._write(lambda: folder.checkpoint(self.total, self.state(), self._pause))
            self._checkpoint_seconds = time.perf_counter() - started
            if (search := self.search) is not None:
                self._write(lambda: folder.write_capacity(search.result))

    def _write(self, write: Callable[[], None]) -> None:
        """Write to the run folder; one that can't be written is told once."""
        try:
            with self._total_lock:
                write()
        except OSError as error:
            if not self.unwritable and self.folder is not None:
                sentence = f"can't write to the run folder {self.folder.path}: {error.strerror}; the run ends"
                print(f"gatecrash: {sentence}", file=sys.stderr)
                self.incidents.append(sentence)
                self.environment.process_exit_code = USAGE_EXIT_CODE
            self.unwritable = True

    def finish(self, stopped_by: str | None = None) -> None:
        """Gather and write for the last time; ``stopped_by`` is what ends a run whose plan isn't fired to its end."""
        self._ending = True
        if self.master is not None:
            self.master.end()
        self._gather()
        if self.folder is not None and self._all_finished():
            self.complete = self._is_complete()
        if not (self._ended or self._ends_itself or self.complete or self._has_lost):
            self.stopped_by = stopped_by
        self._ended = True
        self.checkpoint()
        if (folder := self.folder) is not None:
            self._write(lambda: write_progress(folder.path, self.total, self.state(), self._pause))

    def close(self) -> None:
        """End the gateway that this process started, and live metrics, and take the live file away."""
        if self.gateway is not None:
            self.gateway.close()
        if self._metrics is not None:
            self._metrics.close(complete=self.complete)
        self._remove_progress()

    def _remove_progress(self) -> None:
        if self.folder is not None:
            (self.folder.path / PROGRESS).unlink(missing_ok=True)
