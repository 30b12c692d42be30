"""The plan of a run: everything that a process needs to fire, as plain data without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

OPEN: Final = "open"
CLOSED: Final = "closed"
MODELS: Final = (OPEN, CLOSED)
EVEN: Final = "even"
POISSON: Final = "poisson"
ARRIVALS: Final = (EVEN, POISSON)


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
class Stage:
    """A part of an open schedule: so many arrivals a second for so many seconds."""

    name: str
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run is fired. Times in seconds, ``rate`` in arrivals a second over all workers.

    ``model`` is ``open`` (arrivals by schedule, users are slots) or ``closed`` (each user fires, waits
    ``wait_time``, fires again; ``rate`` and ``patience`` don't count). ``patience`` is how long an arrival waits for
    a free slot before it is dropped. ``target`` says where to fire; with a ``gateway`` in it the embedded gateway is
    started first. With ``phases`` they are fired one after the other, and ``model``, ``rate`` and times don't count.
    With ``stages`` the rate changes from one to the next after the warm-up, which has ``rate``; ``duration`` is their
    sum. With ``capacity``, the settings of a search, rates are found while firing: of rate and times only ``duration``
    counts, the longest time that the search may take.
    ``parent`` is the process without which the run must not go on (None: there is none). ``info``
    is what run.json tells of the run besides.
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
    capacity: Mapping[str, Any] | None = None
    parent: int | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def length(self) -> float:
        """Seconds from the first arrival to the end of the schedule, warm-up included."""
        if self.phases:
            return sum(phase.seconds for phase in self.phases)
        return self.duration if self.capacity else self.warm_up + self.duration

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Plan:
        """Read what ``to_json`` wrote."""
        phases = tuple(Phase(**{**row, "cases": tuple(row["cases"])}) for row in value.get("phases", ()))
        stages = tuple(Stage(**row) for row in value.get("stages", ()))
        return cls(**{**value, "phases": phases, "stages": stages})
