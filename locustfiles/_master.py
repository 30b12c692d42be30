"""A master's side of a distributed run: preparing workers, waiting for them, hearing them out."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import gevent
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import MasterRunner, WorkerNode

from gatecrash.authorizers.errors import GatecrashError, UsageError
from gatecrash.firing.cpu import CpuMeter
from gatecrash.firing.messages import ENDED, FAILED, HELLO, PREPARE, PREPARED, RECORDS, REFUSED, STOP, TAKEN
from gatecrash.firing.worker_register import WorkerRegister
from gatecrash.reports.plan.plan import Plan
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.workers import WORKERS_LOG

_TICK_SECONDS: Final = 0.1
_GREETING_SECONDS: Final = 10.0
# Longer than a worker waits for its last answers.
_LAST_RECORDS_SECONDS: Final = 8.0
_logger = logging.getLogger("gatecrash")


class FixedWorkers(UsersDispatcher):
    """Gives users to the workers that were there at the start alone: one that came later has no arrivals for them."""

    def __init__(self, worker_nodes: list[WorkerNode], user_classes: list[Any]) -> None:
        super().__init__(worker_nodes, user_classes)
        self._there_at_the_start = {node.id for node in worker_nodes}

    def add_worker(self, worker_node: WorkerNode) -> None:
        """Take a worker back that was silent; ignore one that is new."""
        if worker_node.id in self._there_at_the_start:
            super().add_worker(worker_node)


class Greetings:
    """Hears workers from the start: they say who they are once, and making a plan takes a while that others run in."""

    def __init__(self, runner: MasterRunner) -> None:
        self._early: list[Any] = []
        self._hear: Callable[[Any], None] = self._early.append
        runner.register_message(HELLO, lambda msg, **_: self._hear(msg))

    def hand_to(self, hear: Callable[[Any], None]) -> None:
        """Have somebody hear all of them, those that came already and those that come."""
        self._hear = hear
        for msg in self._early:
            hear(msg)


class Master:
    """Lives in the process of the master. ``run_folder`` is where it writes who joined, left and was refused."""

    def __init__(self, environment: Environment, runner: MasterRunner, plan: Plan) -> None:
        self._environment = environment
        self._runner = runner
        self._plan = plan
        self._firing = False
        self.run = ""
        self.incidents: list[str] = []
        self.total = Recording()
        self.register = WorkerRegister()
        self.meter = CpuMeter()

    def listen(self, greetings: Greetings) -> None:
        """Hear workers from now on, and those that greeted before."""
        runner, events = self._runner, self._environment.events
        self._environment.dispatcher_class = FixedWorkers
        runner.register_message(PREPARED, self._on_prepared)
        runner.register_message(REFUSED, self._on_refused)
        runner.register_message(FAILED, self._on_failed)
        runner.register_message(RECORDS, lambda msg, **_: self.receive(msg.node_id, msg.data))
        events.heartbeat_sent.add_listener(lambda client_id, **_: self.register.hear(client_id))
        greetings.hand_to(self._on_hello)

    def tell(self, sentence: str) -> None:
        """Say something of a worker: in Locust's log, and in the run folder where there is one already."""
        _logger.info(sentence)
        folder = Path(self._plan.run_folder)
        if folder.is_dir():
            with (folder / WORKERS_LOG).open("a", encoding="utf-8") as log:
                log.write(f"{sentence}\n")

    def _on_hello(self, msg: Any) -> None:
        worker = self.register.greet(msg.node_id, msg.data["host"], msg.data["process_id"])
        if self._firing:
            self._send_away(msg.node_id)
            return
        self.tell(f"{worker.name} joined")
        facts = {**self._plan.info.to_json()["corpus"], "folder": self._plan.corpus}
        self._runner.send_message(PREPARE, {"corpus": facts, "can_be_built": not self._plan.phases}, msg.node_id)

    def _send_away(self, client_id: str) -> None:
        self.tell(f"{self._name(client_id)} came after the start: it has no share of the schedule and was sent away")
        sentence = "the run began without this worker, so it has no share of the schedule"
        self._runner.send_message(ENDED, {"sentence": sentence}, client_id)

    def _on_prepared(self, msg: Any, **_: Any) -> None:
        if (worker := self.register.known(msg.node_id)) is not None:
            worker.prepared = True
            self.tell(f"{worker.name} has the corpus {self._plan.info.corpus.digest}")

    def _on_refused(self, msg: Any, **_: Any) -> None:
        if (worker := self.register.known(msg.node_id)) is not None:
            worker.refusal = f"{worker.name} can't take part: {msg.data['sentence']}"
            self.tell(worker.refusal)

    def _on_failed(self, msg: Any, **_: Any) -> None:
        if (worker := self.register.known(msg.node_id)) is not None:
            worker.gone = True
            self.incidents.append(f"{worker.name} could not start: {msg.data['sentence']}")
            self.tell(self.incidents[-1])

    def gather(self, users: int) -> list[str]:
        """Wait until every worker that is there has the corpus, and return their ids.

        Raises UsageError when one can't take part: the load would not be what was asked for.
        """
        ids = [node.id for node in self._runner.clients.ready]
        waited = 0.0
        while waiting := [client_id for client_id in ids if not self._is_prepared(client_id, waited)]:
            gevent.sleep(_TICK_SECONDS)
            waited += _TICK_SECONDS
            there = {node.id for node in self._runner.clients.ready}
            if left := [client_id for client_id in waiting if client_id not in there]:
                self._is_prepared(left[0], waited)
                raise UsageError(f"{self._name(left[0])} left before the run began")
        if users < len(ids):
            raise UsageError(
                f"load.users is {users} for {len(ids)} workers: each needs one slot at least, raise --users"
            )
        return ids

    def begin(self, ids: list[str], plan: Plan) -> None:
        """Begin a run with these workers."""
        self.incidents, self.total = [], Recording()
        self.run = uuid.uuid4().hex
        self.register.begin(ids, plan)
        self.meter = CpuMeter()
        self._firing = True
        for client_id in self._runner.clients:
            # It came while the others prepared.
            if not self.register.has_share(client_id):
                self._send_away(client_id)

    @property
    def refusal(self) -> str | None:
        """Why a worker that joined can't take part, if there is such a worker."""
        return self.register.refusal

    def _is_prepared(self, client_id: str, waited: float) -> bool:
        worker = self.register.known(client_id)
        if worker is None:
            if waited > _GREETING_SECONDS:
                raise UsageError(
                    f"{self._name(client_id)} doesn't speak as gatecrash's workers do: start it with "
                    "`gatecrash worker` of the same version, or with the same locustfile"
                )
            return False
        if self.refusal is not None:
            raise UsageError(self.refusal)
        return worker.prepared

    def _name(self, client_id: str) -> str:
        worker = self.register.known(client_id)
        return worker.name if worker is not None else f"the worker {client_id}"

    def receive(self, client_id: str, data: dict[str, Any]) -> None:
        """Add what a worker sent, and tell it that it is here."""
        if not self.register.has_share(client_id):
            return
        if data["run"] == self.run:
            self.register.hear(client_id)
            number = self.register.add(client_id, data, self.total)
        else:
            # What an earlier run left behind: nobody waits for it.
            number = max((one[0] for one in data["reports"]), default=0)
        self._runner.send_message(TAKEN, {"number": number}, client_id)

    def look(self) -> None:
        """Look after the workers."""
        self.meter.tick()
        self.register.look()
        if self.register.stopping:
            # Locust forgets a worker that it stopped, for a moment; its last records are still to come.
            return
        for client_id in self.register.shares:
            if client_id not in self._runner.clients:
                self.register.leave(client_id)

    def stop(self) -> None:
        """Have the workers end firing, and send what is left."""
        if self._firing and not self.register.settled:
            self.register.stopping = True
            self._runner.send_message(STOP, {})

    def end(self) -> None:
        """Have the workers stop and send what is left, and wait for it."""
        if not self._firing:
            return
        self.stop()
        self._firing = False
        waited = 0.0
        while not self.register.settled and waited < _LAST_RECORDS_SECONDS:
            gevent.sleep(_TICK_SECONDS)
            waited += _TICK_SECONDS
        self.register.write_off()

    def dismiss(self, error: GatecrashError) -> None:
        """Tell all workers why there will be no run."""
        self._runner.send_message(ENDED, {"sentence": f"the master ended: {error}"})
        # The messages leave by a thread of their own.
        gevent.sleep(2 * _TICK_SECONDS)
