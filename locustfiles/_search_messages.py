"""Brings a capacity search and the processes that fire its steps together, in one process or over Locust's messages."""

from __future__ import annotations

import time
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from gatecrash.firing.messages import END_STEP, PROBE, READY, SEARCH_OVER, STEP, StepReport
from gatecrash.firing.search_control import CapacityControl
from gatecrash.firing.step_source import Probing
from gatecrash.locustfiles._recorder import RunRecorder
from gatecrash.locustfiles._state import state_of
from gatecrash.reports.capacity.probes import Step
from gatecrash.reports.recording import codec

_LOCAL: Final = "local"
_TICK_SECONDS: Final = 0.1
_TELL_SECONDS: Final = 1.0


def listen(runner: Any) -> None:
    """Prepare to hear of a search from the other side, where there is one."""
    if isinstance(runner, WorkerRunner):
        runner.register_message(STEP, lambda environment, msg, **_: _on_step(environment, msg.data))
        runner.register_message(END_STEP, lambda environment, **_: state_of(environment).probing.end_step())
        runner.register_message(SEARCH_OVER, lambda environment, **_: state_of(environment).probing.end())
    elif isinstance(runner, MasterRunner):
        runner.register_message(READY, lambda environment, msg, **_: _on_ready(environment, msg.node_id))
        runner.register_message(PROBE, lambda environment, msg, **_: _on_probe(environment, msg.node_id, msg.data))


def begin_search(environment: Environment) -> None:
    """Begin the search that the recorder's plan asks for, if it does."""
    recorder = state_of(environment).recorder
    if recorder is None or recorder.plan.capacity is None:
        return
    runner, firing = environment.runner, state_of(environment).firing
    started = time.perf_counter()
    if isinstance(runner, MasterRunner) and recorder.master is not None:
        master, register = runner, recorder.master.register
        control = CapacityControl(
            recorder.plan.capacity,
            begin=lambda step, apart, delay: master.send_message(
                STEP, {"step": codec.to_json(step), "apart": sorted(apart), "delay": delay}
            ),
            end=lambda: master.send_message(END_STEP),
            workers=lambda: register.firing,
            elapsed=lambda: time.perf_counter() - started,
            sleep=gevent.sleep,
            users=recorder.plan.users,
        )
    else:
        assert firing is not None  # noqa: S101 - the only process fires
        control = CapacityControl(
            recorder.plan.capacity,
            begin=state_of(environment).probing.begin_step,
            end=state_of(environment).probing.end_step,
            workers=lambda: {_LOCAL},
            elapsed=lambda: firing.elapsed,
            sleep=lambda seconds: _sleep_and_tell(state_of(environment).probing, recorder, seconds),
            users=recorder.plan.users,
        )
    recorder.search = control
    recorder.searcher = gevent.spawn(_search, environment, control)


def tell_ready(environment: Environment) -> None:
    """Tell the master that this worker can fire steps, where there are any."""
    firing, runner = state_of(environment).firing, environment.runner
    if firing is not None and isinstance(firing.source, Probing) and runner is not None:
        runner.send_message(READY, {})


def _search(environment: Environment, control: CapacityControl) -> None:
    recorder = state_of(environment).recorder
    if recorder is not None and recorder.master is not None:
        while not recorder.master.register.firing <= recorder.ready:
            gevent.sleep(_TICK_SECONDS)
    control.run()
    if isinstance(environment.runner, MasterRunner):
        environment.runner.send_message(SEARCH_OVER)
    else:
        state_of(environment).probing.end()


def _sleep_and_tell(probing: Probing, recorder: RunRecorder, seconds: float) -> None:
    """Wait, and then have the search see what this process counted."""
    gevent.sleep(seconds)
    if recorder.search is not None:
        recorder.search.receive(_LOCAL, probing.report())


def _on_step(environment: Environment, data: dict[str, Any]) -> None:
    probing = state_of(environment).probing
    probing.begin_step(codec.from_json(data["step"], Step), frozenset(data["apart"]), data["delay"])
    gevent.spawn(_tell, environment, probing, data["step"]["number"])


def _tell(environment: Environment, probing: Probing, number: int) -> None:
    """Tell the master of a step, now and then, and at once when it is closed or finished."""
    told, last = (False, False), 0.0
    while not told[1] and (report := probing.report()).counts.step.number == number:
        now, ends = time.perf_counter(), (report.closed, report.finished)
        if ends != told or now - last >= _TELL_SECONDS:
            told, last = ends, now
            environment.runner.send_message(PROBE, report.encode())  # type: ignore[union-attr]
        gevent.sleep(_TICK_SECONDS)


def _on_ready(environment: Environment, client_id: str) -> None:
    if (recorder := state_of(environment).recorder) is not None:
        recorder.ready.add(client_id)


def _on_probe(environment: Environment, client_id: str, data: dict[str, Any]) -> None:
    recorder = state_of(environment).recorder
    if recorder is not None and recorder.search is not None:
        recorder.search.receive(client_id, StepReport.decode(data))
