"""The messages between master and workers besides Locust's own. None of them holds a secret: they travel unencrypted.

A worker says who it is (HELLO); the master says which corpus it needs (PREPARE); the worker opens or builds it and says
so (PREPARED), or why it can't (REFUSED). While it fires its recordings go with Locust's reports, and as RECORDS where
none is due; the master says up to which it has them (TAKEN). STOP has the workers end firing and send what is left,
ENDED says why there is nothing to do for a worker, FAILED why a worker could not begin.

In a capacity search a worker that can fire steps says so (READY). STEP has all of them fire one, END_STEP has them stop
it, and SEARCH_OVER says that there will be no more; meanwhile each says how its step goes (PROBE).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gatecrash.reports.capacity.probes import ProbeCounts

HELLO: Final = "gatecrash_hello"
PREPARE: Final = "gatecrash_prepare"
PREPARED: Final = "gatecrash_prepared"
REFUSED: Final = "gatecrash_refused"
RECORDS: Final = "gatecrash_records"
TAKEN: Final = "gatecrash_taken"
STOP: Final = "gatecrash_stop"
ENDED: Final = "gatecrash_ended"
FAILED: Final = "gatecrash_failed"
READY: Final = "gatecrash_ready"
STEP: Final = "gatecrash_step"
END_STEP: Final = "gatecrash_end_step"
PROBE: Final = "gatecrash_probe"
SEARCH_OVER: Final = "gatecrash_search_over"

# A worker that says nothing for this long is lost; Locust's own judgement, which ends the test with the last worker,
# comes after it.
LOST_SECONDS: Final = 10.0
LOCUST_LIVENESS: Final = 12
# A worker that doesn't hear its master for this long stops firing: nobody would end it.
MASTER_SILENT_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one firing process tells of a step: its counts so far.

    They are complete but for what would be late anyway (``closed``), or altogether (``finished``).
    """

    counts: ProbeCounts
    closed: bool
    finished: bool

    def encode(self) -> dict[str, Any]:
        """Return what goes with PROBE."""
        return {"counts": self.counts.encode(), "closed": self.closed, "finished": self.finished}

    @classmethod
    def decode(cls, value: dict[str, Any]) -> StepReport:
        """Read what ``encode`` wrote."""
        return cls(ProbeCounts.decode(value["counts"]), value["closed"], value["finished"])
