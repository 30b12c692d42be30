"""The plan of a run: everything that a process needs to fire, as plain data without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo, SearchPlan, Stage, TargetFacts
from gatecrash.reports.recording import codec

OPEN: Final = "open"
CLOSED: Final = "closed"
MODELS: Final = (OPEN, CLOSED)
EVEN: Final = "even"
POISSON: Final = "poisson"


_NO_INFO: Final = RunInfo("run", "", 0, PlanFacts(), TargetFacts(), CorpusFacts(), {})


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a plan that fires given cases in their order, at most ``concurrency`` at a time, over all workers.

    It ends after ``seconds`` at the latest; ``rate`` (requests a second) bounds how fast it may go, None doesn't.
    """

    name: str
    cases: tuple[int, ...]
    concurrency: int
    seconds: float
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run is fired. Times in seconds, ``rate`` in arrivals a second over all workers.

    ``model`` is ``open`` (arrivals by schedule, users are slots) or ``closed`` (each user fires, waits
    ``wait_time``, fires again; ``rate`` and ``patience`` don't count). ``patience`` is how long an arrival waits for
    a free slot before it is dropped. ``target`` says where to fire; with a ``gateway`` in it the embedded gateway is
    started first. With ``phases`` they are fired one after the other, and ``model``, ``rate`` and times don't count.
    With ``stages`` the rate changes from one to the next after the warm-up, which has ``rate``; ``duration`` is their
    sum. With ``capacity`` rates are found while firing: of rate and times only ``duration`` counts, the longest time
    that the search may take. ``parent`` is the process without which the run must not go on (None: there is none).
    ``info`` is what run.json tells of the run, but for its start and its load.
    """

    run_folder: str
    corpus: str
    target: Mapping[str, Any]
    seed: int = 0
    model: str = OPEN
    arrivals: str = EVEN
    rate: float = 100.0
    duration: float = 30.0
    warm_up: float = 5.0
    users: int = 50
    patience: float = 5.0
    wait_time: float = 0.0
    phases: tuple[Phase, ...] = ()
    stages: tuple[Stage, ...] = ()
    capacity: SearchPlan | None = None
    parent: int | None = None
    info: RunInfo = _NO_INFO

    @property
    def facts(self) -> PlanFacts:
        """What run.json tells of the load."""
        if self.capacity is not None:
            facts = replace(self.info.plan, scenario="capacity", arrivals=self.arrivals, users=self.users)
            return replace(facts, capacity=self.capacity)
        shared: dict[str, Any] = {name: getattr(self, name) for name in Plan.__slots__ if name in PlanFacts.__slots__}
        return replace(self.info.plan, **shared)

    @property
    def length(self) -> float:
        """Seconds from the first arrival to the end of the schedule, warm-up included."""
        if self.phases:
            return sum(phase.seconds for phase in self.phases)
        return self.duration if self.capacity else self.warm_up + self.duration

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        value: dict[str, Any] = codec.to_json(self)
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Plan:
        """Read what ``to_json`` wrote; raises ValueError for what it didn't."""
        return codec.from_json({**value, "info": {"started_at": "", **value["info"]}}, cls)
