"""The only listeners: they start firing with Locust's test and bring the workers' recordings home.

They are registered when this module is imported, once, which keeps a locustfile that Locust loads twice from
counting twice, and is early enough for ``quitting`` to see everything.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, Final

import gevent
from locust import events, runners
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from gatecrash.authorizers.errors import USAGE_EXIT_CODE, GatecrashError, UsageError
from gatecrash.firing.arrivals import Share
from gatecrash.firing.firing import Firing, collect_seldom, open_firing
from gatecrash.firing.messages import LOCUST_LIVENESS
from gatecrash.firing.watcher import Watcher
from gatecrash.locustfiles._master import Greetings
from gatecrash.locustfiles._options import plan_from_options, propose_users
from gatecrash.locustfiles._recorder import RunRecorder
from gatecrash.locustfiles._search_messages import begin_search, listen, tell_ready
from gatecrash.locustfiles._shapes import CapacityShape
from gatecrash.locustfiles._state import state_of
from gatecrash.locustfiles._web import show_tab
from gatecrash.locustfiles._worker import Worker
from gatecrash.reports.plan.plan import Plan
from gatecrash.reports.run.folder import STOPPED_IN_WEB_PAGE, STOPPED_WITH_LOCUST

_TICK_SECONDS: Final = 0.25
_STATISTICS_SECONDS: Final = 0.25
_REPORT: Final = "gatecrash"


# Several seconds of a cut link must not end a run; Locust's own three would.
runners.HEARTBEAT_LIVENESS = LOCUST_LIVENESS


@events.init.add_listener
def on_init(environment: Environment, runner: Any, **_: Any) -> None:
    """Make the plan, and prepare to hear from workers."""
    state = state_of(environment)
    environment.events.quit.add_listener(lambda **_: _on_quit(environment))
    listen(runner)
    if isinstance(runner, WorkerRunner):
        state.worker = Worker(environment, runner)
        environment.events.report_to_master.add_listener(lambda data, **_: _report_to_master(environment, data))
        state.worker.join()
        return
    greetings = Greetings(runner) if isinstance(runner, MasterRunner) else None
    try:
        searches = isinstance(environment.shape_class, CapacityShape)
        plan = plan_from_options(environment.parsed_options, capacity=searches)
        propose_users(plan, environment.parsed_options)
        state.recorder = RunRecorder(lambda: state.firing, environment, plan)
        if state.recorder.master is not None and greetings is not None:
            state.recorder.master.listen(greetings)
        state.recorder.open_metrics()
        if environment.web_ui is not None:
            state.watcher = Watcher()
            show_tab(environment, state.watcher)
    except GatecrashError as error:
        _give_up(environment, error)
    if state.recorder is not None and state.recorder.master is not None:
        environment.events.worker_report.add_listener(
            lambda client_id, data, **_: _worker_report(environment, client_id, data)
        )
        gevent.spawn(_give_up_waiting, environment, state.recorder)


def _give_up_waiting(environment: Environment, recorder: RunRecorder) -> None:
    """Say in one sentence why there will be no run: a worker can't take part, or too few came.

    Locust itself would wait for another one, or end without a sentence.
    """
    options, runner, master = environment.parsed_options, environment.runner, recorder.master
    if options is None or not options.headless or master is None or not isinstance(runner, MasterRunner):
        return
    waited = 0.0
    while not recorder.preparing:
        gevent.sleep(_TICK_SECONDS)
        waited += _TICK_SECONDS
        there, limit = len(runner.clients.ready), options.expect_workers_max_wait
        if master.refusal is not None:
            _give_up(environment, UsageError(master.refusal))
        elif limit and waited >= limit and there < options.expect_workers:
            _give_up(environment, UsageError(_too_few(there, options.expect_workers, options)))


def _too_few(there: int, wanted: int, options: Any) -> str:
    return (
        f"{there} of {wanted} workers came within {options.expect_workers_max_wait:g} s to "
        f"{options.master_bind_host}:{options.master_bind_port}: start more with `gatecrash worker`, which must "
        "reach that address"
    )


def _give_up(environment: Environment, error: GatecrashError) -> None:
    print(f"gatecrash: {error}", file=sys.stderr)
    environment.process_exit_code = USAGE_EXIT_CODE
    recorder = state_of(environment).recorder
    if recorder is not None and recorder.master is not None:
        recorder.master.dismiss(error)
    sys.exit(USAGE_EXIT_CODE)


@events.test_start.add_listener
def on_test_start(environment: Environment, **_: Any) -> None:
    """Begin the run, or say why it can't begin."""
    state = state_of(environment)
    worker, watcher = state.worker, state.watcher
    if watcher is not None:
        watcher.starting()
    try:
        _begin(environment)
    except GatecrashError as error:
        if worker is not None:
            worker.failed(error)
        elif watcher is not None:
            _refuse(environment, watcher, error)
        else:
            _give_up(environment, error)
    finally:
        if watcher is not None:
            watcher.called_off()


