"""A master's book of its workers: who they are, what each has prepared, what was heard of each, who is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from gatecrash.firing.arrivals import due_after
from gatecrash.firing.messages import LOST_SECONDS
from gatecrash.reports.plan.plan import OPEN, Plan
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.workers import WorkerFacts


@dataclass(slots=True)
class KnownWorker:
    """A worker that said who it is. Times are seconds on the master's clock, but ``reported``: the worker's own."""

    host: str
    process_id: int
    prepared: bool = False
    refusal: str | None = None
    position: int | None = None
    number: int = 0
    reported: float = 0.0
    exchanges: int = 0
    cpu: float = 0.0
    heard: float = 0.0
    silence: float = 0.0
    delivered: bool = False
    finished: bool = False
    gone: bool = False

    @property
    def name(self) -> str:
        """What it is called before it has a share."""
        return f"the worker on {self.host} (process {self.process_id})"


class WorkerRegister:
    """The workers of a master, by Locust's id."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, KnownWorker] = {}
        self._ids: list[str] = []
        self._started = 0.0
        self._plan: Plan | None = None
        # Whether workers were asked to end before their share was fired.
        self.stopping = False

    def greet(self, client_id: str, host: str, process_id: int) -> KnownWorker:
        """Enter a worker."""
        self._known[client_id] = KnownWorker(host, process_id)
        return self._known[client_id]

    def known(self, client_id: str) -> KnownWorker | None:
        """Return a worker that said who it is."""
        return self._known.get(client_id)

    @property
    def refusal(self) -> str | None:
        """Why a worker that joined can't take part, if there is such a worker."""
        return next((worker.refusal for worker in self._known.values() if worker.refusal is not None), None)

    def has_share(self, client_id: str) -> bool:
        """Say whether a worker takes part in the run."""
        return client_id in self._ids

    def begin(self, ids: Iterable[str], plan: Plan) -> None:
        """Begin a run with these workers, and give each its share."""
        self._ids = sorted(ids)
        self._plan = plan
        self.stopping = False
        self._started = self._clock()
        for position, client_id in enumerate(self._ids):
            before = self._known[client_id]
            now = KnownWorker(before.host, before.process_id, prepared=True, position=position, heard=self._started)
            self._known[client_id] = now

    @property
    def shares(self) -> dict[str, list[int]]:
        """Each worker's place, and how many there are."""
        return {client_id: [place, len(self._ids)] for place, client_id in enumerate(self._ids)}

    @property
    def firing(self) -> set[str]:
        """The workers that take part and are not lost."""
        return {client_id for client_id in self._ids if not self.is_lost(client_id)}

    def hear(self, client_id: str) -> None:
        """Note that something came from a worker."""
        if client_id in self._ids:
            worker, now = self._known[client_id], self._clock()
            # What is said of silence is about the time in which there was something to say.
            if not worker.delivered:
                worker.silence = max(worker.silence, now - worker.heard)
            worker.heard = now

    def add(self, client_id: str, data: dict[str, Any], total: Recording) -> int:
        """Add what a worker sent and wasn't added yet; returns the number up to which everything is there."""
        worker = self._known[client_id]
        for number, elapsed, encoded in data["reports"]:
            if number == worker.number + 1:
                before = total.outcomes.total() + total.warm_up_exchanges
                total.add(Recording.decode(encoded))
                worker.exchanges += total.outcomes.total() + total.warm_up_exchanges - before
                worker.number, worker.reported = number, elapsed
        worker.cpu = max(worker.cpu, data["cpu"])
        # A report that was under way for long says nothing new.
        if data["last"] is not None and worker.number >= data["last"] and not worker.delivered:
            worker.delivered, worker.finished = True, data["finished"]
            if not worker.finished and not self.stopping:
                # It ended by itself: what it recorded is here, the rest of its share will never be fired.
                worker.gone = True
        return worker.number

    def leave(self, client_id: str) -> None:
        """Note that a worker left: without its last records, or with arrivals to fire, it is lost."""
        if client_id in self._ids and not self._is_done(self._known[client_id]):
            self._known[client_id].gone = True

    def _is_done(self, worker: KnownWorker) -> bool:
        return worker.finished or (self.stopping and worker.delivered)

    def is_lost(self, client_id: str) -> bool:
        """Say whether what is missing of a worker can't be expected any more, for now."""
        worker = self._known[client_id]
        silent = not self._is_done(worker) and self._clock() - worker.heard > LOST_SECONDS
        return worker.gone or silent

    def look(self) -> None:
        """Take note of silences that go on."""
        for client_id in self._ids:
            worker = self._known[client_id]
            if not worker.delivered:
                worker.silence = max(worker.silence, self._clock() - worker.heard)

    def write_off(self) -> None:
        """Give up all that something is missing of."""
        for client_id in self._ids:
            self.leave(client_id)

    @property
    def lost(self) -> int:
        """How many are lost."""
        return sum(map(self.is_lost, self._ids))

    @property
    def settled(self) -> bool:
        """Whether nothing more is to come: each has delivered its last records as it should, or is lost."""
        return all(self._is_done(self._known[client_id]) or self.is_lost(client_id) for client_id in self._ids)

    @property
    def any_finished(self) -> bool:
        """Whether at least one fired its whole share."""
        return any(self._known[client_id].finished for client_id in self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def facts(self) -> tuple[WorkerFacts, ...]:
        """Return what is told of each worker."""
        return tuple(self._facts(position, client_id) for position, client_id in enumerate(self._ids))

    def _facts(self, position: int, client_id: str) -> WorkerFacts:
        worker, lost = self._known[client_id], self.is_lost(client_id)
        return WorkerFacts(
            host=worker.host,
            process_id=worker.process_id,
            position=position,
            cpu=round(worker.cpu, 4),
            exchanges=worker.exchanges,
            reported=round(worker.reported, 3),
            heard=round(worker.heard - self._started, 3),
            silence=round(worker.silence, 3),
            missing=self._missing(worker) if lost else 0,
            lost=lost,
        )

    def _missing(self, worker: KnownWorker) -> int:
        plan = self._plan
        if plan is None or plan.model != OPEN or plan.phases or plan.capacity:
            return 0
        return round(due_after(plan, worker.reported) / len(self._ids))
