"""Brings a capacity search and the processes that fire its steps together, in one process or over Locust's messages."""

from __future__ import annotations

import time
from typing import Any, Final

import gevent
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from gatecrash.firing.capacity import CapacityControl, Seen
from gatecrash.firing.firing import Firing
from gatecrash.locustfiles._recorder import RunRecorder
from gatecrash.locustfiles._state import state_of
from gatecrash.reports.capacity.probes import ProbeCounts, Step
from gatecrash.reports.recording.codec import from_json, to_json

_STEP: Final = "gatecrash_step"
_END: Final = "gatecrash_end_step"
_OVER: Final = "gatecrash_search_over"
_READY: Final = "gatecrash_ready"
_PROBE: Final = "gatecrash_probe"
_LOCAL: Final = "local"
_TICK_SECONDS: Final = 0.1
_TELL_SECONDS: Final = 1.0


def listen(runner: Any) -> None:
    """Prepare to hear of a search from the other side, where there is one."""
    if isinstance(runner, WorkerRunner):
        runner.register_message(_STEP, lambda environment, msg, **_: _on_step(environment, msg.data))
        runner.register_message(_END, lambda environment, **_: _on_end(environment))
        runner.register_message(_OVER, lambda environment, **_: _on_over(environment))
    elif isinstance(runner, MasterRunner):
        runner.register_message(_READY, lambda environment, msg, **_: _on_ready(environment, msg.node_id))
        runner.register_message(_PROBE, lambda environment, msg, **_: _on_probe(environment, msg.node_id, msg.data))


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
                _STEP, {"step": to_json(step), "apart": sorted(apart), "delay": delay}
            ),
            end=lambda: master.send_message(_END),
            workers=lambda: register.firing,
            elapsed=lambda: time.perf_counter() - started,
            sleep=gevent.sleep,
            users=recorder.plan.users,
        )
    else:
        assert firing is not None  # noqa: S101 - the only process fires
        control = CapacityControl(
            recorder.plan.capacity,
            begin=firing.begin_step,
            end=firing.end_step,
            workers=lambda: {_LOCAL},
            elapsed=lambda: firing.elapsed,
            sleep=lambda seconds: _sleep_and_tell(firing, recorder, seconds),
            users=recorder.plan.users,
        )
    recorder.search = control
    recorder.searcher = gevent.spawn(_search, environment, control)


def tell_ready(environment: Environment) -> None:
    """Tell the master that this worker can fire steps, where there are any."""
    firing, runner = state_of(environment).firing, environment.runner
    if firing is not None and firing.probing is not None and runner is not None:
        runner.send_message(_READY, {})


def _search(environment: Environment, control: CapacityControl) -> None:
    recorder = state_of(environment).recorder
    if recorder is not None and recorder.master is not None:
        while not recorder.master.register.firing <= recorder.ready:
            gevent.sleep(_TICK_SECONDS)
    control.run()
    if isinstance(environment.runner, MasterRunner):
        environment.runner.send_message(_OVER)
    elif (firing := state_of(environment).firing) is not None:
        firing.end_search()


def _sleep_and_tell(firing: Firing, recorder: RunRecorder, seconds: float) -> None:
    """Wait, and then have the search see what this process counted."""
    gevent.sleep(seconds)
    if recorder.search is not None and (seen := _seen(firing)) is not None:
        recorder.search.receive(_LOCAL, seen)


def _seen(firing: Firing) -> Seen | None:
    probing = firing.probing
    # Asked before: what is told of a closed step must be all of it.
    closed = probing is not None and probing.closed
    counts = probing.snapshot() if probing is not None else None
    if probing is None or counts is None:
        return None
    return Seen(counts, closed=closed, finished=probing.finished)


def _on_step(environment: Environment, data: dict[str, Any]) -> None:
    firing = state_of(environment).firing
    if firing is not None:
        firing.begin_step(from_json(data["step"], Step), frozenset(data["apart"]), data["delay"])
        gevent.spawn(_tell, environment, firing, data["step"]["number"])


def _tell(environment: Environment, firing: Firing, number: int) -> None:
    """Tell the master of a step, now and then, and at once when it is closed or finished."""
    told, last = (False, False), 0.0
    while not told[1] and (seen := _seen(firing)) is not None and seen.counts.step.number == number:
        now, ends = time.perf_counter(), (seen.closed, seen.finished)
        if ends != told or now - last >= _TELL_SECONDS:
            told, last = ends, now
            value = {"counts": seen.counts.encode(), "closed": seen.closed, "finished": seen.finished}
            environment.runner.send_message(_PROBE, value)  # type: ignore[union-attr]
        gevent.sleep(_TICK_SECONDS)


def _on_ready(environment: Environment, client_id: str) -> None:
    if (recorder := state_of(environment).recorder) is not None:
        recorder.ready.add(client_id)


def _on_probe(environment: Environment, client_id: str, data: dict[str, Any]) -> None:
    recorder = state_of(environment).recorder
    if recorder is not None and recorder.search is not None:
        counts = ProbeCounts.decode(data["counts"])
        recorder.search.receive(client_id, Seen(counts, closed=data["closed"], finished=data["finished"]))


def _on_end(environment: Environment) -> None:
    if (firing := state_of(environment).firing) is not None:
        firing.end_step()


def _on_over(environment: Environment) -> None:
    if (firing := state_of(environment).firing) is not None:
        firing.end_search()