def _begin(environment: Environment) -> None:
    """Begin the run; on the master also tell the workers the plan and each its share."""
    options: Any = environment.parsed_options
    state = state_of(environment)
    recorder, worker = state.recorder, state.worker
    if recorder is not None:
        recorder.start()
        if recorder.master is not None:
            options.gatecrash_plan = recorder.plan.to_json()
            options.gatecrash_shares = recorder.master.register.shares
            options.gatecrash_run = recorder.master.run
            collect_seldom()
        else:
            _start_firing(environment, recorder.plan, Share(0, 1))
        begin_search(environment)
        if state.watcher is not None and recorder.folder is not None:
            state.watcher.started(recorder.folder.path)
    elif worker is not None:
        share = options.gatecrash_shares.get(worker.client_id)
        if share is None or worker.corpus is None:
            raise UsageError("a worker that joined after the start has no share of the schedule")
        plan = replace(Plan.from_json(options.gatecrash_plan), corpus=str(worker.corpus))
        worker.fire(_start_firing(environment, plan, Share(*share)), options.gatecrash_run)
        tell_ready(environment)


def _refuse(environment: Environment, watcher: Watcher, error: GatecrashError) -> None:
    """Say in the web page why a test can't start, and don't start it: the next one may be right."""
    watcher.refused(str(error))
    print(f"gatecrash: {error}", file=sys.stderr)
    runner = environment.runner
    if runner is not None and runner.shape_greenlet is not None:
        runner.shape_greenlet.kill(block=False)
        runner.shape_greenlet = None
    # An error would be logged, and users started all the same: this ends whoever starts them.
    raise gevent.GreenletExit


def _start_firing(environment: Environment, plan: Plan, share: Share) -> Firing:
    old = state_of(environment).firing
    if old is not None:
        old.close()
    firing = state_of(environment).firing = open_firing(plan, share)
    firing.start()
    gevent.spawn(_add_to_statistics, environment)
    return firing


def _add_to_statistics(environment: Environment) -> None:
    """Keep Locust's own table up to date."""
    firing = state_of(environment).firing
    while firing is not None and firing is state_of(environment).firing:
        gevent.sleep(_STATISTICS_SECONDS)
        state_of(environment).statistics.flush(environment)


def _report_to_master(environment: Environment, data: dict[str, Any]) -> None:
    """Put what was recorded since the last report into Locust's own."""
    worker = state_of(environment).worker
    if worker is not None and (report := worker.report()) is not None:
        data[_REPORT] = report


def _worker_report(environment: Environment, client_id: str, data: dict[str, Any]) -> None:
    recorder = state_of(environment).recorder
    if recorder is not None and recorder.master is not None and _REPORT in data:
        recorder.master.receive(client_id, data[_REPORT])


@events.test_stopping.add_listener
def on_test_stopping(environment: Environment, **_: Any) -> None:
    """End the schedule; what is in flight may still come back within Locust's stop time-out."""
    state = state_of(environment)
    if state.watcher is not None:
        state.watcher.ending()
    if state.worker is not None:
        state.worker.stop()
    elif state.recorder is not None and state.recorder.master is not None:
        state.recorder.master.stop()
    elif state.firing is not None:
        state.firing.stop()


@events.test_stop.add_listener
def on_test_stop(environment: Environment, **_: Any) -> None:
    """Write what there is when the test stops, for the web page, where the process lives on."""
    _finish(environment, STOPPED_IN_WEB_PAGE)
    state = state_of(environment)
    # At Locust's end the last reports of workers are still to come.
    if state.watcher is not None and not state.quitting:
        state.watcher.ended()


@events.quitting.add_listener
def on_quitting(environment: Environment, **_: Any) -> None:
    """Write what there is before anything is torn down."""
    state_of(environment).quitting = True
    _finish(environment, STOPPED_WITH_LOCUST)
    worker = state_of(environment).worker
    if worker is not None:
        worker.quitting()


def _finish(environment: Environment, stopped_by: str) -> None:
    state_of(environment).statistics.flush(environment)
    recorder = state_of(environment).recorder
    if recorder is not None:
        recorder.finish(stopped_by if environment.web_ui is not None else None)


def _on_quit(environment: Environment) -> None:
    """Write for the last time: by now the last reports of all workers are there."""
    _finish(environment, STOPPED_WITH_LOCUST)
    state = state_of(environment)
    recorder, firing = state.recorder, state.firing
    if firing is not None:
        firing.close()
    if recorder is not None:
        recorder.close()
    if state.watcher is not None:
        state.watcher.ended()
        state.watcher.close()
