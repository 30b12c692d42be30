"""The only listeners: they start firing with Locust's test and bring the workers' recordings home.

They are registered when this module is imported, once, which keeps a locustfile that Locust loads twice from
counting twice, and is early enough for ``quitting`` to see everything.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any, Final

import gevent
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from authorizers.errors import GatecrashError
from authorizers.targets.opening import open_target
from generators.corpus import Corpus
from locustfiles._arrivals import Share
from locustfiles._firing import Firing
from locustfiles._options import plan_from_options
from locustfiles._recorder import RunRecorder, let_fire
from locustfiles._state import state_of
from reports.plan import Plan

_TICK_SECONDS: Final = 0.5
_STATISTICS_SECONDS: Final = 0.25
_COLLECTED_AFTER: Final = (50_000, 20, 50)
_REPORT: Final = "gatecrash"
_FINISHED: Final = "gatecrash_finished"
_FAILED: Final = "gatecrash_failed"
_USAGE_EXIT_CODE: Final = 2


@events.init.add_listener
def on_init(environment: Environment, runner: Any, **_: Any) -> None:
    """Make the plan, and prepare to hear from workers."""
    environment.events.quit.add_listener(lambda **_: _on_quit(environment))
    if isinstance(runner, WorkerRunner):
        environment.events.report_to_master.add_listener(lambda data, **_: _report_to_master(environment, data))
        return
    try:
        state = state_of(environment)
        state.recorder = RunRecorder(lambda: state.firing, environment, plan_from_options(environment.parsed_options))
    except GatecrashError as error:
        _give_up(environment, error)
    if isinstance(runner, MasterRunner):
        runner.register_message(_FINISHED, _on_finished)
        runner.register_message(_FAILED, _on_failed)
        environment.events.worker_report.add_listener(
            lambda client_id, data, **_: _worker_report(environment, client_id, data)
        )


def _give_up(environment: Environment, error: GatecrashError) -> None:
    print(f"gatecrash: {error}", file=sys.stderr)
    environment.process_exit_code = _USAGE_EXIT_CODE
    sys.exit(_USAGE_EXIT_CODE)


@events.test_start.add_listener
def on_test_start(environment: Environment, **_: Any) -> None:
    """Begin the run; on the master also tell the workers the plan and each its share."""
    options: Any = environment.parsed_options
    runner = environment.runner
    recorder = state_of(environment).recorder
    try:
        if recorder is not None:
            recorder.start()
        if isinstance(runner, MasterRunner):
            assert recorder is not None  # noqa: S101 - the master always has one
            ids = sorted(recorder.workers)
            options.gatecrash_plan = recorder.plan.to_json()
            options.gatecrash_shares = {client_id: [place, len(ids)] for place, client_id in enumerate(ids)}
        elif isinstance(runner, WorkerRunner):
            share = options.gatecrash_shares.get(runner.client_id)
            if share is None:
                raise GatecrashError("a worker that joined after the start has no share of the schedule")
            _start_firing(environment, Plan.from_json(options.gatecrash_plan), Share(*share))
            gevent.spawn(_announce_end, environment)
        elif recorder is not None:
            _start_firing(environment, recorder.plan, Share(0, 1))
    except GatecrashError as error:
        if isinstance(runner, WorkerRunner):
            runner.send_message(_FAILED, {"sentence": str(error)})
        else:
            _give_up(environment, error)


def _start_firing(environment: Environment, plan: Plan, share: Share) -> None:
    old = state_of(environment).firing
    if old is not None:
        old.close()
    corpus = Corpus(Path(plan.corpus))
    target = open_target(plan.target, connections=max(1, plan.users))
    # What is there by now stays: looking through it for garbage again and again would hold the firing up.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)
    state_of(environment).firing = Firing(plan, share, corpus, target)
    gevent.spawn(_add_to_statistics, environment)


def _add_to_statistics(environment: Environment) -> None:
    """Keep Locust's own table up to date."""
    firing = state_of(environment).firing
    while firing is not None and firing is state_of(environment).firing:
        gevent.sleep(_STATISTICS_SECONDS)
        firing.statistics.flush(environment)


def _announce_end(environment: Environment) -> None:
    """Tell the master as soon as this worker is done, rather than with its next report."""
    firing = state_of(environment).firing
    while firing is not None and not firing.finished:
        gevent.sleep(_TICK_SECONDS)
    if isinstance(environment.runner, WorkerRunner):
        environment.runner.send_message(_FINISHED, {})


def _on_finished(environment: Environment, msg: Any, **_: Any) -> None:
    recorder = state_of(environment).recorder
    if recorder is not None:
        recorder.finished.add(msg.node_id)


def _on_failed(environment: Environment, msg: Any, **_: Any) -> None:
    recorder = state_of(environment).recorder
    if recorder is not None:
        recorder.fail(f"a worker could not start: {msg.data['sentence']}")
        recorder.lost.add(msg.node_id)


def _report_to_master(environment: Environment, data: dict[str, Any]) -> None:
    """Put what was recorded since the last report into Locust's own."""
    firing = state_of(environment).firing
    if firing is not None:
        data[_REPORT] = {
            "recording": firing.take_recording(let_fire).encode(let_fire),
            "elapsed": firing.elapsed,
            "cpu": firing.cpu if firing.elapsed > 1 else 0.0,
            "finished": firing.finished,
        }


def _worker_report(environment: Environment, client_id: str, data: dict[str, Any]) -> None:
    recorder = state_of(environment).recorder
    if recorder is not None and _REPORT in data:
        recorder.receive(client_id, data[_REPORT])


@events.test_stopping.add_listener
def on_test_stopping(environment: Environment, **_: Any) -> None:
    """End the schedule; what is in flight may still come back within Locust's stop time-out."""
    firing = state_of(environment).firing
    if firing is not None:
        firing.stop()


@events.test_stop.add_listener
def on_test_stop(environment: Environment, **_: Any) -> None:
    """Write what there is when the test stops, for the web page, where the process lives on."""
    _finish(environment)


@events.quitting.add_listener
def on_quitting(environment: Environment, **_: Any) -> None:
    """Write what there is before anything is torn down."""
    _finish(environment)


def _finish(environment: Environment) -> None:
    firing = state_of(environment).firing
    if firing is not None:
        firing.statistics.flush(environment)
    recorder = state_of(environment).recorder
    if recorder is not None:
        recorder.finish()


def _on_quit(environment: Environment) -> None:
    """Write for the last time: by now the last reports of all workers are there."""
    _finish(environment)
    recorder, firing = state_of(environment).recorder, state_of(environment).firing
    if firing is not None:
        firing.close()
    if recorder is not None:
        recorder.close()
