"""What gatecrash keeps for one Locust environment: hung on it, since Locust hands it to every listener."""

from __future__ import annotations

from dataclasses import dataclass, field

from locust.env import Environment

from gatecrash.firing.firing import Firing
from gatecrash.firing.step_source import Probing
from gatecrash.firing.watcher import Watcher
from gatecrash.locustfiles._recorder import RunRecorder
from gatecrash.locustfiles._statistics import BatchedStatistics
from gatecrash.locustfiles._worker import Worker

_ATTRIBUTE = "gatecrash"


@dataclass(slots=True)
class State:
    """The firing of this process; the recorder where it writes the run folder; a worker's own side where it is one.

    The watcher is there where the process that writes the run folder has a web page.
    """

    firing: Firing | None = None
    recorder: RunRecorder | None = None
    worker: Worker | None = None
    watcher: Watcher | None = None
    quitting: bool = False
    statistics: BatchedStatistics = field(default_factory=BatchedStatistics)

    @property
    def probing(self) -> Probing:
        """The steps of a search that this process fires."""
        assert self.firing is not None  # noqa: S101 - firing starts before the first step does
        assert isinstance(self.firing.source, Probing)  # noqa: S101 - steps come in a search alone
        return self.firing.source


def state_of(environment: Environment) -> State:
    """Return the state of an environment, made when it is first asked for."""
    state = vars(environment).setdefault(_ATTRIBUTE, State())
    assert isinstance(state, State)  # noqa: S101 - the attribute is ours
    return state
