"""What is told of each process that fired: who it was, whether it was heard all along, what it used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# In the run folder of a master: who joined, left and was refused.
WORKERS_LOG: Final = "workers.log"
# Beside the settings of a worker: it has reached its master.
JOINED: Final = "joined"

# Workers say once a second that they are there.
SILENCE_TOLD_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """One worker of a run, as its master knew it at the last checkpoint.

    ``position`` is its share of the schedule, from 0. ``cpu`` is the highest share of one core that it used, 0 to 1.
    ``exchanges`` have reached the master; ``reported`` is the second of the run until which they have, ``heard``
    that in which anything at all came last, and ``silence`` the longest time, in seconds, in which nothing did.
    ``missing`` is about how many planned arrivals of its share no report tells of. A ``lost`` worker's records are
    not complete.
    """

    host: str
    process_id: int
    position: int
    cpu: float = 0.0
    exchanges: int = 0
    reported: float = 0.0
    heard: float = 0.0
    silence: float = 0.0
    missing: int = 0
    lost: bool = False

    @property
    def name(self) -> str:
        """What it is called: its number, from 1, its machine and its process."""
        return f"worker {self.position + 1} ({self.host}, process {self.process_id})"


def lost_sentence(worker: WorkerFacts) -> str:
    """Say what the loss of a worker means."""
    when = f"last heard in second {worker.heard:.1f}, its records reach to second {worker.reported:.1f}"
    missing = f": about {worker.missing} planned arrivals are missing" if worker.missing else ""
    return f"{worker.name} was lost, {when}{missing}"


def silence_sentence(worker: WorkerFacts) -> str:
    """Say that a worker was not heard for a while, and that it cost nothing."""
    return f"{worker.name} was silent for {worker.silence:.1f} s; nothing that it recorded is missing"
